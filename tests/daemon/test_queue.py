"""What is due, shared by a queue beside the store: each connection once, no job outlives its worker, and none is begun in vain."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Callable
from concurrent.futures import ThreadPoolExecutor

import psycopg
import pytest

from syncd.daemon import queue
from syncd.daemon.queue import Queue, connection
from syncd.errors import Away
from syncd.store import Store, queueing
from tests import stores

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
