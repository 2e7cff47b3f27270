"""The passing line: where it is, how much is left, when it will end; only on a terminal, only after a second, gone when it is over."""

from __future__ import annotations

import asyncio
import io
import os
import pty
import re
import subprocess
import sys
import threading
from collections.abc import Mapping
from pathlib import Path

import pytest

from syncd.cli.printer import CLEAR, Printer
from syncd.cli.progress import Progress
from syncd.engine.context import Connected
from syncd.model import Effort
from tests.cli.office import Office
from tests.cli.test_printing import Screen
from tests.world import Clock, World

TERMINAL = {"TERM": "xterm"}


@pytest.fixture
def connected(tmp_path: Path) -> Mapping[str, Connected]:
    world = World(tmp_path)
    world.write([])
    made = world.connected(world.landscape(), writable=False)
    world.close()
    return made


async def shown(screen: io.StringIO, text: str) -> None:
    async with asyncio.timeout(10):
        while text not in screen.getvalue():
            await asyncio.sleep(0.01)


@pytest.mark.anyio
async def test_what_each_connection_is_busy_with(connected: Mapping[str, Connected]) -> None:
    screen, clock = Screen(), Clock()
    people, app = connected["people"], connected["app"]
    progress = Progress(Printer(screen, screen, TERMINAL), clock)
    async with progress.over(connected):
        clock.elapsed = 2.0
        await shown(screen, f"{CLEAR}2.0 s  getting ready")
        with people.work.stretch("reading", "accounts", 100_000, 5.0, rough=True) as reading:
            reading.done, reading.pages = 40_000, 4
            clock.elapsed = 15.0
            await shown(screen, f"{CLEAR}15 s  people: reading 40,000 of about 100,000 accounts, 4 pages, 15 s left")
            reading.done = 100_001
            clock.elapsed = 20.0
            await shown(screen, f"{CLEAR}20 s  people: reading 100,001 accounts, 4 pages")
        with app.work.stretch("sending", "changes", 5000, 20.0) as sending:
            sending.done, app.connector.meter.throttled = 1000, 2
            clock.elapsed = 80.0
            await shown(screen, "app: sending 1,000 of 5,000 changes, 4 min 0 s left (2 told to slow down)")
            with app.work.stretch("reading", "changed accounts", None, 80.0):
                clock.elapsed = 81.0
                await shown(screen, "app: reading 0 changed accounts")
            clock.elapsed = 90.0
            await shown(screen, "1 min 30 s  app: sending 1,000 of 5,000")
            with progress.paused():
                assert screen.getvalue().endswith(CLEAR)
                clock.elapsed = 95.0
                await asyncio.sleep(0.3)
                assert screen.getvalue().endswith(CLEAR), "nothing is written over what is being read"
    assert screen.getvalue().endswith(CLEAR)


@pytest.mark.anyio
async def test_silence_without_a_terminal(connected: Mapping[str, Connected]) -> None:
    stream, clock = io.StringIO(), Clock()
    progress, effort = Progress(Printer(stream, stream, {}), clock), Effort("verifying", "people")
    async with progress.over(connected):
        clock.elapsed = 75.0
        await asyncio.sleep(0.3)
    with progress.beside(effort) as look:
        clock.elapsed = 175.0
        look()
    assert await progress.during(lambda: 7, effort) == 7
    assert stream.getvalue() == ""


def test_beside_work_that_leaves_no_time_to_others() -> None:
    screen, clock = Screen(), Clock()
    effort = Effort("verifying", "people", 3000)
    with Progress(Printer(screen, screen, TERMINAL), clock).beside(effort) as look:
        for effort.done in (1000, 2000, 3000):
            clock.elapsed += 0.75
            look()
    assert screen.getvalue() == (
        f"{CLEAR}1.5 s  verifying 2,000 of 3,000 people, 0.8 s left{CLEAR}2.2 s  verifying 3,000 of 3,000 people, 0.0 s left{CLEAR}"
    )


@pytest.mark.anyio
async def test_work_on_another_thread_is_shown_in_mebibytes() -> None:
    screen, clock, done = Screen(), Clock(), threading.Event()
    effort = Effort("copying the store", "bytes")

    def work() -> int:
        effort.of, effort.done = 3 * 2**20, 2**20
        done.wait(10)
        return 7

    working = asyncio.create_task(Progress(Printer(screen, screen, TERMINAL), clock).during(work, effort))
    async with asyncio.timeout(10):
        while effort.of is None:
            await asyncio.sleep(0.01)
    clock.elapsed = 2.0
    await shown(screen, "copying the store 1.0 of 3.0 MiB")
    done.set()
    assert await working == 7 and screen.getvalue().endswith(CLEAR)


def test_a_line_is_no_longer_than_the_terminal_is_wide() -> None:
    master, slave = pty.openpty()
    subprocess.run(["stty", "cols", "30"], stdin=slave, check=True)
    with os.fdopen(slave, "w") as stream:
        Printer(stream, stream, TERMINAL).status("x" * 100)
        assert os.read(master, 1000).decode() == f"{CLEAR}{'x' * 28}…"
    os.close(master)


def on_a_terminal(office: Office, *line: str) -> tuple[int, str]:
    """The real command on a pseudo-terminal of 80 columns: how it ended, and all that the terminal got."""
    master, slave = pty.openpty()
    os.set_blocking(master, True)
    subprocess.run(["stty", "cols", "80"], stdin=slave, check=True)
    typed = [sys.executable, "-m", "syncd", "--config", str(office.config), *line]
    environ = {**office.environ, "TERM": "xterm", "NO_COLOR": "1"}
    process = subprocess.Popen(typed, stdin=slave, stdout=subprocess.PIPE, stderr=slave, env=environ)
    os.close(slave)
    seen = b""
    try:
        while more := os.read(master, 65536):
            seen += more
    except OSError:  # the other side was closed
        pass
    assert process.stdout is not None
    process.stdout.close()
    os.close(master)
    return process.wait(), seen.decode()


PACED = """\
    rate: {per_second: 40}
    write:
      disabled: {attributes.active: false}
"""


def test_a_person_sees_a_sensible_line_and_a_pipe_sees_none(office: Office) -> None:
    office.configure(PACED)
    office.hire(*range(1, 121))
    code, seen = on_a_terminal(office, "sync", "--yes")
    assert code == 0 and len(office.users) == 120
    lines = [line for line in re.split(r"\r\x1b\[K|\r\n", seen) if "sending" in line]
    assert lines and all(len(line) < 80 for line in lines), seen
    told = re.compile(r"\d+(\.\d)? s  chat: sending \d+ of 120 changes, \d+(\.\d)? s left")
    assert all(told.fullmatch(line) for line in lines), lines
    counts = [int(line.split("sending ")[1].split()[0]) for line in lines]
    assert counts == sorted(counts) and counts[0] < counts[-1] <= 120
    assert seen.endswith("\r\x1b[K") or seen.rstrip("\r\n").endswith("\x1b[K"), "it is gone at the end"
    office.rows = office.rows[:118]
    office.save()
    said = office.run("sync", "--yes")
    assert "sending" not in said.err and "\x1b" not in said.err
