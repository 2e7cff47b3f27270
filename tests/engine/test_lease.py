"""One writer a connection: who comes second waits, and who lost the lease sends nothing more."""

from __future__ import annotations

import asyncio
from datetime import timedelta
from typing import Any

import pytest

from syncd.connectors.base import granted
from syncd.connectors.memory import MemoryConnector
from syncd.errors import Busy
from syncd.model import Account, Step
from syncd.store import Store, lease
from tests import stores
from tests.engine.worlds import MakeWorld, people, target, writes
from tests.world import Clock, World

pytestmark = pytest.mark.anyio


class Gate:
    """Holds every write of one run, already on its way, until it is opened; ``reached`` is set when the first one stands before it."""

    def __init__(self) -> None:
        self.reached, self.opened = asyncio.Event(), asyncio.Event()

    @property
    def memory(self) -> type[MemoryConnector]:
        gate = self

        class Gated(MemoryConnector):
            async def perform(self, step: Step) -> Account | None:
                self.permit()
                gate.reached.set()
                await gate.opened.wait()
                self.permit = granted
                return await super().perform(step)

        return Gated


def rival(world: World, **options: Any) -> World:
    """A second process on the same store, directory and clock."""
    return World(world.root, clock=world.clock, lease=world.lease, **options)


async def test_the_second_of_two_runs_waits_30_seconds_and_gives_up_with_75(world: MakeWorld) -> None:
    w, gate = world(lease=timedelta(minutes=5)), Gate()
    w.write(people(1, 2))
    w.memory = gate.memory
    first = asyncio.create_task(w.run())
    await gate.reached.wait()
    second, before = rival(w), w.clock.monotonic()
    with pytest.raises(Busy, match="app: another run holds its lease and did not finish within 30 s") as caught:
        await second.run()
    assert caught.value.exit_code == 75
    assert 30 <= w.clock.monotonic() - before < 31
    assert second.store.value("SELECT COUNT(*) FROM run") == 1
    gate.opened.set()
    report, _ = await first
    assert (report.converged, len(w.directory.accounts)) == (True, 2)
    report, _ = await second.run()
    assert report.converged, "the lease was given back"
    second.close()


async def test_who_waits_goes_on_as_soon_as_the_first_is_done(world: MakeWorld) -> None:
    w, gate = world(lease=timedelta(minutes=5)), Gate()
    w.write(people(1, 2))
    w.memory = gate.memory
    first = asyncio.create_task(w.run())
    await gate.reached.wait()
    second = rival(w)
    waiting = asyncio.create_task(second.run())
    gate.opened.set()
    await first
    report, _ = await waiting
    assert (report.converged, len(writes(w))) == (True, 2)
    second.close()


async def test_a_run_whose_lease_was_taken_over_sends_nothing_more(world: MakeWorld) -> None:
    """The first run stands still beyond its lease, in the middle of four requests; another does the work meanwhile."""
    patient = target(settle=timedelta(minutes=1))
    w, gate = world(lease=timedelta(seconds=10), target=patient), Gate()
    w.write(people(*range(1, 20)))
    w.memory = gate.memory
    first = asyncio.create_task(w.run())
    await gate.reached.wait()
    await asyncio.sleep(0)
    second = rival(w, target=patient)
    w.clock.pass_time(timedelta(seconds=11))
    report, _ = await second.run()
    done = len(w.directory.accounts)
    assert done == 15, "four requests of the first are on their way: in doubt, not sent again"
    gate.opened.set()
    report, _ = await first
    app = report.results[1]
    assert "the lease was lost to another run, nothing more is sent from here" in app.error
    assert app.applied["create"] <= 4
    assert len(w.directory.accounts) == 19
    names = [account["userName"] for account in w.directory.accounts.values()]
    assert len(set(names)) == 19
    w.clock.pass_time(timedelta(seconds=60))
    report, _ = await second.run()
    assert (report.converged, len(w.directory.accounts), second.verify()) == (True, 19, [])
    second.close()


async def test_a_request_that_has_not_left_when_the_lease_is_taken_over_never_leaves(world: MakeWorld) -> None:
    """It waits for its turn behind its intent, as after a refusal for pace, while another run does all the work and is done."""
    reached, opened = asyncio.Event(), asyncio.Event()

    class Waiting(MemoryConnector):
        async def perform(self, step: Step) -> Account | None:
            reached.set()
            await opened.wait()
            return await super().perform(step)

    w = world(lease=timedelta(minutes=5), target=target(settle=timedelta(0)), memory=Waiting)
    w.write(people(1))
    first = asyncio.create_task(w.run())
    await reached.wait()
    with w.store.transaction():
        w.store.run("UPDATE lease SET token = token + 1, holder = 'another'")
    opened.set()
    report, _ = await first
    assert report.results[1].error == "app: the lease was lost to another run, nothing more is sent from here"
    assert (writes(w), report.results[1].in_doubt) == ([], 0)


async def test_a_run_that_stood_still_between_its_intent_and_the_request_sends_nothing(world: MakeWorld) -> None:
    """The process was stopped there for longer than its lease, and nobody came: it cannot know, and begins anew in the next run."""

    class Stopped(Clock):
        def reached(self, point: str) -> None:
            if point == "after_intent":
                self.pass_time(timedelta(seconds=10))

    w = world(clock=Stopped(), lease=timedelta(seconds=10), target=target(settle=timedelta(seconds=1)))
    w.write(people(1))
    report, _ = await w.run()
    assert (writes(w), report.results[1].in_doubt) == ([], 0)
    assert report.results[1].error == "app: this run did not renew its lease in time, nothing more is sent from here"
    assert not report.results[1].broken, "nothing is wrong with the connection"
    assert lease.run_out(w.store, w.clock.now()) == {"app"}, "and whoever comes first goes on with it"
    w.clock = Clock(w.clock.now())
    report, _ = await w.run()
    assert (report.converged, len(writes(w))) == (True, 1)


async def test_the_lease_is_kept_alive_beside_the_work(world: MakeWorld) -> None:
    """The keeper runs on real time, a third of the lease: 20 ms here."""
    w, gate = world(lease=timedelta(seconds=0.06)), Gate()
    w.write(people(1))
    w.memory = gate.memory
    first = asyncio.create_task(w.run())
    await gate.reached.wait()
    before = w.store.value("SELECT until FROM lease WHERE connection = 'app'")
    w.clock.pass_time(timedelta(seconds=0.05))
    while w.store.value("SELECT until FROM lease WHERE connection = 'app'") == before:
        await asyncio.sleep(0.005)
    gate.opened.set()
    report, _ = await first
    assert report.converged


async def test_the_sources_are_leased_too_though_only_a_target_is_selected(world: MakeWorld) -> None:
    w = world()
    w.write(people(1))
    await w.run()
    tokens = lease.acquire(w.store, ["people"], "somebody", w.clock.now(), timedelta(hours=1))
    assert isinstance(tokens, dict)
    with pytest.raises(Busy, match=r"^people: "):
        await w.run(selection=["app"], wait=1.0)
    lease.release(w.store, tokens)
    report, _ = await w.run(selection=["app"])
    assert [result.name for result in report.results] == ["app"]


async def test_the_lease_of_a_run_that_died_is_free_after_its_time(world: MakeWorld) -> None:
    w = world()
    w.write(people(1))
    lease.acquire(w.store, ["app", "people"], "a dead process", w.clock.now(), timedelta(seconds=10))
    report, _ = await w.run()
    assert (report.converged, w.clock.monotonic() >= 10) == (True, True)


async def test_a_failing_run_gives_its_lease_back(world: MakeWorld) -> None:
    w = world()
    w.write(people(1))

    class Broken(MemoryConnector):
        async def list(self, *args: Any) -> Any:
            raise ZeroDivisionError

    w.memory = Broken
    with pytest.raises(ZeroDivisionError):
        await w.run()
    assert lease.acquire(Store(stores.url(w.root)), ["app"], "next", w.clock.now(), timedelta(seconds=1)) != "app"
