"""The plan as a whole: its counts, its requests, its digest, and what a selection leaves out."""

from __future__ import annotations

from datetime import timedelta

import pytest

from syncd.connectors.base import Connector
from syncd.model import Rate
from tests.engine.worlds import NOTHING, MakeWorld, mail, people, source, target, write, writes
from tests.world import LIMITS, person, planned

pytestmark = pytest.mark.anyio


async def test_a_plan_counts_all_it_decided_and_sends_what_passed(world: MakeWorld) -> None:
    w = world(limits=LIMITS, target=target("delete"))
    w.write(people(*range(1, 11)))
    await w.run()
    w.write([person(1, phone="5"), *people(2, 3, 4, 5, 6, 7, 11)])
    report, plan = await w.run("plan")
    people_, app = plan.connections
    assert (people_.counts, people_.held) == (NOTHING, 0)
    assert (app.counts, app.held, app.requests) == ({**NOTHING, "create": 1, "update": 1, "delete": 3}, 3, 2)
    assert (plan.passed, plan.first_contacts, len(list(plan.changes()))) == (2, (), 5)
    assert (report.mode, report.declined, report.results[1].applied) == ("plan", False, NOTHING)
    assert [method for method, _ in writes(w)] == ["create"] * 10


async def test_the_time_a_plan_takes_follows_the_latency_that_was_seen(world: MakeWorld) -> None:
    def slow(connector: Connector) -> Connector:
        connector.meter.seconds = 0.5
        return connector

    w = world(adapt=slow, concurrency=2)
    w.write(people(*range(1, 9)))
    await w.run(yes=False)
    w.write(people(1, 2))
    await w.run()
    w.write(people(*range(1, 9)))
    _, plan = await w.run("plan")
    assert (plan.connections[1].requests, plan.connections[1].eta_seconds) == (6, 1.5)
    assert Rate().per_second is None


async def test_the_digest_says_whether_two_plans_do_the_same(world: MakeWorld) -> None:
    w = world()
    w.write(people(1))
    await w.run()
    w.write(people(1, 2))
    _, first = await w.run("plan")
    w.clock.pass_time(timedelta(minutes=5))
    _, second = await w.run("plan")
    assert (first.digest == second.digest, first.run == second.run, first.created < second.created) == (True, False, True)
    w.write(people(1, 2, 3))
    _, third = await w.run("plan")
    assert third.digest != second.digest


async def test_a_change_keeps_its_id_until_its_account_moves_or_a_write_settles(world: MakeWorld) -> None:
    w = world(target=target("delete", drift="report"))
    w.write(people(1))
    await w.run()

    async def planned_id() -> str:
        _, plan = await w.run("plan")
        (row,) = plan.changes()
        return str(row.id)

    w.account(mail(1))["title"] = "x"
    first = await planned_id()
    assert await planned_id() == first
    w.account(mail(1))["title"] = "y"
    second = await planned_id()
    assert second != first
    w.release()
    await w.run("plan")
    w.release()
    await w.run()
    w.account(mail(1))["title"] = "y"
    assert await planned_id() not in (first, second), "the same difference after a write is another change"


async def test_only_the_selected_connections_are_read_planned_and_reported(world: MakeWorld) -> None:
    w = world()
    w.extra = [source(w, "hr")]
    w.write(people(1))
    write(w, "hr", [{**person(2), "employeeNumber": "h2"}])
    await w.run()
    w.write(people(1, 3))
    write(w, "hr", [])
    report, plan = await w.run(selection=["people", "app"])
    assert [one.name for one in plan.connections] == [result.name for result in report.results] == ["people", "app"]
    assert planned(plan) == [("create", mail(3), "")]
    report, plan = await w.run(selection=["hr"])
    assert ([one.name for one in plan.connections], planned(plan)) == (["hr"], [])
    assert len(w.directory.accounts) == 3


async def test_a_run_is_converged_only_when_nothing_failed_waits_or_is_left(world: MakeWorld) -> None:
    w = world()
    w.write(people(1))
    report, _ = await w.run(yes=False)
    assert (report.converged, report.waiting, report.declined) == (False, True, True)
    report, _ = await w.run()
    assert (report.converged, report.waiting, report.failed) == (True, False, False)
    w.people_file.unlink()
    report, _ = await w.run()
    assert (report.converged, report.failed) == (False, True)
    assert w.store.rows("SELECT report, finished IS NOT NULL AS done FROM run ORDER BY id") == [("", 1), ("converged", 1), ("", 1)]
