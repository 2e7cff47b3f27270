"""Clocks that jump, nights that are an hour longer or shorter, and a day and a night of ticks."""

from __future__ import annotations

import asyncio
import gc
import os
import sys
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from itertools import pairwise
from zoneinfo import ZoneInfo

import pytest

from syncd.environment import instant
from syncd.sandbox import Sandbox, serve
from tests.daemon.conftest import MakeDesk
from tests.daemon.desk import Desk

pytestmark = pytest.mark.anyio
QUARTERS = "{every: 15m, jitter: 0s}"
HOUR, DAY = timedelta(hours=1), timedelta(days=1)


def begun(one: Desk, mode: str, after: int) -> list[datetime]:
    """When the runs of a mode began."""
    rows = one.store.rows("SELECT started FROM run WHERE id > :after AND mode = :mode ORDER BY id", after=after, mode=mode)
    return [instant(row.started) for row in rows]


@pytest.mark.parametrize("jump", [HOUR, 30 * DAY, -HOUR, -365 * DAY], ids=str)
async def test_a_clock_that_jumps_leads_to_one_run_and_ends_no_account(desk: MakeDesk, jump: timedelta) -> None:
    """As a suspended machine, or one whose clock is put right; the leaver's grace runs by what was seen of the time."""
    one = desk(write="{deprovision: {departed: delete, grace: 7d}}")
    await one.settle(*range(1, 31))
    one.hire(*range(2, 31))
    await one.wait(minutes=6)
    assert not one.account(1)["active"], "disabled now, deleted after the grace"
    before, steady = one.runs, one.clock.at
    one.clock.at += jump
    await one.wait(minutes=4)
    assert one.runs - before <= 2 + (jump > DAY), "what was due, once; never a burst"
    assert one.account(1) and len(one.directory.accounts) == 30
    one.hire(*range(2, 32))
    await one.wait(minutes=6)
    assert len(one.directory.accounts) == 31, "and it goes on by the new time"
    one.clock.at = steady + timedelta(minutes=10)
    before = one.runs
    await one.wait(minutes=6)
    assert 1 <= one.runs - before <= 3 and one.account(1), "put right again"


NIGHTS = [
    ("Europe/Paris", "2026-03-29"), ("Europe/Paris", "2026-10-25"), ("America/New_York", "2026-03-08"), ("America/New_York", "2026-11-01"),
    ("Australia/Lord_Howe", "2026-10-04"), ("Australia/Lord_Howe", "2026-04-05"),
]  # fmt: skip
"""The nights of 2026 in which the clocks go forward and back: by an hour at 2 and 3, by half an hour at 2."""


@pytest.mark.parametrize(("zone", "night"), NIGHTS)
async def test_a_night_of_summer_time(desk: MakeDesk, zone: str, night: str) -> None:
    """One whole reading, also where its time does not exist or comes twice; the others keep their distance by real time."""
    schedule = f'{{every: 20m, full: "30 2 * * *", jitter: 0s, timezone: {zone}}}'
    one = desk(people=schedule, app=schedule)
    midnight = datetime.fromisoformat(night).replace(tzinfo=ZoneInfo(zone))
    one.clock.at = (midnight - 2 * HOUR).astimezone(UTC)
    await one.settle(1)
    before = one.runs
    await one.wait(hours=7, step=30)
    found = begun(one, "full", before)
    assert len(found) == 1, found
    (whole,) = found
    local = whole.astimezone(ZoneInfo(zone)).replace(tzinfo=None)
    assert timedelta(hours=1, minutes=29) <= local - midnight.replace(tzinfo=None) <= timedelta(hours=3, minutes=21), local
    all_runs = sorted([*begun(one, "delta", before), whole])
    assert all(timedelta(0) < later - earlier <= timedelta(minutes=21) for earlier, later in pairwise(all_runs))
    assert 7 * 3 - 2 <= len(all_runs) <= 7 * 3 + 2


@pytest.fixture
def twilio() -> Iterator[tuple[Sandbox, str]]:
    sandbox = Sandbox(users=3)
    with serve(sandbox) as url:
        yield sandbox, url


def costs() -> tuple[int, int]:
    """Blocks of memory that Python holds, and open handles."""
    gc.collect()
    return sys.getallocatedblocks(), len(os.listdir("/proc/self/fd"))


async def test_a_day_and_a_night_cost_neither_memory_nor_handles(desk: MakeDesk, twilio: tuple[Sandbox, str]) -> None:
    """Real cycles: a file, the memory connector, and Twilio over HTTP; a tick every twenty seconds."""
    sandbox, url = twilio
    lines = [
        "  chat:", "    connector: twilio", f"    base_url: {url}", f"    account_sid: {sandbox.twilio.account_sid}",
        f"    auth_token: {sandbox.twilio.auth_token}", "    write: {disabled: {attributes.active: false}}",
    ]  # fmt: skip
    one = desk(people=QUARTERS, app=QUARTERS, more="\n".join(lines) + "\n    schedule: {every: 15m, jitter: 0s}")
    await one.settle(1, 2, 3)
    await one.wait(hours=2, step=20)
    await asyncio.sleep(0)
    (memory, handles), before = costs(), one.runs
    await one.wait(hours=22, step=20)
    after = costs()
    assert one.runs - before >= 22 * 4 and one.board.trouble == ""
    assert len(one.directory.accounts) == 3 and len(sandbox.twilio.service().users) == 6
    assert after[1] <= handles
    assert after[0] - memory < 3000, "of about a million; a cycle that kept one object an account would show"
