"""Whose account is it: strangers, markers and the ignore list."""

from __future__ import annotations

import copy

import pytest

from tests import stores
from tests.engine.worlds import (
    MakeWorld,
    established,
    mail,
    people,
    states,
    target,
)
from tests.world import person, planned

pytestmark = pytest.mark.anyio
SOMEBODY = "00000000-0000-0000-0000-00000000000a"


async def test_strangers_stay_untouched_and_are_stored_without_attributes(world: MakeWorld) -> None:
    w = world(target=target("delete"))
    w.directory.add("x", userName="stranger", email="stranger@else.example", title="secret")
    before = copy.deepcopy(w.directory.accounts["x"])
    for rows in (people(1, 2), people(1), people(3)):
        w.write(rows)
        _, plan = await w.run()
        assert w.directory.accounts["x"] == before
    assert plan.connections[1].accounts["unmanaged"] == 1
    (row,) = w.store.rows("SELECT document, reading FROM account WHERE account = 'x'")
    assert (row.document, row.reading) == (None, None)
    stores.tidy(w.root)
    assert not any(b"secret" in held for held in stores.files(w.root).values())


async def test_a_stranger_without_any_key_is_known_by_its_id_alone(world: MakeWorld) -> None:
    w = await established(world, person(1))
    w.directory.add("x", displayName="Person 2")
    w.write(people(1, 2))
    report, plan = await w.run()
    assert (planned(plan), report.converged, w.directory.accounts["x"]) == ([("create", mail(2), "")], True, {"displayName": "Person 2"})


async def test_an_account_that_says_nonsense_is_known_by_its_key_alone(world: MakeWorld) -> None:
    """A list where text should be: nothing else of it is read, and it is adopted and repaired."""
    w = world()
    w.directory.add("x", userName=mail(1), displayName=["Person", "1"])
    w.write(people(1))
    report, plan = await w.run()
    assert (planned(plan), report.converged) == ([("adopt", mail(1), "")], True)
    assert w.account(mail(1))["displayName"] == "Person 1"


async def test_the_marker_of_another_instance_is_left_alone(world: MakeWorld) -> None:
    w = world()
    w.directory.add("x", userName=mail(1), meta={"syncd": f"other:{SOMEBODY}"})
    w.directory.add("y", userName="y", email=mail(2), meta={"syncd": f"other:{SOMEBODY}"})
    before = copy.deepcopy(w.directory.accounts)
    w.write(people(1, 2, 3))
    for _ in range(2):
        report, plan = await w.run()
        assert [(kind, who, hold) for kind, who, hold in planned(plan) if who != mail(3)] == [
            ("create", mail(1), "foreign"), ("create", mail(2), "foreign")
        ]  # fmt: skip
        w.release()
    assert {name: w.directory.accounts[name] for name in "xy"} == before
    assert (report.results[1].held, len(w.directory.accounts)) == (2, 3)


async def test_a_marker_of_ours_brings_the_account_back_whatever_else_changed(world: MakeWorld) -> None:
    w = await established(world, person(1))
    w.account(mail(1))["email"] = "changed@else.example"
    w.store.run("DELETE FROM link")
    w.store.run("INSERT INTO dirty SELECT 'app', id FROM identity")
    _, plan = await w.run()
    assert planned(plan) == [("adopt", mail(1), "")]


async def test_ignored_accounts_are_neither_adopted_nor_written_nor_counted(world: MakeWorld) -> None:
    w = world(ignore=("svc-*", "admin@corp.example", "X9"), target=target("delete"))
    w.directory.add("a1", userName="SVC-backup", email=mail(1))
    w.directory.add("a2", userName="root", email="Admin@corp.example")
    w.directory.add("x9", userName=mail(3))
    before = copy.deepcopy(w.directory.accounts)
    w.write([person(3), person(4, email="admin@corp.example"), person(5)])
    report, plan = await w.run()
    assert planned(plan) == [("create", mail(3), "ignored"), ("create", mail(5), "")]
    assert {name: w.directory.accounts[name] for name in before} == before
    assert (plan.connections[1].accounts["ignored"], plan.connections[1].accounts["unmanaged"]) == (3, 0)
    assert plan.connections[0].accounts == {"linked": 2, "adoptable": 0, "ambiguous": 0, "unmanaged": 0, "ignored": 1, "rejected": 0}
    assert states(w) == {mail(3): "live", mail(5): "live"}
    assert report.waiting


async def test_a_person_newly_ignored_is_frozen_and_never_absent(world: MakeWorld) -> None:
    w = await established(world, *people(1, 2))
    before = copy.deepcopy(w.directory.accounts)
    w.ignore = (mail(1),)
    w.write([person(1, phone="5", active="no"), person(2)])
    for rows in ([person(1, phone="5", active="no"), person(2)], people(2), people(2)):
        w.write(rows)
        report, plan = await w.run()
        assert (planned(plan), report.converged, states(w)[mail(1)]) == ([], True, "frozen")
        assert w.directory.accounts == before
    w.ignore = ()
    _, plan = await w.run()
    assert planned(plan) == [("delete", mail(1), "config")]


async def test_an_account_newly_ignored_by_its_id_is_frozen(world: MakeWorld) -> None:
    w = await established(world, *people(1, 2))
    account = next(id for id, one in w.directory.accounts.items() if one["userName"] == mail(1))
    w.ignore = (account,)
    w.write(people(2))
    report, plan = await w.run()
    assert (planned(plan), report.converged, states(w)[mail(1)]) == ([], True, "frozen")


async def test_nobody_leaves_our_care_by_editing_the_own_account(world: MakeWorld) -> None:
    """An e-mail on the ignore list, or another instance's marker, on an account that is linked: repaired like any drift."""
    w = await established(world, *people(1, 2), ignore=("*@protected.example",))
    w.account(mail(1))["email"] = "me@protected.example"
    w.account(mail(2))["meta"]["syncd"] = f"other:{SOMEBODY}"
    report, plan = await w.run()
    assert planned(plan) == [("update", mail(1), ""), ("update", mail(2), "")]
    assert report.converged
    w.account(mail(1))["email"] = "me@protected.example"
    w.write(people(2))
    _, plan = await w.run()
    assert planned(plan) == [("delete", mail(1), "")]
