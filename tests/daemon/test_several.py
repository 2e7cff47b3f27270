"""Several cycles at a time: no target waits for another, people are read by one of them only, and what was left elsewhere is taken up."""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from datetime import timedelta
from typing import Any

import pytest
import structlog

from syncd.connectors.file import FileConnector
from syncd.connectors.memory import MemoryConnector
from syncd.connectors.memory_directory import MemoryDirectory
from syncd.daemon import rounds
from syncd.model import Account, Health, Rate, Step
from syncd.store import Store, connections, lease
from tests.daemon.conftest import MakeDesk
from tests.daemon.desk import STEADY, Desk

pytestmark = pytest.mark.anyio
SLOW = "{every: 2h, jitter: 0s}"
BESIDE = """\
  other:
    connector: memory
    directory: {directory}-beside
    write: {{deprovision: {{departed: delete, grace: 0s}}}}
    schedule: {schedule}
"""


class Gate:
    """Holds one thing that connectors do at the target ``app`` until it is opened."""

    def __init__(self, patch: pytest.MonkeyPatch, one: Desk, what: str) -> None:
        self.reached, self.opened, done = asyncio.Event(), asyncio.Event(), getattr(MemoryConnector, what)

        async def gated(connector: MemoryConnector, *given: Any) -> Any:
            if connector.directory is one.directory and not self.opened.is_set():
                self.reached.set()
                await self.opened.wait()
            return await done(connector, *given)

        patch.setattr(MemoryConnector, what, gated)


@pytest.fixture
async def two(desk: MakeDesk) -> Desk:
    """Two targets in step, each of one person."""
    return await settled(desk)


async def settled(desk: MakeDesk, app: str = STEADY, other: str = STEADY) -> Desk:
    one = desk(app=app)
    one.more = BESIDE.format(directory=one.root, schedule=other) + "store: {lease: 3h}"
    one.save()
    one.restart()
    await one.settle(1)
    return one


def beside(one: Desk) -> int:
    return len(MemoryDirectory.named(f"{one.root}-beside").accounts)


async def until(one: Desk, done: Callable[[], object]) -> None:
    """Ticks, and whatever runs meanwhile; no cycle is waited for."""
    for _ in range(2000):
        if done():
            return
        one.clock.pass_time(timedelta(seconds=1))
        await one.rounds.tick()
        for _ in range(20):
            await asyncio.sleep(0)
    raise AssertionError("it never came")


def all_due(one: Desk) -> None:
    for name in ("people", "app", "other"):
        one.rounds.duties.at_once(name)
    one.rounds.duties.moved()


async def runs(one: Desk) -> int:
    """How many it takes when all are due at once."""
    all_due(one)
    before = one.runs
    await one.wait(seconds=3)
    return one.runs - before


@pytest.mark.parametrize("what", ["perform", "list"])
async def test_while_one_target_is_slow_the_other_goes_on(two: Desk, monkeypatch: pytest.MonkeyPatch, what: str) -> None:
    one = two
    one.rounds._slow.add("app")  # its last listing took long
    gate = Gate(monkeypatch, one, what)
    one.hire(1, 2)
    await until(one, gate.reached.is_set)
    await until(one, lambda: beside(one) == 2)
    for more in (3, 4):
        one.hire(*range(1, more + 1))
        await until(one, lambda more=more: beside(one) == more)
        assert "app" in one.rounds.working and len(one.directory.accounts) == 1
    gate.opened.set()
    await until(one, lambda: len(one.directory.accounts) == 4 and not one.rounds.working)


async def test_those_who_are_due_together_go_together(two: Desk) -> None:
    """One run reads the source once, however many targets there are."""
    assert await runs(two) == 1


async def test_who_becomes_due_while_another_is_planned_goes_with_whoever_else_is(two: Desk) -> None:
    one, before = two, two.runs
    await one.rounds._turn.acquire()
    for name in ("people", "app", "other"):
        one.rounds.duties.at_once(name)
        one.rounds.duties.moved()
        await one.rounds.tick()
    assert not one.rounds.working
    one.rounds._turn.release()
    await one.tick()
    assert one.runs == before + 1


async def test_whose_listing_took_long_goes_alone_from_then_on(two: Desk, monkeypatch: pytest.MonkeyPatch) -> None:
    one, listed = two, MemoryConnector.list

    async def slow(connector: MemoryConnector, *given: Any) -> Any:
        if connector.directory is one.directory:
            one.clock.pass_time(timedelta(seconds=rounds.SLOW + 1))
        return await listed(connector, *given)

    monkeypatch.setattr(MemoryConnector, "list", slow)
    assert await runs(one) == 1 and "app" in one.rounds._slow, "the first time nobody knows it yet"
    one.rounds._slow = {"app"}  # on this clock all took as long as the slowest
    assert await runs(one) == 2
    one.rounds._slow = {"app"}
    monkeypatch.setattr(MemoryConnector, "list", listed)
    assert [await runs(one), await runs(one)] == [2, 1], "it is as quick as the others again"


async def test_people_are_read_by_one_cycle_at_a_time_and_nobody_is_told_to_wait(two: Desk, monkeypatch: pytest.MonkeyPatch) -> None:
    one, under_way, most, listed = two, [0], [0], FileConnector.list

    async def counted(connector: FileConnector, *given: Any) -> Any:
        under_way[0] += 1
        most[0] = max(most[0], *under_way)
        await asyncio.sleep(0)
        try:
            return await listed(connector, *given)
        finally:
            under_way[0] -= 1

    monkeypatch.setattr(FileConnector, "list", counted)
    one.rounds._slow |= {"app", "other"}
    with structlog.testing.capture_logs() as told:
        for turn in range(20):
            one.hire(*range(1, 3 + turn % 3))
            all_due(one)
            await one.rounds.tick()
            await asyncio.sleep(0)
            await until(one, lambda: not one.rounds._turn.locked())
        await one.rounds.drained()
    assert most == [1] and not [line for line in told if line["event"] in ("skipped", "failed")], told


@pytest.mark.parametrize("restarted", [False, True])
async def test_who_changes_while_a_target_is_written_makes_it_due_at_once(
    desk: MakeDesk, monkeypatch: pytest.MonkeyPatch, restarted: bool
) -> None:
    """It is hours until it would be read again: that they changed is not what the cycle left behind."""
    one = await settled(desk, app=SLOW, other=SLOW)
    gate = Gate(monkeypatch, one, "perform")
    one.hire(1, 2)
    await until(one, gate.reached.is_set)
    one.hire(1, 2, 3)
    await until(one, lambda: beside(one) == 3)
    gate.opened.set()
    await one.rounds.drained()
    if restarted:
        one.restart()
    await one.wait(seconds=5)
    assert len(one.directory.accounts) == 3


async def test_a_suspended_one_that_does_not_answer_keeps_nobody_waiting(two: Desk, monkeypatch: pytest.MonkeyPatch) -> None:
    one, opened, asked = two, asyncio.Event(), asyncio.Event()

    async def silent(connector: MemoryConnector) -> Health:
        asked.set()
        await opened.wait()
        return Health(True)

    monkeypatch.setattr(MemoryConnector, "check", silent)
    one.store.run("UPDATE connection SET failures = 5, attempted_at = '2026-01-01T00:00:00.000000Z' WHERE name = 'app'")
    one.restart()
    one.hire(1, 2)
    all_due(one)
    await until(one, asked.is_set)
    await until(one, lambda: beside(one) == 2)
    assert len(one.directory.accounts) == 1
    opened.set()
    await until(one, lambda: len(one.directory.accounts) == 2)
    await one.rounds.drained()


async def test_an_end_is_waited_for_by_all(two: Desk, monkeypatch: pytest.MonkeyPatch) -> None:
    one, gate = two, Gate(monkeypatch, two, "perform")
    one.rounds._slow.add("app")
    one.hire(1, 2, 3)
    await until(one, gate.reached.is_set)
    await until(one, lambda: beside(one) == 3 and "other" not in one.rounds.working)
    one.clock.end()
    draining = asyncio.create_task(one.rounds.drained())
    await asyncio.sleep(0)
    assert not draining.done()
    gate.opened.set()
    await draining
    assert len(one.directory.accounts) == 1, "what had not left is left"
    assert lease.run_out(one.store, one.clock.now()) == {"app"}


async def test_after_a_reload_nothing_more_is_sent_of_the_old_plan(two: Desk, monkeypatch: pytest.MonkeyPatch) -> None:
    one, gate = two, Gate(monkeypatch, two, "perform")
    one.rounds._slow.add("app")
    object.__setattr__(one.rounds.settings.landscape.connection("app"), "rate", Rate(concurrency=1))
    one.hire(*range(1, 8))
    await until(one, gate.reached.is_set)
    one.write = '{scope: displayName == "Person 1"}'
    one.save()
    one.rounds.use(one.load())
    before = connections.projected(one.store, "app")
    await until(one, lambda: connections.projected(one.store, "app") != before)
    gate.opened.set()
    await one.rounds.drained()
    await one.wait(minutes=1)
    assert len(one.directory.accounts) == 2, "what was under way alone"
    assert one.failures() == 0


@pytest.mark.parametrize("name", ["app", "people"])
async def test_what_somebody_left_without_a_word_is_due_when_their_lease_runs_out(desk: MakeDesk, name: str) -> None:
    """A process that died in the middle of a cycle, an hour before anything is due here."""
    one = desk(people=SLOW, app=SLOW)
    await one.settle(1)
    dead, before = Store(one.load().store.url), one.runs
    assert isinstance(lease.acquire(dead, [name], "a dead process", one.clock.now(), timedelta(seconds=10)), dict)
    dead.close()
    await one.wait(seconds=9)
    assert one.runs == before
    await one.wait(seconds=2)
    assert one.runs == before + 1
    await one.wait(minutes=30, step=5)
    assert one.runs == before + 1, "once"


async def test_what_is_held_elsewhere_is_said_once_when_it_lasts(desk: MakeDesk) -> None:
    one = desk()
    await one.settle(1)
    other = Store(one.load().store.url)

    def taken(**lasting: float) -> None:
        assert isinstance(lease.acquire(other, ["app"], "elsewhere", one.clock.now(), timedelta(**lasting)), dict)

    async def told(**duration: float) -> list[str]:
        one.rounds.duties.at_once("app")
        one.rounds.duties.moved()
        with structlog.testing.capture_logs() as lines:
            await one.wait(**duration)
        return [line["connection"] for line in lines if line["event"] == "skipped" and line["log_level"] == "info"]

    taken(seconds=4)
    assert await told(seconds=4) == []
    taken(minutes=4)
    assert await told(minutes=4) == ["app"]
    await one.wait(seconds=10)
    taken(minutes=4)
    assert await told(minutes=4) == ["app"], "once for each time"
    other.close()


async def test_a_cycle_that_fails_frees_whatever_it_worked_on(two: Desk, monkeypatch: pytest.MonkeyPatch) -> None:
    one = two

    async def broken(connector: MemoryConnector, step: Step) -> Account | None:
        raise ZeroDivisionError

    monkeypatch.setattr(MemoryConnector, "perform", broken)
    one.hire(1, 2)
    with structlog.testing.capture_logs() as told:
        await one.wait(minutes=6)
    assert "unexpected ZeroDivisionError" in next(line["error"] for line in told if line["event"] == "failed")
    assert not one.rounds.working and not one.rounds._turn.locked()
    monkeypatch.undo()
    await one.wait(minutes=10)
    assert len(one.directory.accounts) == beside(one) == 2
