"""Daemons that share what is due by a queue work as one that does not: a working day, a reload, a suspended connection, an end."""

from __future__ import annotations

import asyncio
import sys
from datetime import timedelta
from pathlib import Path

import pytest
import structlog

from syncd.cli.running import _rounds
from syncd.connectors.memory import MemoryConnector
from syncd.daemon.queue import Queue
from syncd.daemon.queued import Queued
from syncd.daemon.rounds import Rounds
from syncd.errors import Fatal
from syncd.model import Account, Step
from syncd.settings import Settings
from syncd.store import Store, lease
from tests import stores
from tests.daemon.desk import Shared
from tests.daemon.test_queue import rows

pytestmark = pytest.mark.anyio


async def test_a_working_day(shared: Shared) -> None:
    """As without a queue: people come and go, and nothing is left in it."""
    one = shared
    await one.settle(1, 2)
    one.hire(2)
    await one.wait(minutes=11, step=5)
    assert len(one.directory.accounts) == 1
    assert rows(one.store.url) == 0


async def test_a_job_that_comes_too_late_costs_no_run(shared: Shared) -> None:
    one = shared
    await one.wait(seconds=5)
    before = one.runs
    other = Queue(one.store, "default")
    await other.put(["people", "app", "nobody"])
    one.rounds.duties.at_once("people")
    one.rounds.duties.moved()
    await one.wait(seconds=1)
    await other.put(["app"])
    one.rounds.duties.at_once("people")
    one.rounds.duties.moved()
    await one.wait(seconds=4)
    assert {row.connection for row in one.store.rows("SELECT DISTINCT connection FROM lease WHERE until > ''")} == set()
    assert one.runs == before + 2, "of `people` alone"
    await other.close()


async def test_what_a_person_holds_is_left_and_taken_up_later(shared: Shared) -> None:
    """`syncd sync` beside the worker: the job ends with nothing done."""
    one = shared
    await one.wait(seconds=5)
    before, other = one.runs, Store(one.store.url)
    assert isinstance(lease.acquire(other, ["app"], "a person", one.clock.now(), timedelta(seconds=20)), dict)
    one.rounds.duties.at_once("app")
    one.rounds.duties.moved()
    await one.rounds.queue.put(["app"])
    await one.wait(seconds=10)
    assert one.runs == before
    await one.wait(seconds=15)
    assert one.runs == before + 1
    other.close()


async def test_asked_to_end_it_takes_nothing_and_leaves_nothing_begun(shared: Shared, monkeypatch: pytest.MonkeyPatch) -> None:
    one = shared
    await one.settle(1)
    reached, opened, done = asyncio.Event(), asyncio.Event(), MemoryConnector.perform

    async def gated(connector: MemoryConnector, step: Step) -> Account | None:
        reached.set()
        await opened.wait()
        return await done(connector, step)

    monkeypatch.setattr(MemoryConnector, "perform", gated)
    one.hire(1, 2)
    one.clock.pass_time(timedelta(minutes=6))
    while not reached.is_set():
        await one.rounds.tick()
        await asyncio.sleep(0.01)
    one.clock.end()
    draining = asyncio.create_task(one.rounds.drained())
    await one.rounds.tick()
    opened.set()
    await draining
    await one.rounds.queue.close()
    assert rows(one.store.url) == rows(one.store.url, "procrastinate_workers") == 0


async def test_what_it_took_when_it_was_asked_to_end_it_gives_back(shared: Shared) -> None:
    one = shared
    await one.wait(seconds=5)
    one.rounds.duties.at_once("app")
    one.rounds.duties.moved()
    await one.rounds.queue.put(["app"])
    job, before = await one.rounds.queue.take(), one.runs
    assert job is not None
    one.clock.end()
    await one.rounds._take(job)
    await one.rounds.drained()
    assert rows(one.store.url) == 0 and one.runs == before


async def test_a_database_that_went_away_is_said_once_and_found_again(shared: Shared) -> None:
    one = shared
    await one.settle(1)
    stores.server().stop(crash=True)
    try:
        with structlog.testing.capture_logs() as told:
            await one.wait(seconds=12, step=4)
    finally:
        stores.server().start()
    assert [line["event"] for line in told] == ["at rest"] and "does not answer" in one.board.trouble
    one.hire(1, 2)
    await one.wait(minutes=7, step=5)
    assert len(one.directory.accounts) == 2 and not one.board.trouble


def settings(shared: Shared) -> Settings:
    return shared.load()


async def test_a_queue_is_where_the_store_is_in_postgresql(shared: Shared, tmp_path: Path) -> None:
    assert _rounds(settings(shared), False) is Rounds and _rounds(settings(shared), True) is Queued
    stores.places.postgresql = False
    with pytest.raises(Fatal, match="store in PostgreSQL") as refused:
        _rounds(settings(shared), True)
    assert refused.value.exit_code == 78
    store = Store(f"sqlite:///{tmp_path}/other.db")
    with pytest.raises(Fatal, match="no queue"):
        Queue(store, "default")
    store.close()


async def test_without_the_extra_it_says_what_to_install(shared: Shared, monkeypatch: pytest.MonkeyPatch) -> None:
    for name in [name for name in sys.modules if name.partition(".")[0] == "procrastinate"] + ["syncd.daemon.queue", "syncd.daemon.queued"]:
        monkeypatch.delitem(sys.modules, name)
    monkeypatch.setitem(sys.modules, "procrastinate", None)
    with pytest.raises(Fatal, match=r"pip install 'syncd\[scale\]'"):
        _rounds(settings(shared), True)
    assert _rounds(settings(shared), False) is Rounds
