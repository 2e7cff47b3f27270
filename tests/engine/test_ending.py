"""A process that is asked to end begins nothing new; what is under way is finished and written down, and the next run does the rest."""

from __future__ import annotations

from typing import Any

import pytest

from syncd.connectors.memory import MemoryConnector
from syncd.engine.context import Context
from syncd.errors import Busy, Ending
from syncd.model import Account, Gone, Page, Ref, Step, Unknown
from syncd.store import connections, journal, lease
from tests.engine.worlds import MakeWorld, names, people, settle, writes
from tests.world import World

pytestmark = pytest.mark.anyio


def ending_at(world: World, method: str, count: int) -> type[MemoryConnector]:
    """A connector whose process is asked to end while the ``count``th call of ``method`` is under way."""
    left = [count]

    class Ended(MemoryConnector):
        def reached(self) -> None:
            left[0] -= 1
            if left[0] == 0:
                world.clock.end()

        async def perform(self, step: Step) -> Account | None:
            answer = await super().perform(step)
            if method == "perform":
                self.reached()
            return answer

        async def list(self, *given: Any) -> Page:
            page = await super().list(*given)
            if method == "list":
                self.reached()
            return page

    return Ended


def open_again(world: World) -> None:
    """The next process."""
    world.memory = MemoryConnector
    world.clock.ending = False


@pytest.mark.parametrize("concurrency", [1, 4])
async def test_no_step_begins_and_those_under_way_are_settled(world: MakeWorld, concurrency: int) -> None:
    w = world(concurrency=concurrency)
    w.write(people(*range(1, 41)))
    w.memory = ending_at(w, "perform", 10)
    report, _ = await w.run()
    sent = len(writes(w))
    assert 10 <= sent <= 10 + concurrency - 1 and not report.converged
    tally = journal.tally(w.store, report.run, "app", "state")
    assert tally.get("applied") == sent and tally.get("applied", 0) + tally.get("skipped", 0) + tally.get("retry", 0) == 40
    intents = int(w.store.value("SELECT COUNT(*) FROM step"))
    assert intents == sent if concurrency == 1 else intents <= sent + concurrency
    assert not journal.open_steps(w.store, "app") and lease.run_out(w.store, w.clock.now()) == {"app"}, "others are to go on with it"
    assert isinstance(lease.acquire(w.store, ["app", "people"], "next", w.clock.now(), w.lease), dict), "the leases were given back"
    w.store.run("UPDATE lease SET until = ''")
    open_again(w)
    report, _ = await w.run()
    assert report.converged and len(names(w)) == len(writes(w)) == 40


async def test_a_listing_that_was_cut_short_proves_nothing(world: MakeWorld) -> None:
    """Nobody left because the second page was not asked for."""
    w = world()
    await settle(w, *people(*range(1, 4)))
    for number in range(300):
        w.directory.add(userName=f"stranger{number}")
    w.memory = ending_at(w, "list", 1)
    report, _ = await w.run()
    app = next(one for one in report.results if one.name == "app")
    assert "asked to end" in app.error and not app.broken
    known = connections.row(w.store, "app")
    assert known is not None and not known.complete and not known.failures
    open_again(w)
    report, _ = await w.run()
    assert report.converged and len(writes(w)) == 3


async def test_not_everybody_who_is_missing_is_asked_for(world: MakeWorld) -> None:
    w = world(concurrency=4)
    await settle(w, *people(*range(1, 41)))
    before = set(w.directory.accounts)
    w.directory.accounts.clear()
    asked: list[str] = []

    class Asked(MemoryConnector):
        async def fetch(self, ref: Ref) -> Account | Gone | Unknown:
            asked.append(ref.id)
            w.clock.end()
            return await super().fetch(ref)

    w.memory = Asked
    await w.run()
    assert 1 <= len(asked) <= 4 and len(before) == 40
    assert not w.store.value("SELECT COUNT(*) FROM account WHERE gone_at IS NOT NULL"), "nobody is taken for gone"


async def test_who_waits_for_a_lease_stops_waiting(world: MakeWorld) -> None:
    w = world()
    w.write(people(1))
    lease.acquire(w.store, ["app"], "elsewhere", w.clock.now(), w.lease)
    w.clock.end()
    before = w.clock.monotonic()
    with pytest.raises(Busy) as caught:
        await w.run()
    assert caught.value.connection == "app" and w.clock.monotonic() == before


async def test_the_last_door_is_closed(world: MakeWorld) -> None:
    """Asked by the connector right before an unsafe request."""
    w = world()
    w.write(people(1))
    await w.run()
    landscape = w.landscape()
    context = Context(w.clock, w.store, landscape, w.connected(landscape, writable=True), ["app"])
    got = lease.acquire(w.store, ["app"], "here", w.clock.now(), w.lease)
    assert isinstance(got, dict)
    context.tokens, context.held_at = got, w.clock.monotonic()
    context.permit("app")
    w.clock.end()
    with pytest.raises(Ending):
        context.permit("app")
