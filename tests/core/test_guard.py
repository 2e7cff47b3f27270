"""Limits, with their arithmetic."""

from __future__ import annotations

import re
from fractions import Fraction
from math import floor

import pytest
from hypothesis import given
from hypothesis import strategies as st

from syncd.core.guard import GROUPS, allowed, verdict
from syncd.model import Kind, Limit

DELETE, CREATE, UPDATE = Limit(20, 5, 1), Limit(500, 20, 10), Limit(None, 50, 10)
percents = st.integers(0, 100_000).map(lambda thousandths: thousandths / 1000) | st.floats(0, 1e300, allow_nan=False)
limits = st.builds(Limit, st.none() | st.integers(0, 1000), percents, st.integers(0, 20))
counts = st.integers(0, 10**6)


@given(limit=limits, owned=counts)
def test_allowed_is_the_formula_of_the_contract(limit: Limit, owned: int) -> None:
    """max(least, min(max, floor(percent of owned))), reckoned exactly, of the percent as it was written."""
    share = floor(Fraction(str(limit.percent)) * owned / 100)
    assert allowed(limit, owned) == max(limit.least, share if limit.maximum is None else min(limit.maximum, share))


@pytest.mark.parametrize(
    ("limit", "owned", "most"),
    [
        (DELETE, 0, 1), (DELETE, 3, 1), (DELETE, 39, 1), (DELETE, 40, 2), (DELETE, 399, 19), (DELETE, 400, 20), (DELETE, 10**6, 20),
        (CREATE, 0, 10), (CREATE, 54, 10), (CREATE, 55, 11), (CREATE, 10**6, 500), (UPDATE, 19, 10), (UPDATE, 22, 11),
        (UPDATE, 10**6, 500_000),
        (Limit(20, 0, 1), 10**6, 1), (Limit(0, 100, 1), 10**6, 1), (Limit(None, 0, 0), 10**6, 0), (Limit(None, 250, 1), 4, 10),
        (Limit(None, 9.2, 1), 1750, 161), (Limit(20, 0.5, 1), 1000, 5), (Limit(None, 1e308, 1), 0, 1),
    ],
)  # fmt: skip
def test_allowed_by_example(limit: Limit, owned: int, most: int) -> None:
    assert allowed(limit, owned) == most


@given(limit=limits, owned=counts, touched=counts, planned=counts)
def test_only_what_is_planned_and_over_the_limit_is_held(limit: Limit, owned: int, touched: int, planned: int) -> None:
    touched = max(touched, planned)
    why = verdict("delete", limit, owned, touched, planned)
    assert (why is not None) == (planned > 0 and touched > allowed(limit, owned))
    if why is not None:
        assert why.startswith(f"{planned} leave (")
        assert f"limit {allowed(limit, owned)}" in why
        assert (f"with {touched - planned} more in the last 24 h" in why) == (touched > planned)


@pytest.mark.parametrize(
    ("group", "owned", "touched", "planned", "cause", "said"),
    [
        ("delete", 557, 78, 78, "all vanished from people", "78 leave (14 % of 557, limit 20): all vanished from people"),
        ("delete", 38, 3, 1, "", "1 leave (3 % of 38, limit 1 with 2 more in the last 24 h)"),
        ("delete", 38, 2, 1, "", "1 leave (3 % of 38, limit 1 with 1 more in the last 24 h)"),
        ("create", 0, 11, 11, "", "11 are new (all of 0, limit 10)"),
        ("update", 20, 12, 12, "", "12 change (60 % of 20, limit 10)"),
        ("clear", 4, 2, 2, "phone would be emptied", "2 lose a value (50 % of 4, limit 1): phone would be emptied"),
    ],
)
def test_the_arithmetic_is_told(group: str, owned: int, touched: int, planned: int, cause: str, said: str) -> None:
    limit = {"delete": DELETE, "create": CREATE, "update": UPDATE, "clear": Limit(None, 5, 1)}[group]
    assert verdict(group, limit, owned, touched, planned, cause) == said
    assert re.match(r"\d+ ", said)


def test_every_kind_counts_in_one_group() -> None:
    assert sorted(kind for kinds in GROUPS.values() for kind in kinds) == sorted(Kind)
    assert set(GROUPS["delete"]) == {Kind.DELETE, Kind.DISABLE}
