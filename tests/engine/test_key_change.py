"""A key that the provider cannot change: kept, asked about, or replaced with the account."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import pytest

from syncd.errors import Fatal, Retryable
from syncd.store import connections
from tests.engine.worlds import (
    MakeWorld,
    established,
    mail,
    people,
    source,
    target,
    write,
    writes,
)
from tests.world import World, person, planned

pytestmark = pytest.mark.anyio


async def renamed(world: MakeWorld, policy: str) -> tuple[World, Any, Any]:
    w = await established(world, person(1, login="ann"), read={"userName": "login"}, target=target("delete", on_key_change=policy))
    w.write([person(1, login="anna", phone="5")])
    report, plan = await w.run()
    return w, report, plan


async def test_keep_leaves_the_key_and_updates_the_rest(world: MakeWorld) -> None:
    w, report, plan = await renamed(world, "keep")
    assert planned(plan) == [("update", "anna", "")]
    assert report.converged
    assert (w.account("ann")["phone"], not w.verify()) == ("5", True)


async def test_whoever_owns_the_old_key_now_is_held_and_the_keeper_goes_on(world: MakeWorld) -> None:
    w, _, _ = await renamed(world, "keep")
    w.write([person(1, login="anna", phone="6"), person(2, login="ann")])
    _, plan = await w.run()
    assert planned(plan) == [("create", "ann", "taken"), ("update", "anna", "")]
    assert w.account("ann")["phone"] == "6"


async def test_hold_asks_and_release_updates_the_rest(world: MakeWorld) -> None:
    w, report, plan = await renamed(world, "hold")
    assert planned(plan) == [("update", "anna", "key")]
    assert "release = update the rest and keep ann" in next(iter(plan.changes())).held
    assert "phone" not in w.account("ann")
    w.release()
    report, _ = await w.run()
    assert w.account("ann")["phone"] == "5"
    assert (report.results[1].rejected, report.failed) == (1, False)
    report, plan = await w.run()
    assert planned(plan) == [], "what cannot be done is not tried again"
    assert 'app kept userName = "ann"' in w.store.value("SELECT reason FROM pending")


async def test_hold_of_the_key_alone_sends_nothing_when_released(world: MakeWorld) -> None:
    w = await established(world, person(1, login="ann"), read={"userName": "login"}, target=target("delete", on_key_change="hold"))
    w.write([person(1, login="anna")])
    await w.run()
    w.release()
    report, _ = await w.run()
    assert ([method for method, _ in writes(w)], report.results[1].rejected) == (["create"], 1)


async def test_replace_is_held_names_what_dies_and_makes_the_new_account_whole(world: MakeWorld) -> None:
    w, _, plan = await renamed(world, "replace")
    assert planned(plan) == [("create", "anna", "key"), ("delete", "anna", "key")]
    delete, create = sorted(plan.changes(), key=lambda row: row.kind, reverse=True)
    assert (create.replaces, "delete account ann" in delete.held) == (delete.id, True)
    w.release()
    report, _ = await w.run()
    assert report.converged
    assert w.account("anna") == {
        "userName": "anna", "displayName": "Person 1", "email": mail(1), "phone": "5", "active": True,
        "meta": {"externalId": "e1", "syncd": w.account("anna")["meta"]["syncd"]},
    }  # fmt: skip
    assert len(w.directory.accounts) == 1
    assert not w.verify()


async def test_a_replacement_waits_for_the_deletion_it_replaces(world: MakeWorld) -> None:
    w, _, _ = await renamed(world, "replace")
    w.release()
    w.directory.fail_next("delete", Retryable("HTTP 503"))
    report, _ = await w.run()
    assert ([one["userName"] for one in w.directory.accounts.values()], report.failed) == (["ann"], True)
    report, _ = await w.run()
    assert ([one["userName"] for one in w.directory.accounts.values()], report.converged) == (["anna"], True)


async def test_a_connection_under_a_new_name_is_refused_with_the_command_that_keeps_what_is_known(world: MakeWorld) -> None:
    w = world()
    w.write(people(1))
    write(w, "hr", [{**person(2), "employeeNumber": "h2"}])
    connection, connector = source(w, "hr")
    w.extra = [(connection, connector)]
    await w.run()
    w.extra = [(replace(connection, name="staff"), connector)]
    with pytest.raises(Fatal, match=r"syncd connection rename hr staff; begin anew: syncd connection forget hr"):
        await w.run()
    w.extra = [(replace(connection, name="staff", namespace="staff"), connector)]
    with pytest.raises(Fatal, match=r"say `namespace: hr` under staff first"):
        await w.run()
    connections.rename(w.store, "hr", "staff")
    w.extra = [(replace(connection, name="staff"), connector)]
    report, plan = await w.run()
    assert (planned(plan), report.converged) == ([], True)
