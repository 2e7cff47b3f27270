"""Reloads and suspended connections where processes share what is due: as without a queue."""

from __future__ import annotations

import asyncio
from datetime import timedelta

import pytest

from syncd.connectors.memory import MemoryConnector
from syncd.errors import Retryable
from syncd.model import Health
from tests.daemon.desk import STEADY, Shared
from tests.daemon.test_queue import rows

pytestmark = pytest.mark.anyio


BESIDE = """\
  other:
    connector: memory
    directory: {root}-beside
    write: {{}}
    schedule: {steady}
"""


async def test_a_reload_is_taken_over(shared: Shared) -> None:
    """Whatever waits in the queue by then: a connection that is gone is given up, one that is new comes in, and the new rules hold."""
    one = shared
    await one.settle(1, 2)
    await one.rounds.queue.put(["app", "people", "gone"])
    one.write = "{scope: displayName != 'Person 3'}"
    one.more = BESIDE.format(root=one.root, steady=STEADY)
    one.save()
    one.rounds.use(one.load())
    one.hire(1, 2, 3, 4)
    await one.wait(seconds=6)
    assert {account["userName"] for account in one.directory.accounts.values()} == {f"p{n}@corp.example" for n in (1, 2, 4)}
    assert one.held == 4, "a first contact there"
    assert one.store.value("SELECT consented = projected FROM connection WHERE name = 'app'"), "gone by with every source"
    one.more = ""
    one.save()
    await one.rounds.queue.put(["other"])
    one.rounds.use(one.load())
    before = one.runs
    await one.wait(seconds=6)
    assert rows(one.store.url) == 0 and one.runs > before
    assert "other" not in one.rounds.duties.turns


async def test_a_worker_that_knows_nothing_of_a_connection_leaves_it_to_those_that_do(shared: Shared) -> None:
    """While one has taken a configuration over, and another not yet."""
    one = shared
    await one.settle(1)
    one.more = BESIDE.format(root=one.root, steady=STEADY)
    one.save()
    newer = Shared(one.root, clock=one.clock, more=one.more)
    newer.hire(1)
    for _ in range(6):
        one.rounds.duties.at_once("people")
        one.rounds.duties.moved()
        one.clock.pass_time(timedelta(seconds=1))
        await newer.rounds.tick()
        await one.tick()
        await newer.rounds.drained()
    assert newer.store.value("SELECT last_full FROM connection WHERE name = 'other'")
    await newer.stop()
    assert rows(one.store.url) <= 1


async def test_a_suspended_connection_is_probed_and_taken_up_again(shared: Shared) -> None:
    one = shared
    await one.settle(1)
    for _ in range(200):
        one.directory.fail_next("list", Retryable("cannot be reached"))
        one.directory.fail_next("check", Retryable("cannot be reached"))
    await one.wait(minutes=40, step=5)
    assert one.failures() > 5 and one.rounds.duties.turns["app"].probe
    one.hire(1, 2)
    tried, before = one.failures(), one.runs
    read = one.store.value("SELECT attempted_at FROM connection WHERE name = 'app'")
    await one.wait(minutes=16, step=5)
    assert one.failures() in (tried + 1, tried + 2) and one.runs > before, "asked every quarter of an hour; the source is read on"
    assert len(one.directory.accounts) == 1
    assert one.store.value("SELECT attempted_at FROM connection WHERE name = 'app'") > read
    one.directory.calm()
    await one.wait(minutes=16, step=5)
    assert (one.failures(), len(one.directory.accounts), rows(one.store.url)) == (0, 2, 0)


async def test_a_suspended_one_that_does_not_answer_keeps_nobody_waiting(shared: Shared, monkeypatch: pytest.MonkeyPatch) -> None:
    one, asked, opened = shared, asyncio.Event(), asyncio.Event()
    await one.settle(1)

    async def silent(connector: MemoryConnector) -> Health:
        asked.set()
        await opened.wait()
        return Health(True)

    monkeypatch.setattr(MemoryConnector, "check", silent)
    one.store.run("UPDATE connection SET failures = 5, attempted_at = '2026-01-01T00:00:00.000000Z' WHERE name = 'app'")
    one.rounds.duties.moved()
    one.clock.pass_time(timedelta(minutes=16))
    one.hire(1, 2)
    before = one.runs
    for _ in range(500):
        one.rounds.duties.at_once("people")
        one.rounds.duties.moved()
        await one.rounds.tick()
        await asyncio.sleep(0.01)
        if asked.is_set() and one.runs > before + 2:
            break
    assert "app" in one.rounds.working and one.store.value("SELECT COUNT(*) FROM identity") == 2
    opened.set()
    await one.rounds.drained()
    await one.wait(seconds=5)
    assert (one.failures(), len(one.directory.accounts)) == (0, 2)
