"""When a connection is due: its schedule, both nights in which clocks change, what cannot wait, and a rest after failures."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from types import SimpleNamespace
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from syncd.daemon.due import ENOUGH, FIRST, LONGEST, _whole, turn
from syncd.environment import stamp
from syncd.settings.service import Schedule

NOON = datetime(2026, 6, 1, 12, tzinfo=UTC)
MINUTE, DAY = timedelta(minutes=1), timedelta(days=1)


def schedule(**keys: Any) -> Schedule:
    return Schedule(**{"jitter": "0s", **keys})


def row(read: datetime | None, whole: datetime | None = None, *, failures: int = 0, tried: datetime | None = None) -> Any:
    """What is known of a connection that was ``read`` to its end, ``whole`` then, and ``tried`` (else as long ago as read)."""
    stamps = {name: stamp(at) if at else None for name, at in (("last_delta", read), ("last_full", whole), ("attempted_at", tried or read))}
    return SimpleNamespace(name="app", failures=failures, error="", defect="", **stamps)


def at(text: str) -> datetime:
    return datetime.fromisoformat(text).replace(tzinfo=UTC)


def test_what_was_never_read_is_due_now_and_read_whole() -> None:
    assert turn(schedule(), None, None, NOON) == (NOON, True, False)
    assert turn(schedule(), row(None), None, NOON) == (NOON, True, False)


def test_it_is_due_so_long_after_its_last_reading() -> None:
    assert turn(schedule(every="5m"), row(NOON, NOON), None, NOON + MINUTE) == (NOON + 5 * MINUTE, False, False)


def test_what_happened_since_then_makes_it_due_at_once() -> None:
    assert turn(schedule(), row(NOON, NOON), NOON + MINUTE, NOON + 2 * MINUTE).at == NOON + MINUTE
    assert turn(schedule(), row(NOON, NOON), NOON + 90 * MINUTE, NOON + 2 * MINUTE).at == NOON + 5 * MINUTE


def test_a_whole_reading_that_proved_nothing_waits_for_the_next() -> None:
    """The time of its cron has passed, and it was tried since."""
    known = row(at("2026-06-01 03:01"), at("2026-05-31 03:00"))
    assert turn(schedule(), known, None, at("2026-06-01 03:02")) == (at("2026-06-01 03:06"), True, False)


NIGHTS = {
    "the hour that is missing": ("30 2 * * *", "2026-03-28 12:00", ["2026-03-29 01:00", "2026-03-30 00:30"]),
    "the hour that comes twice": ("30 2 * * *", "2026-10-24 12:00", ["2026-10-25 00:30", "2026-10-26 01:30"]),
    "each hour, forward": ("30 * * * *", "2026-03-29 00:00", ["2026-03-29 00:30", "2026-03-29 01:30", "2026-03-29 02:30"]),
    "each hour, back": ("30 * * * *", "2026-10-25 00:00", ["2026-10-25 00:30", "2026-10-25 01:30", "2026-10-25 02:30"]),
    "Sunday is 0": ("0 3 * * 0", "2026-06-01 12:00", ["2026-06-07 01:00", "2026-06-14 01:00"]),
    "Sunday is 7": ("0 3 * * 7", "2026-06-01 12:00", ["2026-06-07 01:00", "2026-06-14 01:00"]),
    "a day of either kind": ("0 3 13 * FRI", "2026-06-01 12:00", ["2026-06-05 01:00", "2026-06-12 01:00", "2026-06-13 01:00"]),
}


@pytest.mark.parametrize("night", NIGHTS)
def test_in_paris(night: str) -> None:
    """Each whole reading takes a minute; the next one is due when the wall clock says so, once."""
    cron, begin, expected = NIGHTS[night]
    last, found = at(begin), []
    for _ in expected:
        found.append(turn(schedule(every="1000d", full=cron, timezone="Europe/Paris"), row(last, last), None, last))
        last = found[-1].at + MINUTE
    assert [one.at for one in found] == [at(text) for text in expected]
    assert all(one.full for one in found)


@given(
    read=st.datetimes(datetime(2025, 1, 1), datetime(2027, 1, 1), timezones=st.just(UTC)),
    since=st.timedeltas(timedelta(0), timedelta(days=3)),
    ago=st.timedeltas(timedelta(0), timedelta(days=3)),
    cron=st.sampled_from(["0 3 * * *", "30 2 * * *", "*/15 * * * *", "0 0 1 * *", "30 1 29 2 *"]),
    zone=st.sampled_from(["UTC", "Europe/Paris", "America/Sao_Paulo", "Australia/Lord_Howe", "Asia/Kathmandu"]),
    jitter=st.sampled_from(["0s", "20s", "1h"]),
)
def test_who_was_just_read_whole_is_never_due_at_once(
    read: datetime, since: timedelta, ago: timedelta, cron: str, zone: str, jitter: str
) -> None:
    """However the clocks go: one run makes up for everything, and a run is never followed by another because of the schedule alone."""
    known = schedule(every="5m", full=cron, timezone=zone, jitter=jitter)
    found = turn(known, row(read, read - ago), None, read + since)
    assert read < found.at <= read + timedelta(minutes=5) + timedelta(hours=1)
    after = turn(known, row(read, read), None, read)
    assert after.at > read
    assert not after.full or _whole(known, row(read, read)) > read, "nor is it to be read whole again before its next time"
    assert turn(known, row(read, read), None, read) == after, "the dice are thrown once"


@pytest.mark.parametrize("failures", range(1, 40))
def test_failures_make_it_rest_longer_and_at_last_suspend_it(failures: int) -> None:
    found = turn(schedule(), row(NOON - DAY, NOON - DAY, failures=failures, tried=NOON), NOON, NOON)
    assert found.at - NOON == min(FIRST * 2 ** (failures - 1), LONGEST), "what happened meanwhile does not shorten it"
    assert found.probe is (failures >= ENOUGH)


def test_a_clock_set_back_makes_it_due_and_rest_no_longer_than_ever() -> None:
    assert turn(schedule(), row(NOON + 365 * DAY, NOON + 365 * DAY), None, NOON) == (NOON, True, False)
    failing = turn(schedule(), row(NOON, NOON, failures=3, tried=NOON + 365 * DAY), None, NOON)
    assert failing.at <= NOON + LONGEST


def test_jitter_is_at_most_what_is_configured_and_differs_from_reading_to_reading() -> None:
    found = {turn(schedule(jitter="20s"), row(NOON + n * MINUTE, NOON), None, NOON + n * MINUTE).at - n * MINUTE for n in range(50)}
    assert all(timedelta(0) <= one - NOON - 5 * MINUTE <= timedelta(seconds=20) for one in found)
    assert len(found) > 40
