"""Accounts that somebody else changed or deleted: repaired, or reported where drift says so."""

from __future__ import annotations

from datetime import timedelta

import pytest

from syncd.errors import Retryable
from tests.engine.worlds import (
    MakeWorld,
    established,
    mail,
    names,
    people,
    target,
)
from tests.world import person, planned

pytestmark = pytest.mark.anyio


async def test_an_account_deleted_outside_syncd_is_created_again_once_proven_gone(world: MakeWorld) -> None:
    w = await established(world, *people(1, 2))
    lost = next(id for id, account in w.directory.accounts.items() if account["userName"] == mail(1))
    del w.directory.accounts[lost]
    w.directory.fail_next("fetch", Retryable("try later"))
    report, plan = await w.run()
    assert (planned(plan), report.failed) == ([], True)
    _, plan = await w.run()
    assert [(row.kind, row.who, row.reason) for row in plan.changes()] == [("create", mail(1), "deleted outside syncd")]
    assert names(w) == {mail(1), mail(2)}
    assert not w.verify()


async def test_an_account_deleted_outside_syncd_is_only_reported_where_drift_says_so(world: MakeWorld) -> None:
    w = await established(world, *people(1, 2), target=target("delete", drift="report"))
    w.directory.accounts.pop(next(iter(w.directory.accounts)))
    for _ in range(2):
        report, plan = await w.run()
        assert [code for _, _, code in planned(plan)] == ["drift"]
        assert report.waiting
    assert len(w.directory.accounts) == 1
    w.release()
    report, _ = await w.run()
    assert (report.converged, len(w.directory.accounts)) == (True, 2)


async def test_an_account_changed_outside_syncd_is_repaired(world: MakeWorld) -> None:
    w = await established(world, *people(1, 2))
    w.account(mail(1))["displayName"] = "Vandal"
    _, plan = await w.run()
    assert [(row.kind, row.reason) for row in plan.changes()] == [("update", "changed outside syncd")]
    assert w.account(mail(1))["displayName"] == "Person 1"


async def test_an_account_changed_outside_syncd_is_held_where_drift_is_only_reported(world: MakeWorld) -> None:
    w = await established(world, *people(1, 2), target=target("delete", drift="report"))
    w.account(mail(1))["displayName"] = "Vandal"
    report, plan = await w.run()
    assert planned(plan) == [("update", mail(1), "drift")]
    assert w.account(mail(1))["displayName"] == "Vandal"
    w.write([person(1, phone="5"), person(2)])
    report, plan = await w.run()
    assert planned(plan) == [("update", mail(1), "")], "a change of the person's own is no drift"
    assert report.converged


async def test_what_others_add_to_a_shared_list_does_not_hide_later_drift(world: MakeWorld) -> None:
    w = world(target=target("delete", drift="report", attributes={"labels": "title"}))
    w.write([person(1, title="staff"), person(2)])
    await w.run()
    w.account(mail(1))["labels"].append("theirs")
    report, plan = await w.run()
    assert (planned(plan), report.converged) == ([], True)
    w.account(mail(1))["displayName"] = "Vandal"
    _, plan = await w.run()
    assert planned(plan) == [("update", mail(1), "drift")]


async def test_an_account_that_syncd_deleted_for_a_replacement_is_no_drift(world: MakeWorld) -> None:
    """on_key_change: replace deletes and creates; when the create fails, the next run simply makes it."""
    w = await established(world, *people(1, 2), target=target("delete", drift="report", on_key_change="replace"))
    w.write([person(1, email="new@corp.example"), person(2)])
    await w.run()
    w.release()
    w.directory.fail_next("create", Retryable("try later"))
    await w.run()
    assert names(w) == {mail(2)}
    report, plan = await w.run()
    assert planned(plan) == [("create", "new@corp.example", "")]
    assert report.converged


async def test_a_value_that_somebody_else_keeps_changing_back_is_left_alone_at_the_third_time(world: MakeWorld) -> None:
    """Two repairs in 24 hours, then a person is told; a change of the person's own goes through meanwhile, and a leaver leaves."""
    w = await established(world, *people(1, 2), target=target("disable"))
    for turn in range(3):
        w.account(mail(1))["displayName"] = "Vandal"
        w.clock.pass_time(timedelta(hours=2))
        report, plan = await w.run()
        assert planned(plan) == [("update", mail(1), "fight" if turn == 2 else "")]
    told = "displayName was set to Person 1 (people says so) 2 times in 24 h and is Vandal again: somebody else writes it too"
    assert (report.waiting, plan.connections[1].reason) == (True, told)
    w.write([person(1, name="Renamed"), person(2)])
    report, plan = await w.run()
    assert (planned(plan), report.converged) == ([("update", mail(1), "")], True)
    w.clock.pass_time(timedelta(hours=25))
    w.account(mail(1))["displayName"] = "Vandal"
    _, plan = await w.run()
    assert planned(plan) == [("update", mail(1), "")], "another day"


async def test_a_source_that_cannot_decide_is_left_alone_too_but_not_when_somebody_leaves(world: MakeWorld) -> None:
    w = await established(world, *people(1, 2), target=target("disable"))
    held = []
    for turn in range(8):
        w.write([person(1, title="xy"[turn % 2]), person(2)])
        _, plan = await w.run()
        held += [code for _, _, code in planned(plan)]
    assert held == ["", "", "", "", "fight", "fight"], "x and y twice each; the third x waits, so that the y is there already"
    for turn in range(8):
        w.write(people(2) if turn % 2 == 0 else people(1, 2))
        _, plan = await w.run()
        if turn % 2 == 0:
            assert ("disable", mail(1), "") in planned(plan) or w.account(mail(1))["active"] is False
    w.write(people(2))
    await w.run()
    assert w.account(mail(1))["active"] is False
