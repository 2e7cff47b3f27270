"""A plan that waited long before it was sent: everything is read again, and what is not planned just so again is left to the next run."""

from __future__ import annotations

from collections.abc import Callable
from datetime import timedelta

import pytest

from syncd.core.evidence import STALE
from syncd.engine.planning import Plan
from syncd.engine.report import Report
from syncd.errors import Quarantined
from syncd.store import lease
from tests.engine.worlds import MakeWorld, established, mail, names, people, target, writes
from tests.world import World, person, planned

pytestmark = pytest.mark.anyio
OLD = STALE + timedelta(seconds=1)
LEASE = timedelta(days=1)
SKIPPED = "this changed since the plan was made: the next run plans it anew"


async def waited(world: MakeWorld, meanwhile: Callable[[World], object], duration: timedelta = OLD) -> tuple[World, Report, Plan]:
    """p1 changes, p2 leaves, p4 is new; ``meanwhile`` happens while the plan waits at the prompt."""
    w = await established(world, *people(1, 2, 3), lease=LEASE)
    w.write([person(1, phone="5"), person(3), person(4)])

    def wait() -> None:
        w.clock.pass_time(duration)
        meanwhile(w)

    report, plan = await w.run(meanwhile=wait)
    assert planned(plan) == [("create", mail(4), ""), ("delete", mail(2), ""), ("update", mail(1), "")]
    return w, report, plan


def listings(w: World) -> dict[str, int]:
    return {row.name: row.listing for row in w.store.rows("SELECT name, listing FROM connection")}


def skipped(w: World) -> list[tuple[str, str]]:
    return [(row.kind, row.error) for row in w.store.rows("SELECT kind, error FROM change WHERE state = 'skipped' ORDER BY kind")]


async def test_what_is_still_as_planned_is_sent_after_one_more_reading(world: MakeWorld) -> None:
    w, report, _ = await waited(world, lambda w: None)
    assert (report.converged, names(w), w.verify()) == (True, {mail(1), mail(3), mail(4)}, [])
    assert listings(w) == {"people": 3, "app": 3}


async def test_a_young_plan_is_sent_as_it_is(world: MakeWorld) -> None:
    w, report, _ = await waited(world, lambda w: w.write(people(1, 2, 3)), STALE)
    assert (report.converged, names(w)) == (True, {mail(1), mail(3), mail(4)})
    assert listings(w) == {"people": 2, "app": 2}


async def test_who_is_not_wanted_any_more_is_not_created(world: MakeWorld) -> None:
    w, report, _ = await waited(world, lambda w: w.write([person(1, phone="5"), person(3)]))
    assert (names(w), skipped(w), report.results[1].skipped) == ({mail(1), mail(3)}, [("create", SKIPPED)], 1)
    report, plan = await w.run()
    assert (planned(plan), report.converged) == ([], True)


async def test_a_value_that_changed_again_is_left_to_the_next_run(world: MakeWorld) -> None:
    w, _, _ = await waited(world, lambda w: w.write([person(1, phone="6"), person(3), person(4)]))
    assert ("phone" in w.account(mail(1)), skipped(w)) == (False, [("update", SKIPPED)])
    await w.run()
    assert w.account(mail(1))["phone"] == "6"


async def test_an_account_that_moved_is_left_to_the_next_run(world: MakeWorld) -> None:
    w, _, _ = await waited(world, lambda w: w.account(mail(1)).update(phone="7"))
    assert (w.account(mail(1))["phone"], skipped(w)) == ("7", [("update", SKIPPED)])
    await w.run()
    assert w.account(mail(1))["phone"] == "5"


async def test_an_account_that_somebody_else_made_meanwhile_is_not_doubled(world: MakeWorld) -> None:
    w, _, _ = await waited(world, lambda w: w.directory.add(userName=mail(4)))
    assert (len(w.directory.accounts), skipped(w)) == (3, [("create", SKIPPED)])
    _, plan = await w.run()
    assert [(kind, who) for kind, who, _ in planned(plan)] == [("adopt", mail(4))]


async def test_without_the_source_nobody_leaves_and_the_others_go_on(world: MakeWorld) -> None:
    w, report, _ = await waited(world, lambda w: w.people_file.unlink())
    assert names(w) == {mail(1), mail(2), mail(3), mail(4)}
    assert "evidence of absence could not be taken again (people: " in report.results[1].error


async def test_a_target_that_refuses_to_be_read_again_gets_nothing(world: MakeWorld) -> None:
    w, report, _ = await waited(world, lambda w: w.directory.fail_next("list", Quarantined("HTTP 401")))
    assert (names(w), report.results[1].error) == ({mail(1), mail(2), mail(3)}, "HTTP 401")
    assert {kind for kind, _ in skipped(w)} == {"create", "delete", "update"}


async def test_a_source_that_was_not_read_in_this_run_is_read_when_the_plan_is_old(world: MakeWorld) -> None:
    w = await established(world, *people(1, 2), lease=LEASE)
    w.write([person(1, phone="5"), person(2)])
    await w.run("plan")
    report, _ = await w.run(selection=["app"], meanwhile=lambda: (w.clock.pass_time(OLD), w.write(people(1, 2))))
    assert (report.results[0].skipped, "phone" in w.account(mail(1)), listings(w)) == (1, False, {"people": 3, "app": 4})


async def test_what_a_person_released_is_still_released(world: MakeWorld) -> None:
    rules = target("delete", on_key_change="replace")
    w = await established(world, person(1, login="ann"), read={"userName": "login"}, target=rules, lease=LEASE)
    w.write([person(1, login="anna", phone="5")])
    await w.run()
    w.release()
    report, plan = await w.run(meanwhile=lambda: w.clock.pass_time(OLD))
    assert planned(plan) == [("create", "anna", ""), ("delete", "anna", "")]
    assert (report.converged, names(w)) == (True, {"anna"})
    assert [method for method, _ in writes(w)] == ["create", "delete", "create"]


async def test_a_replacement_whose_person_changed_meanwhile_replaces_nothing(world: MakeWorld) -> None:
    rules = target("delete", on_key_change="replace")
    w = await established(world, person(1, login="ann"), read={"userName": "login"}, target=rules, lease=LEASE)
    w.write([person(1, login="anna")])
    await w.run()
    w.release()
    await w.run(meanwhile=lambda: (w.clock.pass_time(OLD), w.write([person(1, login="ann")])))
    assert (names(w), len(writes(w))) == ({"ann"}, 1)


async def test_a_run_that_lost_its_lease_meanwhile_reads_and_sends_nothing(world: MakeWorld) -> None:
    w = await established(world, *people(1, 2))
    w.write(people(1, 2, 3))

    def overtake() -> None:
        w.clock.pass_time(OLD)
        lease.acquire(w.store, ["app"], "another", w.clock.now(), LEASE)

    report, _ = await w.run(meanwhile=overtake)
    assert (len(writes(w)), listings(w)) == (2, {"people": 2, "app": 2})
    assert "the lease was lost to another run" in report.results[1].error


async def test_a_run_that_slept_through_its_lease_goes_on_if_nobody_took_it(world: MakeWorld) -> None:
    w = await established(world, *people(1, 2))
    w.write(people(1, 2, 3))
    report, _ = await w.run(meanwhile=lambda: w.clock.pass_time(OLD))
    assert (report.converged, len(writes(w))) == (True, 3)
