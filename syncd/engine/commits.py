"""Group commit: what several tasks want written at the same moment goes into one transaction, with one wait for the disk."""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from typing import Any, TypeVar

from syncd.errors import SyncdError
from syncd.store import Store

T = TypeVar("T")


class Commits:
    """Hands each caller its own result once the transaction they share is durable."""

    def __init__(self, store: Store) -> None:
        self._store = store
        self._waiting: list[tuple[Callable[[], Any], asyncio.Future[Any]]] = []

    async def do(self, action: Callable[[], T]) -> T:
        """Run ``action`` inside the next transaction. A SyncdError it raises is its caller's alone; any other fails all."""
        loop = asyncio.get_running_loop()
        future: asyncio.Future[T] = loop.create_future()
        if not self._waiting:
            loop.call_soon(self._flush)
        self._waiting.append((action, future))
        return await future

    def _flush(self) -> None:
        batch, self._waiting = self._waiting, []
        results: list[tuple[asyncio.Future[Any], Any]] = []
        try:
            with self._store.transaction():
                attempt = self._attempt if len(batch) > 1 else _alone
                results = [(future, attempt(action)) for action, future in batch]
        except Exception as error:
            results = [(future, error) for _, future in batch]
        for future, result in results:
            if isinstance(result, Exception):
                future.set_exception(result)
            else:
                future.set_result(result)

    def _attempt(self, action: Callable[[], Any]) -> Any:
        """What it wrote before it raised is taken back; the others stand."""
        try:
            with self._store.savepoint():
                return action()
        except SyncdError as error:
            return error


def _alone(action: Callable[[], Any]) -> Any:
    """The transaction is its own: there is nobody to be kept apart from, at the price of two statements."""
    return action()
