"""The one seam for time, randomness and crash points, so that tests run the real code under their own clock."""

from __future__ import annotations

import asyncio
import random
import time
from contextlib import suppress
from datetime import UTC, datetime


class Environment:
    """What the real world gives; tests subclass it. Instants are aware UTC, durations are monotonic seconds."""

    def __init__(self, seed: int | None = None) -> None:
        self.random = random.Random(seed)
        self.ending = False
        self._asleep: set[tuple[asyncio.AbstractEventLoop, asyncio.Event]] = set()

    def end(self) -> None:
        """The process is asked to end: whoever looks at ``ending`` begins nothing new, and every sleep is over. From any thread."""
        self.ending = True
        for loop, woken in tuple(self._asleep):
            with suppress(RuntimeError):  # its loop is closed, so nobody sleeps there
                loop.call_soon_threadsafe(woken.set)

    def now(self) -> datetime:
        """The wall clock: for what people read and what must survive a restart."""
        return datetime.now(UTC)

    def monotonic(self) -> float:
        """The clock for durations: never jumps."""
        return time.monotonic()

    async def sleep(self, seconds: float) -> None:
        """Shorter when the process is asked to end: who sleeps in a loop looks at ``ending``."""
        if seconds <= 0:
            return await asyncio.sleep(0)
        await self._ended_or(seconds)

    async def ended(self) -> None:
        """Until the process is asked to end."""
        await self._ended_or(None)

    async def _ended_or(self, seconds: float | None) -> None:
        one = asyncio.get_running_loop(), asyncio.Event()
        self._asleep.add(one)
        seconds = 0 if self.ending else seconds
        timer = None if seconds is None else one[0].call_later(seconds, one[1].set)
        try:
            await one[1].wait()
        finally:
            if timer is not None:
                timer.cancel()
            self._asleep.discard(one)

    def reached(self, point: str) -> None:
        """Called at each point where a crash must lose nothing.

        The points: `before_intent`, `after_intent`, `after_send`, `after_settle`, `after_cursor`.
        """


def stamp(instant: datetime) -> str:
    """An instant as fixed-width UTC text, e.g. ``2026-11-21T08:00:00.000000Z``: text order is time order."""
    return instant.astimezone(UTC).strftime("%Y-%m-%dT%H:%M:%S.%fZ")


def instant(text: str) -> datetime:
    """The inverse of `stamp`."""
    return datetime.strptime(text, "%Y-%m-%dT%H:%M:%S.%fZ").replace(tzinfo=UTC)
