"""The one seam for time, randomness and crash points, so that tests run the real code under their own clock."""

from __future__ import annotations

import asyncio
import random
import time
from datetime import UTC, datetime


class Environment:
    """What the real world gives; tests subclass it. Instants are aware UTC, durations are monotonic seconds."""

    def __init__(self, seed: int | None = None) -> None:
        self.random = random.Random(seed)

    def now(self) -> datetime:
        """The wall clock: for what people read and what must survive a restart."""
        return datetime.now(UTC)

    def monotonic(self) -> float:
        """The clock for durations: never jumps."""
        return time.monotonic()

    async def sleep(self, seconds: float) -> None:
        await asyncio.sleep(seconds)

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
