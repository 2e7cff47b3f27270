"""Durations: written, read and written again."""

from __future__ import annotations

from datetime import timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st

from syncd.settings.scalars import duration, spelled


@pytest.mark.parametrize(
    ("text", "seconds"),
    [("500ms", 0.5), ("30s", 30), ("5m", 300), ("2h", 7200), ("7d", 604800), ("0s", 0), ("0d", 0), (0, 0), ("0", 0)],
)
def test_durations(text: str | int, seconds: float) -> None:
    assert duration(text).total_seconds() == seconds


@pytest.mark.parametrize("text", ["", "10", 10, "1.5h", "-1s", "1 s", "1h30m", "1w", "s", True, False, None, 0.5, [], "\u0661s"])
def test_no_durations(text: object) -> None:
    with pytest.raises(ValueError, match="must be a duration"):
        duration(text)


@given(st.integers(0, 10**11))
def test_a_duration_is_spelled_as_it_is_read(milliseconds: int) -> None:
    value = timedelta(milliseconds=milliseconds)
    assert duration(spelled(value)) == value


def test_the_largest_exact_unit() -> None:
    assert [spelled(timedelta(seconds=n)) for n in (0, 1, 60, 90, 3600, 86400, 0.5)] == ["0s", "1s", "1m", "90s", "1h", "1d", "500ms"]
