"""When a connection is due, and for what: from its schedule and from what the store remembers, never from when this process started."""

from __future__ import annotations

from collections.abc import Collection, Mapping
from datetime import UTC, datetime, timedelta
from hashlib import blake2b
from typing import Any, NamedTuple
from zoneinfo import ZoneInfo

from cronsim import CronSim

from syncd.environment import instant
from syncd.settings import Settings
from syncd.settings.service import Schedule
from syncd.store import Store, duty

FIRST = timedelta(seconds=30)
"""After a run in which a connection could not be used, until the next; doubled with each further one."""
LONGEST = timedelta(minutes=15)
ENOUGH = 5
"""Such runs in a row after which a connection is suspended: no run reads it, it is only probed, every `LONGEST`."""


class Turn(NamedTuple):
    """``full``: everything is to be read. ``probe``: it is suspended, and asked first whether it can be used again."""

    at: datetime
    full: bool
    probe: bool = False


def turns(store: Store, settings: Settings, known: Mapping[str, Any], now: datetime, left: Mapping[str, int]) -> dict[str, Turn]:
    """When each connection is due next. ``left``: how many changed people its own last run left behind at a target; a further one makes
    it due at once."""
    found = {}
    for one in settings.landscape.connections:
        target, most = one.write is not None, left.get(one.name, 0) + 1
        moved = duty.moved(store, one.name, target=target)
        if target and duty.changed(store, one.name, most) >= most:
            moved = now
        found[one.name] = turn(settings.schedules[one.name], known.get(one.name), moved, now)
    return found


def turn(schedule: Schedule, row: Any, moved: datetime | None, now: datetime) -> Turn:
    """The next turn of a connection of which ``row`` is known (see `duty.known`). ``moved``: when something happened that cannot wait.

    A clock that was set back makes a connection due at once, never late: what was read in the future was read.
    """
    if row is not None and row.failures:
        tried = instant(row.attempted_at)
        at = min(tried, now) + min(FIRST * 2 ** min(row.failures - 1, 20), LONGEST)
        return Turn(at, _overdue(schedule, row, at), row.failures >= ENOUGH)
    if row is None or row.last_delta is None:
        return Turn(now, True)
    read = instant(row.last_delta)
    if read > now:
        return Turn(now, _overdue(schedule, row, now))
    whole = _whole(schedule, row)
    regular = read + schedule.every
    at = min(regular, whole) if whole > read else regular  # what was tried in vain since then waits for the next reading
    at += _spread(schedule.jitter, f"{row.name} {row.last_delta}")
    at = at if moved is None else min(at, max(moved, read))
    return Turn(at, whole <= max(at, now))


def together(due: Mapping[str, Turn], slow: Collection[str]) -> Mapping[str, Turn]:
    """The next of them for one cycle: those who are to be read whole, or else the others; one that is ``slow``, or has to be probed
    first, by itself."""
    for full in (True, False):
        each = {name: turn for name, turn in due.items() if turn.full is full}
        if each:
            quick = {name: turn for name, turn in each.items() if name not in slow and not turn.probe}
            return quick or dict([next(iter(each.items()))])
    return {}


def _overdue(schedule: Schedule, row: Any, at: datetime) -> bool:
    return row.last_full is None or instant(row.last_full) > at or _whole(schedule, row) <= at


def _whole(schedule: Schedule, row: Any) -> datetime:
    """When everything is to be read again: the first time of its cron after it was last tried to, UTC.

    In the night in which clocks go forward a time that does not exist counts as the next that does, in the one in which they go back a
    time that comes twice counts once (as Debian's cron has it).
    """
    last = instant(row.last_full or row.last_delta)
    times = (one.astimezone(UTC) for one in CronSim(schedule.full, last.astimezone(ZoneInfo(schedule.timezone))))
    return next(one for one in times if one > last)  # from within an hour that comes for the second time, the first is behind


def _spread(jitter: timedelta, what: str) -> timedelta:
    """A part of ``jitter`` that looks like chance and stays the same however often it is asked for."""
    return jitter * (int.from_bytes(blake2b(what.encode(), digest_size=4).digest()) / 2**32)
