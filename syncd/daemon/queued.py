"""Rounds that share what is due with those of other processes: each puts it into the queue, and takes of it one at a time."""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Mapping

import structlog
from procrastinate.jobs import Job

from syncd.daemon.due import Turn
from syncd.daemon.elsewhere import SHORT
from syncd.daemon.notices import Notices
from syncd.daemon.queue import Queue, connection
from syncd.daemon.rounds import Rounds
from syncd.environment import Environment
from syncd.health import Board
from syncd.settings import Settings
from syncd.store import Store

log = structlog.get_logger("syncd")


class Queued(Rounds):
    """A job is the cycle of one connection, if that is still due when the job is begun. Nothing is taken while this process plans: then it
    keeps the people, and nobody could plan."""

    patience = SHORT

    def __init__(
        self, environment: Environment, settings: Settings, store: Store, board: Board, notices: Notices, load: Callable[[], Settings]
    ) -> None:  # fmt: skip
        super().__init__(environment, settings, store, board, notices, load)
        self.queue = Queue(store, settings.landscape.instance)
        self._looking = asyncio.Lock()
        self._looks: set[asyncio.Task[None]] = set()

    async def tick(self) -> None:
        """Share what is due, and begin one of it; it is not waited for."""
        if self.environment.ending or self._trouble.resting or self._looking.locked():
            return
        async with self._looking:
            with self._trouble.mending():
                await self._look()

    async def drained(self) -> None:
        async with self._looking:  # what it takes, now that all ends, it gives back
            pass
        await super().drained()

    async def close(self, holder: str) -> None:
        await super().close(holder)
        await self.queue.close()

    def _begin(self) -> None:
        look = asyncio.create_task(self.tick())
        self._looks.add(look)
        look.add_done_callback(self._looks.discard)

    async def _look(self) -> None:
        if not self._cycles and self._trouble.reopened():
            self.duties.moved()
        due = self._shared()
        await self.queue.beat(self.environment.monotonic(), self.settings.landscape.lease.total_seconds())
        if due:
            await self.queue.put(due)
            job = await self.queue.take()
            if job is not None:
                await self._take(job)
        elif not self._cycles:
            self._trouble.over()

    def _shared(self) -> dict[str, Turn]:
        return {} if self._turn.locked() else self._free(self.duties.due(self.working))

    async def _take(self, job: Job) -> None:
        """It may have waited for long, and come from a process that knows other reasons."""
        name = connection(job)
        turn = self._shared().get(name)
        if turn is None:
            log.debug("not due any more", connection=name)
            await self.queue.done(job)
        else:
            self._launch([name], self._job(job, {name: turn}))

    async def _job(self, job: Job, chosen: Mapping[str, Turn]) -> None:
        try:
            await self._round(chosen)
        finally:
            await self.queue.done(job)
