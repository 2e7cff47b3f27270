"""A passing line on the terminal while a cycle runs: how long, how many requests, how many of them told us to slow down."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Mapping
from contextlib import asynccontextmanager, contextmanager, suppress
from typing import TYPE_CHECKING

from syncd.cli.text import count, duration

if TYPE_CHECKING:
    from collections.abc import Iterator

    from syncd.cli.printer import Printer
    from syncd.engine.context import Connected
    from syncd.environment import Environment

PATIENCE = 1.0
"""Seconds before anything is shown."""
EVERY = 0.25


class Progress:
    """Silent unless stderr is a terminal."""

    def __init__(self, printer: Printer, environment: Environment) -> None:
        self._printer, self._environment = printer, environment
        self._paused = not printer.live

    @contextmanager
    def paused(self) -> Iterator[None]:
        """While something else is printed."""
        before, self._paused = self._paused, True
        self._erase()
        yield
        self._paused = before

    @asynccontextmanager
    async def over(self, connected: Mapping[str, Connected]) -> AsyncIterator[None]:
        """For as long as this block lasts."""
        ticking = asyncio.create_task(self._tick(connected, self._environment.monotonic()))
        try:
            yield
        finally:
            ticking.cancel()
            with suppress(asyncio.CancelledError):
                await ticking
            self._erase()

    async def _tick(self, connected: Mapping[str, Connected], started: float) -> None:
        while True:
            await asyncio.sleep(EVERY)
            seconds = self._environment.monotonic() - started
            if seconds >= PATIENCE and not self._paused:
                self._printer.status(_line(seconds, connected))

    def _erase(self) -> None:
        if self._printer.live:
            self._printer.status("")


def _line(seconds: float, connected: Mapping[str, Connected]) -> str:
    meters = {name: each.connector.meter for name, each in connected.items()}
    busy = [f"{name}: {count(meter.requests, 'request')}{_slowed(meter.throttled)}" for name, meter in meters.items() if meter.requests]
    return f"{duration(seconds)}  {', '.join(busy) or 'reading'}"


def _slowed(throttled: int) -> str:
    return f" ({throttled:,} told to slow down)" if throttled else ""
