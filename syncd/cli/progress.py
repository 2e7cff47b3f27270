"""A passing line on the terminal while something lasts: where it is, how much is left, when it will end; nothing anywhere else."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Callable, Iterator, Mapping
from contextlib import asynccontextmanager, contextmanager, suppress
from typing import TYPE_CHECKING, TypeVar

from syncd.cli.text import count, duration

if TYPE_CHECKING:
    from syncd.cli.printer import Printer
    from syncd.engine.context import Connected
    from syncd.environment import Environment
    from syncd.model import Effort

T = TypeVar("T")
PATIENCE = 1.0
"""Seconds before anything is shown."""
EVERY = 0.25
SIZE = 2**20
"""Bytes are shown in MiB."""


class Progress:
    """Silent unless stderr is a terminal."""

    def __init__(self, printer: Printer, environment: Environment) -> None:
        self._printer, self._environment = printer, environment
        self._paused = not printer.live
        self._began = self._shown = environment.monotonic()

    @contextmanager
    def paused(self) -> Iterator[None]:
        """While something else is printed."""
        before, self._paused = self._paused, True
        self._erase()
        yield
        self._paused = before

    @asynccontextmanager
    async def over(self, connected: Mapping[str, Connected]) -> AsyncIterator[None]:
        """For as long as this block, a run, lasts."""
        async with self._ticking(lambda now: _run(connected, now)):
            yield

    async def during(self, work: Callable[[], T], effort: Effort) -> T:
        """What ``work`` returns, which is done on a thread of its own and tells of its ``effort``."""
        effort.began = self._environment.monotonic()
        async with self._ticking(lambda now: _stretch(effort, now)):
            return await asyncio.to_thread(work)

    @contextmanager
    def beside(self, effort: Effort) -> Iterator[Callable[[], None]]:
        """For work that leaves no time to others: what it is given, it calls now and then."""
        effort.began = self._began = self._environment.monotonic()
        try:
            yield lambda: self._look(lambda now: _stretch(effort, now))
        finally:
            self._erase()

    @asynccontextmanager
    async def _ticking(self, line: Callable[[float], str]) -> AsyncIterator[None]:
        self._began = self._environment.monotonic()
        ticking = asyncio.create_task(self._tick(line))
        try:
            yield
        finally:
            ticking.cancel()
            with suppress(asyncio.CancelledError):
                await ticking
            self._erase()

    async def _tick(self, line: Callable[[float], str]) -> None:
        while True:
            await asyncio.sleep(EVERY)
            self._look(line)

    def _look(self, line: Callable[[float], str]) -> None:
        now = self._environment.monotonic()
        if now - self._began >= PATIENCE and not self._paused and now - self._shown >= EVERY:
            self._shown = now
            self._printer.status(f"{duration(now - self._began)}  {line(now)}")

    def _erase(self) -> None:
        if self._printer.live:
            self._printer.status("")


def _run(connected: Mapping[str, Connected], now: float) -> str:
    """What each connection is busy with."""
    busy = {name: each for name, each in connected.items() if each.work.current is not None}
    told = [f"{name}: {_stretch(each.work.current, now)}{_slowed(each.connector.meter.throttled)}" for name, each in busy.items()]
    return "; ".join(told) or "getting ready"


def _stretch(effort: Effort | None, now: float) -> str:
    """``reading 12,000 of about 100,000 accounts, 12 pages, 25 s left``"""
    if effort is None:
        return ""
    told = f"{effort.what} {_amount(effort)}" + (f", {count(effort.pages, 'page')}" if effort.pages else "")
    left = effort.left(now)
    return told if left is None else f"{told}, {duration(left)} left"


def _amount(effort: Effort) -> str:
    if effort.unit == "bytes":
        done, of, unit = f"{effort.done / SIZE:,.1f}", f"{(effort.of or 0) / SIZE:,.1f}", "MiB"
    else:
        done, of, unit = f"{effort.done:,}", f"{effort.of or 0:,}", effort.unit
    if effort.of is None or effort.done > effort.of:
        return f"{done} {unit}"
    return f"{done} of {'about ' if effort.rough else ''}{of} {unit}"


def _slowed(throttled: int) -> str:
    return f" ({throttled:,} told to slow down)" if throttled else ""
