"""Connections that are due, as jobs beside the store, one each at a time: what workers of several machines share.

The queue only spreads the work. Who is due, and who may work on what, the store says (`duties`, `leasing`): a job that comes twice or
too late costs a look, one that is lost is put again. So whatever is wrong with a job, it is given up.
"""

from __future__ import annotations

import logging
from collections.abc import AsyncIterator, Iterable
from contextlib import asynccontextmanager, suppress
from pathlib import Path

from procrastinate import App, PsycopgConnector
from procrastinate.exceptions import AlreadyEnqueued, ConnectorException, ProcrastinateException
from procrastinate.jobs import Job, Status
from procrastinate.manager import JobManager
from procrastinate.schema import SchemaManager

from syncd.store import Store, queueing

QUEUE = "syncd"
TASK = "syncd.cycle"
"""A job's one argument is the name of its ``connection``."""
PATIENCE = 5.0
"""Seconds the database may take to let us in."""
_GONE = "P0001"
"""SQLSTATE of an error that a procedure raises: this job is given up already."""
for _name, _level in (("procrastinate", logging.ERROR), ("psycopg.pool", logging.CRITICAL)):
    logging.getLogger(_name).setLevel(_level)  # what they tell, `trouble` does


class Queue:
    """This process as one of the workers. Whatever fails raises Away or another Fatal, and the next call comes from a new worker: what the
    one before had begun is given up in time, as that of a process that died."""

    def __init__(self, store: Store, instance: str) -> None:
        self._store, self._instance = store, instance
        queueing.bring(store, "procrastinate_jobs", SchemaManager.get_schema, _steps(), _step)
        connector = PsycopgConnector(
            conninfo=store.url, min_size=0, max_size=2, timeout=PATIENCE,
            kwargs={"prepare_threshold": None, "fallback_application_name": "syncd"},
        )  # fmt: skip
        self._app = App(connector=connector)
        self._worker: int | None = None
        self._beaten = 0.0

    async def beat(self, now: float, lasting: float) -> None:
        """Now and then: say that this worker lives, and give up what others began that were silent for ``lasting`` seconds. ``now``:
        monotonic."""
        if self._worker is not None and now - self._beaten < lasting / 4:
            return
        async with self._asked() as manager:
            if self._worker is not None and now - self._beaten >= lasting:  # by now others gave it up
                await manager.unregister_worker(self._worker)
                self._worker = None
            if self._worker is None:
                self._worker = await manager.register_worker()
            else:
                await manager.update_heartbeat(self._worker)
            self._beaten = now
            for job in await manager.get_stalled_jobs(queue=QUEUE, seconds_since_heartbeat=lasting):
                await self.done(job)
            await manager.prune_stalled_workers(lasting)

    async def put(self, names: Iterable[str]) -> None:
        """Those that do not wait in the queue already."""
        async with self._asked() as manager:
            waiting = {job.queueing_lock for job in await manager.list_jobs_async(queue=QUEUE, status="todo")}
            for name in names:
                lock = f"{self._instance}/{name}"
                if lock not in waiting:
                    with suppress(AlreadyEnqueued):
                        await self._app.configure_task(TASK, queue=QUEUE, lock=lock, queueing_lock=lock).defer_async(connection=name)

    async def take(self) -> Job | None:
        """The next for this worker (see `beat`), to be given back by `done`; none while every one that waits is worked on."""
        assert self._worker is not None
        async with self._asked() as manager:
            return await manager.fetch_job(queues=[QUEUE], worker_id=self._worker)

    async def done(self, job: Job) -> None:
        """However it went: nothing of it stays."""
        try:
            await self._app.job_manager.finish_job(job, Status.SUCCEEDED, delete_job=True)
        except ProcrastinateException as error:
            if getattr(error.__cause__, "sqlstate", None) != _GONE:
                self._worker = None

    async def close(self) -> None:
        """What this worker has not done others may begin at once."""
        worker, self._worker = self._worker, None
        with suppress(ConnectorException):
            if worker is not None:
                await self._app.job_manager.unregister_worker(worker)
            await self._app.close_async()

    @asynccontextmanager
    async def _asked(self) -> AsyncIterator[JobManager]:
        try:
            await self._app.open_async()
            yield self._app.job_manager
        except ConnectorException as error:
            self._worker = None
            raise queueing.failed(self._store, error.__cause__) from error


def connection(job: Job) -> str:
    return str(job.task_kwargs.get("connection"))


def _steps() -> list[str]:
    return sorted(one.name for one in Path(SchemaManager.get_migrations_path()).glob("*.sql"))


def _step(name: str) -> str:
    return (Path(SchemaManager.get_migrations_path()) / name).read_text("utf-8")
