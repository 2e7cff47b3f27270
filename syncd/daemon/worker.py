"""A thread with a loop of its own: what waits for the store, or works for long, happens here, and the main loop always answers."""

from __future__ import annotations

import asyncio
import threading
import time
from collections.abc import Coroutine
from concurrent.futures import Future
from typing import Any, TypeVar

T = TypeVar("T")
PATIENCE = 120.0
"""Seconds without an answer after which the thread counts as stuck: longer than the store is waited for."""


class Worker:
    """Runs until the process ends: a daemon thread, so that nothing it waits for keeps the process alive."""

    def __init__(self) -> None:
        self._loop = asyncio.new_event_loop()
        self._thread = threading.Thread(target=self._loop.run_forever, name="syncd-worker", daemon=True)
        self._answered = time.monotonic()

    def start(self) -> None:
        self._thread.start()

    def submit(self, work: Coroutine[Any, Any, T]) -> Future[T]:
        """To be cancelled only at the very end: a cancelled request costs its connection."""
        return asyncio.run_coroutine_threadsafe(work, self._loop)

    async def run(self, work: Coroutine[Any, Any, T]) -> T:
        return await asyncio.wrap_future(self.submit(work))

    def knock(self) -> None:
        """Ask for a sign of life."""
        self._loop.call_soon_threadsafe(self._answer)

    def _answer(self) -> None:
        self._answered = time.monotonic()

    def alive(self) -> bool:
        return self._thread.is_alive() and time.monotonic() - self._answered < PATIENCE
