"""A process that dies at any point of any step: afterwards there is exactly one account a person, and nothing is lost."""

from __future__ import annotations

import asyncio
import copy
from datetime import timedelta
from typing import Any

import pytest

from tests.engine.worlds import MakeWorld, mail, people, target
from tests.world import Clock, World, person

pytestmark = pytest.mark.anyio
POINTS = ("after_cursor", "before_intent", "after_intent", "after_send", "after_settle")


class Crash(BaseException):
    """The end of a process: no handler for errors sees it."""


class Mortal(Clock):
    """Dies at the ``count``-th time that ``point`` is reached, and lets nobody get any further."""

    def __init__(self, point: str = "", count: int = 0) -> None:
        super().__init__()
        self.point, self.left, self.reached_points = point, count, dict.fromkeys(POINTS, 0)

    def reached(self, point: str) -> None:
        self.reached_points[point] += 1
        if point == self.point:
            self.left -= 1
        if self.point and self.left <= 0:
            raise Crash(point)


async def die(world: World, point: str, count: int) -> bool:
    """One run that ends at a crash; False when it was over before. What was still on its way is gone with the process."""
    mortal = Mortal(point, count)
    mortal.at, mortal.elapsed = world.clock.at, world.clock.elapsed
    world.clock, survivor = mortal, world.clock
    before = asyncio.all_tasks()
    try:
        await world.run()
        return False
    except Crash:
        return True
    finally:
        left = asyncio.all_tasks() - before
        for task in left:
            task.cancel()
        await asyncio.gather(*left, return_exceptions=True)
        survivor.at, survivor.elapsed = mortal.at, mortal.elapsed
        world.clock = survivor
        world.close()
        world.open()


async def small(world: MakeWorld) -> World:
    """p1 is renamed, p3 leaves, p4 and p5 are new, p6 is adopted; p2 stays."""
    w = world(target=target("delete"))
    w.write(people(1, 2, 3))
    await w.run()
    w.clock.pass_time(timedelta(minutes=1))
    w.directory.add("x", userName=mail(6))
    w.write([person(1, name="Renamed"), *people(2, 4, 5, 6)])
    return w


def expected(world: World) -> dict[str, Any]:
    return {account["userName"]: account["displayName"] for account in world.directory.accounts.values()}


async def finish(world: World) -> None:
    """At most two runs and the settle window."""
    world.clock.pass_time(timedelta(minutes=1))
    await world.run()
    report, _ = await world.run()
    assert report.converged, report


WANTED = {mail(1): "Renamed", mail(2): "Person 2", mail(4): "Person 4", mail(5): "Person 5", mail(6): "Person 6"}


async def test_every_point_is_reached_once_a_step(world: MakeWorld) -> None:
    """So that the next test leaves none out: 5 changes, and the staging of each of the two listings."""
    w = await small(world)
    counting = Mortal()
    counting.at, counting.elapsed = w.clock.at, w.clock.elapsed
    w.clock = counting
    await w.run()
    assert counting.reached_points == {"after_cursor": 2, "before_intent": 5, "after_intent": 5, "after_send": 5, "after_settle": 5}


@pytest.mark.parametrize("point", POINTS)
async def test_after_a_crash_at_any_point_of_any_step_there_is_one_account_a_person(world: MakeWorld, point: str) -> None:
    for count in range(1, 6 if point != "after_cursor" else 3):
        w = await small(world)
        assert await die(w, point, count), (point, count)
        await finish(w)
        assert expected(w) == WANTED, (point, count)
        assert len(w.directory.accounts) == 5
        assert w.verify() == []


@pytest.mark.parametrize("point", POINTS[1:])
async def test_a_first_plan_that_died_goes_on_without_being_asked_again(world: MakeWorld, point: str) -> None:
    w = world()
    w.write(people(*range(1, 6)))
    assert await die(w, point, 3)
    w.clock.pass_time(timedelta(minutes=1))
    report, plan = await w.run()
    assert all(row.released or row.kind == "adopt" for row in plan.changes())
    report, _ = await w.run()
    assert (report.converged, len(w.directory.accounts), w.verify()) == (True, 5, [])


async def test_dying_over_and_over_again_still_ends_well(world: MakeWorld) -> None:
    w = await small(world)
    stranger = w.directory.add("s", userName="stranger")
    before = copy.deepcopy(w.directory.accounts[stranger])
    for point in (*POINTS, *POINTS):
        await die(w, point, 2)
        w.clock.pass_time(timedelta(seconds=20))
    await finish(w)
    assert w.directory.accounts.pop(stranger) == before
    assert (expected(w), w.verify()) == (WANTED, [])
