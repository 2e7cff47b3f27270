"""The passing line: only on a terminal, only after a second, and gone when something else is printed."""

from __future__ import annotations

import asyncio
import io
from collections.abc import Mapping
from pathlib import Path

import pytest

from syncd.cli.printer import CLEAR, Printer
from syncd.cli.progress import Progress
from syncd.engine.context import Connected
from tests.cli.test_printing import Screen
from tests.world import Clock, World

pytestmark = pytest.mark.anyio


@pytest.fixture
def connected(tmp_path: Path) -> Mapping[str, Connected]:
    world = World(tmp_path)
    world.write([])
    made = world.connected(world.landscape(), writable=False)
    world.close()
    made["app"].connector.meter.requests = 1234
    made["app"].connector.meter.throttled = 2
    return made


async def shown(screen: io.StringIO, text: str) -> None:
    async with asyncio.timeout(10):
        while text not in screen.getvalue():
            await asyncio.sleep(0.01)


async def test_time_and_requests_after_a_second(connected: Mapping[str, Connected]) -> None:
    screen, clock = Screen(), Clock()
    progress = Progress(Printer(screen, screen, {"TERM": "xterm"}), clock)
    async with progress.over(connected):
        clock.elapsed = 75.0
        await shown(screen, f"{CLEAR}1 min 15 s  app: 1,234 requests (2 told to slow down)")
        with progress.paused():
            assert screen.getvalue().endswith(CLEAR)
            clock.elapsed = 80.0
            await asyncio.sleep(0.3)
            assert screen.getvalue().endswith(CLEAR), "nothing is written over what is being read"
        await shown(screen, "1 min 20 s")
    assert screen.getvalue().endswith(CLEAR)


async def test_silence_without_a_terminal(connected: Mapping[str, Connected]) -> None:
    stream, clock = io.StringIO(), Clock()
    async with Progress(Printer(stream, stream, {}), clock).over(connected):
        clock.elapsed = 75.0
        await asyncio.sleep(0.3)
    assert stream.getvalue() == ""
