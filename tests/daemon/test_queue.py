"""What is due, shared by a queue beside the store: each connection once, no job outlives its worker, and none is begun in vain."""

from __future__ import annotations

import asyncio
import sys
from collections.abc import AsyncIterator, Callable
from concurrent.futures import ThreadPoolExecutor
from datetime import timedelta
from pathlib import Path

import psycopg
import pytest
import structlog

from syncd.cli.running import _rounds
from syncd.connectors.memory import MemoryConnector
from syncd.daemon import queue
from syncd.daemon.notices import Notices
from syncd.daemon.queue import Queue, connection
from syncd.daemon.queued import Queued
from syncd.daemon.rounds import Rounds
from syncd.errors import Away, Fatal
from syncd.health import Board
from syncd.model import Account, Step
from syncd.settings import Settings
from syncd.store import Store, lease, queueing
from tests import stores
from tests.daemon.desk import Desk

pytestmark = pytest.mark.anyio
LEASE = 60.0
MakeQueue = Callable[..., Queue]


@pytest.fixture
def url() -> str:
    return stores.empty()


@pytest.fixture
async def worker(url: str) -> AsyncIterator[MakeQueue]:
    """``worker()``: one more."""
    made: list[tuple[Queue, Store]] = []

    def make() -> Queue:
        store = Store(url)
        made.append((Queue(store, "default"), store))
        return made[-1][0]

    yield make
    for one, store in made:
        await one.close()
        store.close()


async def two(worker: MakeQueue, *names: str) -> tuple[Queue, Queue]:
    """Both at work, and these connections in the queue."""
    a, b = worker(), worker()
    for one in (a, b):
        await one.beat(0.0, LEASE)
    await a.put(names)
    return a, b


async def taken(one: Queue) -> str | None:
    job = await one.take()
    return None if job is None else connection(job)


def rows(url: str, table: str = "procrastinate_jobs") -> int:
    with psycopg.connect(url) as door:
        found = door.execute(f"SELECT COUNT(*) FROM {table}".encode()).fetchone()
    return int(found[0]) if found else 0


async def test_a_connection_waits_once_however_many_put_it(worker: MakeQueue, url: str) -> None:
    a, b = await two(worker, "people", "app")
    await asyncio.gather(*(one.put(["people", "app"]) for one in (a, b) for _ in range(5)))
    assert rows(url) == 2
    assert [await taken(a), await taken(b), await taken(a)] == ["people", "app", None]


async def test_two_who_put_at_once_do_not_hinder_each_other(worker: MakeQueue, url: str) -> None:
    a, b = await two(worker)
    for _ in range(20):
        await asyncio.gather(a.put(["app"]), b.put(["app"]))
        assert rows(url) == 1
        job = await a.take()
        assert job is not None and job.task_kwargs == {"connection": "app"}
        await a.done(job)
    assert rows(url) == rows(url, "procrastinate_events") == 0


async def test_a_connection_is_worked_on_by_one(worker: MakeQueue) -> None:
    a, b = await two(worker, "app")
    job = await a.take()
    assert job is not None
    await b.put(["app"])
    assert await taken(b) is None
    await a.done(job)
    assert await taken(b) == "app"


async def test_the_job_of_a_worker_that_fell_silent_is_given_up(worker: MakeQueue, url: str) -> None:
    a, b = await two(worker, "app")
    job = await a.take()
    assert job is not None
    await b.put(["app"])
    await b.beat(LEASE / 2, LEASE)
    assert await taken(b) is None, "it is alive"
    with psycopg.connect(url) as door:
        door.execute("UPDATE procrastinate_workers SET last_heartbeat = last_heartbeat - interval '61 s' WHERE id = %s", [a._worker])
    await b.beat(LEASE * 0.8, LEASE)
    assert await taken(b) == "app"
    await a.done(job)
    await a.beat(LEASE * 2, LEASE)
    assert await taken(a) is None and rows(url, "procrastinate_workers") == 2, "who wakes up is a new worker"


async def test_what_a_worker_leaves_when_it_ends_is_free_at_once(worker: MakeQueue, url: str) -> None:
    a, b = await two(worker, "app")
    assert await taken(a) == "app"
    await a.close()
    await b.put(["app"])
    await b.beat(LEASE / 2, LEASE)
    assert await taken(b) == "app" and rows(url, "procrastinate_workers") == 1


async def test_an_answer_that_fails_is_said_and_the_next_comes_from_a_new_worker(worker: MakeQueue, url: str) -> None:
    a, _ = await two(worker, "app")
    before = a._worker
    with psycopg.connect(url) as door:
        door.execute("TRUNCATE procrastinate_workers CASCADE")
    await a.put(["app"])
    with pytest.raises(Away, match="foreign key"):
        await a.take()
    await a.beat(1.0, LEASE)
    assert a._worker != before and await taken(a) == "app"


def test_the_tables_are_made_once_by_workers_that_start_together(url: str) -> None:
    def started(_: int) -> str:
        store = Store(url)
        try:
            Queue(store, "default")
            return str(store.value("SELECT obj_description('procrastinate_jobs'::regclass)"))
        finally:
            store.close()

    with ThreadPoolExecutor(4) as pool:
        assert {*pool.map(started, range(4))} == {queue._steps()[-1]}


def test_an_older_queue_is_brought_up_to_date(url: str) -> None:
    store, done = Store(url), []

    def step(name: str) -> str:
        done.append(name)
        return f"CREATE TABLE {name} ()"

    queueing.bring(store, "one", lambda: "CREATE TABLE one ()", ["one"], step)
    assert done == []
    queueing.bring(store, "one", lambda: "CREATE TABLE one ()", ["one", "two", "uzz"], step)
    queueing.bring(store, "one", lambda: "CREATE TABLE one ()", ["one", "two"], step)
    assert done == ["two", "uzz"]
    store.close()


class Shared(Desk):
    """A desk whose daemon is a worker."""

    rounds: Queued

    def start(self) -> None:
        settings = self.load()
        self.store, self.board = Store(settings.store.url), Board()
        self.rounds = Queued(self.clock, settings, self.store, self.board, Notices(self.store, self.clock, self._post), self.load)

    async def settle(self, *numbers: int) -> None:
        """As ever, but a cycle a look."""
        self.hire(*numbers)
        await self.wait(seconds=3)
        self.release()
        await self.wait(seconds=3)
        assert len(self.directory.accounts) == len(numbers)

    async def stop(self) -> None:
        await self.rounds.close("x")


@pytest.fixture
async def desk(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> AsyncIterator[Shared]:
    monkeypatch.setattr(stores.places, "postgresql", True)
    one = Shared(tmp_path)
    yield one
    await one.stop()
    stores.places.forget(str(tmp_path))


async def test_a_working_day(desk: Shared) -> None:
    """As without a queue: people come and go, and nothing is left in it."""
    one = desk
    await one.settle(1, 2)
    one.hire(2)
    await one.wait(minutes=11, step=5)
    assert len(one.directory.accounts) == 1
    assert rows(one.store.url) == 0


async def test_a_job_that_comes_too_late_costs_no_run(desk: Shared) -> None:
    one = desk
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


async def test_what_a_person_holds_is_left_and_taken_up_later(desk: Shared) -> None:
    """`syncd sync` beside the worker: the job ends with nothing done."""
    one = desk
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


async def test_asked_to_end_it_takes_nothing_and_leaves_nothing_begun(desk: Shared, monkeypatch: pytest.MonkeyPatch) -> None:
    one = desk
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


async def test_what_it_took_when_it_was_asked_to_end_it_gives_back(desk: Shared) -> None:
    one = desk
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


async def test_a_database_that_went_away_is_said_once_and_found_again(desk: Shared) -> None:
    one = desk
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


def settings(desk: Shared) -> Settings:
    return desk.load()


async def test_a_queue_is_where_the_store_is_in_postgresql(desk: Shared, tmp_path: Path) -> None:
    assert _rounds(settings(desk), False) is Rounds and _rounds(settings(desk), True) is Queued
    stores.places.postgresql = False
    with pytest.raises(Fatal, match="store in PostgreSQL") as refused:
        _rounds(settings(desk), True)
    assert refused.value.exit_code == 78
    store = Store(f"sqlite:///{tmp_path}/other.db")
    with pytest.raises(Fatal, match="no queue"):
        Queue(store, "default")
    store.close()


async def test_without_the_extra_it_says_what_to_install(desk: Shared, monkeypatch: pytest.MonkeyPatch) -> None:
    for name in [name for name in sys.modules if name.partition(".")[0] == "procrastinate"] + ["syncd.daemon.queue", "syncd.daemon.queued"]:
        monkeypatch.delitem(sys.modules, name)
    monkeypatch.setitem(sys.modules, "procrastinate", None)
    with pytest.raises(Fatal, match=r"pip install 'syncd\[scale\]'"):
        _rounds(settings(desk), True)
    assert _rounds(settings(desk), False) is Rounds
