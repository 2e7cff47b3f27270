"""What a listing proves: nothing about leavers unless it was complete, and completeness itself is put to the test."""

from __future__ import annotations

from datetime import timedelta

import pytest

from syncd.errors import InDoubt, Quarantined, Rejected, Retryable, SyncdError
from tests.engine.worlds import (
    MakeWorld,
    established,
    mail,
    names,
    people,
    target,
    writes,
)
from tests.world import person, planned

pytestmark = pytest.mark.anyio


async def test_an_incomplete_source_plans_no_leaver_and_lets_newcomers_and_changes_through(world: MakeWorld) -> None:
    w = await established(world, *people(1, 2, 3, 4))
    w.write([person(2, phone="5"), person(3, active="no"), person(5)])
    w.people_file.write_text(w.people_file.read_text().rstrip("\n"))
    report, plan = await w.run()
    assert planned(plan) == [("update", mail(2), "")], "e5 stands in the line that broke off"
    assert report.failed
    assert "e" in {result.name: result.error for result in report.results}["people"]
    w.write([person(2, phone="5"), person(3, active="no"), person(5), {"email": "no id"}])
    report, plan = await w.run()
    assert planned(plan) == [("create", mail(5), "")]
    assert report.failed
    assert names(w) == {mail(1), mail(2), mail(3), mail(4), mail(5)}
    w.write([person(2, phone="5"), person(3, active="no"), person(5)])
    _, plan = await w.run()
    assert planned(plan) == [("delete", mail(1), ""), ("delete", mail(4), ""), ("disable", mail(3), "")]


async def test_a_leaver_by_time_alone_waits_for_a_complete_source_too(world: MakeWorld) -> None:
    w = world(target=target("disable"))
    w.write([person(1, activeUntil="2026-01-01"), person(2)])
    await w.run()
    w.clock.pass_time(timedelta(days=1))
    w.people_file.unlink()
    report, plan = await w.run()
    assert (report.failed, planned(plan), w.account(mail(1))["active"]) == (True, [], True)


async def test_a_broken_target_listing_plans_no_leaver(world: MakeWorld) -> None:
    w = await established(world, *people(1, 2, 3))
    w.write(people(2, 3))
    w.directory.cut = 2
    report, plan = await w.run()
    assert (report.failed, planned(plan)) == (True, [])
    w.directory.cut = None
    _, plan = await w.run()
    assert planned(plan) == [("delete", mail(1), "")]


async def test_an_account_missing_from_the_list_that_answers_by_itself_proves_the_list_incomplete(world: MakeWorld) -> None:
    w = await established(world, *people(1, 2, 3))
    w.write(people(2, 3))
    w.directory.hidden = {id for id, account in w.directory.accounts.items() if account["userName"] == mail(3)}
    report, plan = await w.run()
    assert planned(plan) == []
    assert "is missing from the list and yet exists" in {result.name: result.error for result in report.results}["app"]
    w.directory.hidden = set()
    _, plan = await w.run()
    assert planned(plan) == [("delete", mail(1), "")]


async def test_a_stranger_missing_from_the_list_that_answers_by_itself_proves_the_list_incomplete_too(world: MakeWorld) -> None:
    w = world(target=target("delete"))
    w.directory.add("x", userName="stranger")
    w.write(people(1, 2))
    await w.run()
    w.write(people(2))
    w.directory.hidden = {"x"}
    report, plan = await w.run()
    assert (planned(plan), report.failed) == ([], True)


async def test_an_account_younger_than_the_list_lag_may_be_missing(world: MakeWorld) -> None:
    w = world(target=target("delete", settle=timedelta(seconds=10)))
    w.directory.lag = 10.0
    w.write(people(1, 2))
    await w.run()
    w.clock.pass_time(timedelta(seconds=5))
    w.write(people(2))
    report, plan = await w.run()
    assert planned(plan) == [("delete", mail(1), "")]
    assert report.converged
    assert [method for method, _ in writes(w)] == ["create", "create", "delete"], "not created again though no list shows it"
    w.clock.pass_time(timedelta(seconds=6))
    report, plan = await w.run()
    assert (report.converged, planned(plan)) == (True, [])


async def test_a_list_that_still_shows_what_was_deleted_brings_nobody_back(world: MakeWorld) -> None:
    w = world(target=target("delete", settle=timedelta(seconds=10)))
    w.directory.lag = 8.0
    w.write(people(1, 2))
    await w.run()
    w.clock.pass_time(timedelta(minutes=1))
    w.write(people(2))
    await w.run()
    w.clock.pass_time(timedelta(seconds=5))
    w.write(people(1, 2))
    report, plan = await w.run()
    assert planned(plan) == [("create", mail(1), "")], "made anew, not taken for the one in the old list"
    assert report.converged
    w.clock.pass_time(timedelta(minutes=1))
    report, plan = await w.run()
    assert (report.converged, planned(plan), w.verify()) == (True, [], [])


@pytest.mark.parametrize(
    ("answer", "stopped"),
    [(Retryable("try later"), False), (Rejected("no"), False), (InDoubt("lost"), False), (Quarantined("HTTP 403"), True)],
    ids=lambda value: type(value).__name__,
)
async def test_a_missing_account_that_cannot_be_asked_for_leaves_the_list_unproven(
    world: MakeWorld, answer: SyncdError, stopped: bool
) -> None:
    w = await established(world, *people(1, 2, 3))
    w.directory.accounts.pop(next(iter(w.directory.accounts)))
    w.write([person(2, phone="5"), person(3)])
    w.directory.fail_next("fetch", answer)
    report, plan = await w.run()
    assert "could not be asked for" in report.results[1].error or str(answer) in report.results[1].error
    assert [kind for kind, _, _ in planned(plan)] == ([] if stopped else ["update"])
    assert w.account(mail(2)).get("phone") == (None if stopped else "5"), "a connection that refuses us is left alone at once"


async def test_nothing_is_created_at_a_target_that_was_never_listed_to_its_end(world: MakeWorld) -> None:
    w = world()
    w.write(people(1))
    w.directory.add("x", userName="stranger")
    w.directory.add("y", userName="stranger 2")
    w.directory.cut = 1
    report, plan = await w.run()
    assert (report.failed, planned(plan), writes(w)) == (True, [], [])
