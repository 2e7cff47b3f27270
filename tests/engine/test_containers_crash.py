"""A process that dies anywhere between a container and the people in it: nothing is doubled, and the next run goes on."""

from __future__ import annotations

from collections import Counter
from datetime import timedelta

import pytest

from tests.engine.test_crash_points import POINTS, Mortal, die
from tests.engine.town import living, ours, rests, settled, town
from tests.engine.worlds import MakeWorld, mail, names, writes
from tests.world import World

pytestmark = pytest.mark.anyio
STEPS = 8
"""Tenants south and east, their people, the removal of p1 and p2 and of tenant north, and a name."""


async def small(world: MakeWorld) -> World:
    """p1 and p2 leave, and their tenant with them; p3 moves to a new one, p4 comes to another; the one that p5 stays in is renamed."""
    w = await settled(world, *living(1, 2), *living(3, 5, tenant="west"))
    town(w).named = {"tenant": {"west": {"name": "The West"}}}
    w.write([*living(3, tenant="south"), *living(4, tenant="east"), *living(5, tenant="west")])
    return w


async def ends_well(w: World) -> None:
    w.clock.pass_time(timedelta(minutes=1))
    await w.run()
    await rests(w)
    assert names(w) == {mail(3), mail(4), mail(5)}
    assert {who: w.account(mail(who))["tenant"] for who in (3, 4, 5)} == {3: "south", 4: "east", 5: "west"}
    assert town(w).ids("tenant") == {"south", "east", "west"} and all(ours(w, "tenant", id) for id in ("south", "east", "west"))
    assert town(w).found["tenant", "west"]["name"] == "The West"
    assert max(Counter(step for step in writes(w) if step[0] == "create").values()) == 1


async def test_every_point_is_reached_once_a_step(world: MakeWorld) -> None:
    w = await small(world)
    counting = Mortal()
    counting.at, counting.elapsed = w.clock.at, w.clock.elapsed
    w.clock = counting
    await w.run()
    assert counting.reached_points == {"after_cursor": 2, **dict.fromkeys(POINTS[1:], STEPS)}


@pytest.mark.parametrize("point", POINTS[1:])
async def test_after_a_crash_at_any_point_of_any_step_all_goes_on(world: MakeWorld, point: str) -> None:
    for count in range(1, STEPS + 1):
        w = await small(world)
        assert await die(w, point, count), (point, count)
        await ends_well(w)
