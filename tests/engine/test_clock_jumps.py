"""A clock that jumps, by a year or within a run, deletes nobody early and runs nothing twice; whoever runs seldom is not troubled."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta

import pytest

from tests.engine.worlds import MakeWorld, mail, people, settle, states, target
from tests.world import Clock, World, planned

pytestmark = pytest.mark.anyio

YEAR, WEEK, DAY = timedelta(days=365), timedelta(days=7), timedelta(days=1)


async def leaver(make: MakeWorld, **options: object) -> World:
    """Person 1 left just now and is to be deleted in a week."""
    w = make(target=target("delete", grace=WEEK), **options)
    await settle(w, *people(1, 2))
    w.write(people(2))
    await w.run()
    assert states(w)[mail(1)] == "grace"
    return w


async def deleted_after(w: World, step: timedelta, most: int = 20) -> timedelta:
    """How long the runs, a ``step`` apart, took to delete person 1."""
    for number in range(1, most):
        w.clock.pass_time(step)
        _, plan = await w.run()
        if planned(plan):
            assert planned(plan) == [("delete", mail(1), "")]
            return number * step
    raise AssertionError("never")


async def test_a_clock_that_jumps_a_year_ahead_ends_no_grace(world: MakeWorld) -> None:
    w = await leaver(world)
    w.clock.pass_time(2 * DAY)
    await w.run()
    w.clock.at += YEAR
    report, plan = await w.run()
    assert (planned(plan), report.converged, w.verify()) == ([], True, [])
    (note,) = plan.notes
    assert "the clock stands 365 days after the last run: 1 account waits for deletion as long as at that run" in note
    assert await deleted_after(w, DAY) == 5 * DAY
    assert w.verify() == []


async def test_a_clock_that_is_put_right_again_neither_shortens_nor_lengthens_the_grace(world: MakeWorld) -> None:
    w = await leaver(world)
    for jump in (YEAR, -YEAR):
        w.clock.at += jump
        _, plan = await w.run()
        assert len(plan.notes) == 1
    assert await deleted_after(w, DAY) == 7 * DAY


async def test_who_left_while_the_clock_was_ahead_is_deleted_a_week_later_by_the_right_clock(world: MakeWorld) -> None:
    w = world(target=target("delete", grace=WEEK), clock=Clock(datetime(2027, 1, 1, tzinfo=UTC)))
    await settle(w, *people(1, 2))
    w.write(people(2))
    await w.run()
    w.clock.at -= YEAR
    _, plan = await w.run()
    assert "365 days before the last run" in plan.notes[0]
    assert await deleted_after(w, DAY) == 7 * DAY


async def test_a_jump_that_concerns_nobody_is_not_mentioned(world: MakeWorld) -> None:
    w = world()
    await settle(w, *people(1))
    w.clock.at += YEAR
    report, plan = await w.run()
    assert (plan.notes, report.converged) == ((), True)


@pytest.mark.parametrize(("step", "after"), [(DAY, 7 * DAY), (WEEK, WEEK), (2 * WEEK, 2 * WEEK), (8 * DAY, 8 * DAY)])
async def test_runs_a_day_or_a_week_apart_are_believed(world: MakeWorld, step: timedelta, after: timedelta) -> None:
    w = await leaver(world)
    assert await deleted_after(w, step) == after


async def test_whoever_runs_each_quarter_waits_for_one_run_more_the_first_time(world: MakeWorld) -> None:
    w = await leaver(world)
    assert await deleted_after(w, 91 * DAY) == 182 * DAY


async def test_replicas_whose_clocks_differ_by_seconds_win_no_time(world: MakeWorld) -> None:
    w = await leaver(world)
    for _ in range(7 * 2 - 1):
        w.clock.pass_time(DAY / 2)
        for skew in (timedelta(minutes=59), -timedelta(minutes=59)):
            w.clock.at += skew
            _, plan = await w.run()
            assert (planned(plan), plan.notes) == ([], ())
    w.clock.pass_time(DAY / 2)
    _, plan = await w.run()
    assert planned(plan) == [("delete", mail(1), "")]


async def test_a_clock_that_jumps_within_a_run_ends_no_grace(world: MakeWorld) -> None:
    """It jumps between the reading and the plan of the same run, and stays so."""

    class Jumping(Clock):
        armed = False

        def reached(self, point: str) -> None:
            if self.armed and point == "after_cursor":
                self.armed, self.at = False, self.at + YEAR

    w = await leaver(world, clock=Jumping())
    assert isinstance(w.clock, Jumping)
    w.clock.armed = True
    w.write(people(2, 3))
    _, plan = await w.run()
    assert [row for row in planned(plan) if row[0] == "delete"] == []
    _, plan = await w.run()
    assert planned(plan) == []
    assert await deleted_after(w, DAY) == 7 * DAY
