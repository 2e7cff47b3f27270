"""Wherever a listing is cut off, however often, and whatever moves between the halves: nobody who is there is taken for gone, and at rest
all is as if it had never been cut off."""

from __future__ import annotations

import asyncio
import copy
from collections.abc import Sequence
from unittest.mock import patch

from hypothesis import HealthCheck, example, given, settings
from hypothesis import strategies as st

from syncd.connectors.memory import MemoryConnector
from syncd.engine import resuming
from syncd.errors import Quarantined, Retryable
from syncd.store import stretches
from tests.engine.cut_off import cut
from tests.engine.test_crash_points import Crash
from tests.engine.worlds import Template, mail, people, target
from tests.world import World

ERRORS = {"crash": Crash, "unreachable": Retryable, "refused": Quarantined}
WHO = [f"s{number:02}" for number in range(12)]
moves = st.lists(st.tuples(st.sampled_from(["add", "remove", "change"]), st.sampled_from(WHO)), max_size=5)
cuts = st.lists(st.tuples(st.sampled_from(sorted(ERRORS)), st.integers(1, 7), moves), min_size=1, max_size=3)
some = settings(max_examples=25, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture, HealthCheck.too_slow])


Interruption = tuple[str, int, list[tuple[str, str]]]
"""How, at which page, what moves afterwards."""


def move(world: World, what: Sequence[tuple[str, str]]) -> None:
    accounts = world.directory.accounts
    for how, id in what:
        if how == "add":
            accounts.setdefault(id, {"userName": id})
        elif how == "remove":
            accounts.pop(id, None)
        elif id in accounts:
            accounts[id]["title"] = f"{accounts[id].get('title', '')}x"


def taken_for_gone(world: World) -> list[str]:
    rows = world.store.rows("SELECT account FROM account WHERE connection = 'app' AND gone_at IS NOT NULL")
    return [row.account for row in rows if row.account in world.directory.accounts]


def known(world: World) -> dict[str, tuple[object, ...]]:
    """What the store says of all that exist, apart from how it came to know it."""
    text = "SELECT account, document, ignored, container FROM account WHERE connection = 'app' AND gone_at IS NULL"
    return {row.account: (row.document, row.ignored, row.container) for row in world.store.rows(text)}


async def story(world: World, start: Sequence[str], sealed: bool, interruptions: Sequence[Interruption]) -> None:
    world.write(people(1, 2, 3))
    move(world, [("add", id) for id in start])
    if sealed:
        await world.run()
    for how, at, meanwhile in interruptions:
        await cut(world, ERRORS[how]("cut off"), at)
        assert taken_for_gone(world) == []
        move(world, meanwhile)
    world.memory = MemoryConnector
    report, _ = await world.run()
    assert (report.results[1].error, taken_for_gone(world)) == ("", [])
    assert stretches.last(world.store, "app") is None


@some
@given(start=st.sets(st.sampled_from(WHO)).map(sorted), sealed=st.booleans(), interruptions=cuts)
@example(start=WHO, sealed=True, interruptions=[("crash", 4, [("remove", "s01"), ("add", "s01"), ("remove", "s11")])])
@example(start=WHO, sealed=False, interruptions=[("unreachable", 5, [("remove", id) for id in WHO[4:9]])])
def test_a_joined_listing_is_worth_one_in_one_go(
    template: Template, start: list[str], sealed: bool, interruptions: list[Interruption]
) -> None:
    with template.temporary(resumes=True, page=2, target=target("delete")) as w, patch.object(resuming, "EVERY", 0.0):
        asyncio.run(story(w, start, sealed, interruptions))
        asyncio.run(w.run("full"))
        report, _ = asyncio.run(w.run("full"))
        assert (report.converged, w.verify()) == (True, [])
        assert sorted(one["userName"] for one in w.directory.accounts.values() if "@" in one["userName"]) == [mail(n) for n in (1, 2, 3)]
        with template.temporary(page=2, target=target("delete")) as other:
            other.write(people(1, 2, 3))
            other.directory.accounts.update(copy.deepcopy(w.directory.accounts))
            for _ in range(2):
                asyncio.run(other.run("full"))
            assert known(other) == known(w)
