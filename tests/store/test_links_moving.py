"""What a link remembers while its sides move: pairs tried in vain or refused, failures, what was settled."""

from __future__ import annotations

import pytest
from hypothesis import strategies as st

from syncd.store import Store, outcomes
from tests.store.rows import NOW, column, found, link, people, put

sides = st.sampled_from([None, b"1", b"2"])


@pytest.mark.parametrize("why", ["tried", "refused"])
@pytest.mark.parametrize("pair", [(b"1", b"2"), (None, b"2"), (b"1", None)])
def test_a_pair_is_skipped_until_either_side_moves_and_then_asked_anew(
    store: Store, why: str, pair: tuple[bytes | None, bytes | None]
) -> None:
    people(store, "p")
    link(store, "app", "p", *pair, account_id=1)
    put(store, "p", **{f"{why}_desired": pair[0], f"{why}_actual": pair[1]})
    assert found(store) == []
    link(store, "app", "p", *pair, account_id=1)
    assert found(store) == [], "projected again, the same"
    for moved in ((b"3", b"3"), (b"3", pair[1]), (pair[0], b"3")):
        put(store, "p", **{f"{why}_desired": pair[0], f"{why}_actual": pair[1]})
        link(store, "app", "p", *moved, account_id=1)
        assert found(store) == (["p"] if moved[0] != moved[1] else [])
        link(store, "app", "p", *pair, account_id=1)
        assert found(store) == ["p"], "a side had moved meanwhile: the word of then says nothing of now"


@pytest.mark.parametrize("state", ["frozen", "rejected"])
def test_who_was_only_frozen_has_not_moved(store: Store, state: str) -> None:
    people(store, "p")
    link(store, "app", "p", b"1", b"2", account_id=1)
    put(store, "p", refused_desired=b"1", refused_actual=b"2")
    link(store, "app", "p", b"9", b"9", account_id=1, state=state)
    link(store, "app", "p", b"1", b"2", account_id=1)
    assert found(store) == []


def test_failures_last_as_long_as_what_failed(store: Store) -> None:
    people(store, "p")

    def failures_after(desired: bytes | None, actual: bytes | None) -> tuple[int, bool]:
        link(store, "app", "p", b"1", b"2", account_id=1)
        for _ in range(3):
            outcomes.refused(store, "app", "p", "no", NOW)
        link(store, "app", "p", desired, actual, account_id=1)
        row = store.one("SELECT failures, retry_at FROM link")
        assert row is not None
        return row.failures, row.retry_at is not None

    assert failures_after(b"1", b"2") == (3, True)
    assert failures_after(b"1", b"3") == (6, True), "the account moved, and we still want what was refused"
    assert failures_after(b"3", b"2") == (0, False), "something else is wanted"
    assert failures_after(b"1", b"1") == (0, False), "somebody else did it"


def test_drift_is_told_from_what_was_last_settled(store: Store) -> None:
    """``settled`` follows an account in step only once syncd has brought it somewhere, and only while it is live."""
    people(store, "p")
    link(store, "app", "p", b"1", b"1")
    assert column(store, "link", "settled") == [None]
    outcomes.took(store, "app", "p")
    link(store, "app", "p", b"2", b"2")
    assert column(store, "link", "settled") == [b"2"]
    for desired, actual, state in ((b"3", b"2", "live"), (b"4", b"4", "disabled"), (b"5", b"5", "frozen")):
        link(store, "app", "p", desired, actual, state=state)
        assert column(store, "link", "settled") == [b"2"]
