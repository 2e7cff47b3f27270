"""How long to wait: the provider's wish read carefully, else back-off with jitter within the budget."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from email.utils import format_datetime

import pytest
from hypothesis import given
from hypothesis import strategies as st
from loopback import Impatient

from syncd.connectors.retry import LONGEST, Budget, Patience, http_date, retry_after

NOW = datetime(2026, 11, 21, 8, 0, tzinfo=UTC)


@pytest.mark.parametrize(
    ("text", "seconds"),
    [
        ("7", 7.0),
        ("1.5", 1.5),
        ("1000000000", LONGEST),
        ("Sat, 21 Nov 2026 08:00:20 GMT", 20.0),
        ("Saturday, 21-Nov-26 08:00:20 GMT", 20.0),
        ("Sat Nov 21 08:00:20 2026", 20.0),
        ("Sat, 21 Nov 2126 08:00:20 GMT", LONGEST),
        ("Sat, 21 Nov 2026 07:00:00 GMT", None),
        ("0", None),
        ("-5", None),
        ("nan", None),
        ("inf", None),
        ("soon", None),
        ("", None),
        (None, None),
    ],
)
def test_retry_after(text: str | None, seconds: float | None) -> None:
    assert retry_after(text, NOW) == seconds


@given(st.text(max_size=60))
def test_any_header_is_a_wait_within_bounds_or_none(text: str) -> None:
    seconds = retry_after(text, NOW)
    assert seconds is None or 0 < seconds <= LONGEST


@given(st.datetimes(min_value=datetime(1971, 1, 1), max_value=datetime(2200, 1, 1)))
def test_http_dates_round_trip(when: datetime) -> None:
    aware = when.replace(microsecond=0, tzinfo=UTC)
    assert http_date(format_datetime(aware, usegmt=True)) == aware


def test_back_off_doubles_with_jitter_to_its_ceiling() -> None:
    patience = Patience(Impatient(), Budget(tries=12, seconds=1e6, base=1.0, longest=20.0))
    waits = [patience.wait(None) for _ in range(12)]
    assert waits[-1] is None
    for n, wait in enumerate(waits[:-1]):
        ceiling = min(2.0**n, 20.0)
        assert wait is not None
        assert ceiling / 2 <= wait <= ceiling
    assert len(set(waits)) == 12


def test_a_wish_beyond_what_is_left_ends_the_patience() -> None:
    environment = Impatient()
    patience = Patience(environment, Budget(tries=10, seconds=100))
    assert patience.wait(60.0) == 60.0
    environment.slept.append(60.0)
    assert patience.wait(60.0) is None


def test_the_provider_comes_before_our_own_back_off() -> None:
    assert Patience(Impatient(), Budget()).wait(0.001) == 0.001
    assert timedelta(seconds=LONGEST) == timedelta(minutes=5)
