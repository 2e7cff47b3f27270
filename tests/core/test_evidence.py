"""Proof that a person left."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st

from syncd.core.evidence import STALE, Evidence, Seal, prove

NOW = datetime(2026, 1, 1, tzinfo=UTC)
TICK = timedelta(microseconds=1)
seals = st.builds(Seal, st.sampled_from(["hr", "erp", "app"]), st.datetimes(timezones=st.just(UTC)))


@given(st.lists(seals, min_size=1))
def test_evidence_is_as_old_as_the_oldest_seal_and_names_every_source(given_seals: list[Seal]) -> None:
    evidence = prove(given_seals)
    assert evidence is not None
    assert evidence.at == min(one.at for one in given_seals)
    assert evidence.sources == tuple(one.connection for one in given_seals)


@given(st.lists(st.none() | seals, max_size=5), st.integers(0, 5))
def test_one_missing_seal_is_no_evidence_at_all(given_seals: list[Seal | None], place: int) -> None:
    assert prove([*given_seals[:place], None, *given_seals[place:]]) is None


def test_no_source_is_no_evidence() -> None:
    assert prove([]) is None


@pytest.mark.parametrize(
    ("age", "stale"), [(timedelta(0), False), (STALE, False), (STALE + TICK, True), (-TICK, True), (-timedelta(days=365), True)]
)
def test_evidence_lasts_a_quarter_of_an_hour_and_none_comes_from_the_future(age: timedelta, stale: bool) -> None:
    """A clock that jumped says nothing about its age."""
    assert timedelta(minutes=15) == STALE
    assert Evidence(NOW - age, ()).stale(NOW) is stale
