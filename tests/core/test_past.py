"""Undone one by one, what happened to an account leads back to what it was."""

from __future__ import annotations

from itertools import pairwise
from typing import Any

from hypothesis import given
from hypothesis import strategies as st

from syncd.core.fingerprint import canonical
from syncd.core.moved import moved
from syncd.core.past import Held, moved_back, undone

values = st.one_of(st.none(), st.sampled_from(["", "a", "b"]), st.lists(st.sampled_from(["x", "y"]), max_size=2), st.booleans())
documents = st.dictionaries(st.sampled_from(["name", "title", "roles"]), values, max_size=3)
nested = st.builds(
    lambda flat, inner: {**flat, "meta": inner} if inner else flat,
    documents,
    st.dictionaries(st.sampled_from(["id", "team"]), st.sampled_from(["", "p", "q"]), max_size=2),
)


@given(nested, nested)
def test_moves_undone_are_what_was_before(before: dict[str, Any], after: dict[str, Any]) -> None:
    assert canonical(moved_back(after, moved(before, after))) == canonical(before)


@given(st.lists(nested, min_size=1, max_size=6))
def test_a_history_of_readings_is_walked_back_step_by_step(views: list[dict[str, Any]]) -> None:
    held = Held("a1", views[-1])
    for was, then in reversed(list(pairwise(views))):
        held = undone(held, "observed", {"account": "a1", "gone": False, "back": False, "moved": moved(was, then)})
        assert canonical(held.document) == canonical(was)


def sent(kind: str, outcome: str = "applied", **delta: Any) -> dict[str, Any]:
    return {"kind": kind, "outcome": outcome, "account": "a1", "delta": delta}


def test_before_a_creation_and_an_adoption_they_had_none() -> None:
    assert undone(Held("a1", {"name": "Ann"}), "sent", sent("create")) == Held(None)
    assert undone(Held("a1", {"name": "Ann"}), "settled", sent("adopt")) == Held(None)


def test_before_a_deletion_and_a_disappearance_they_had_one_of_which_nothing_is_known() -> None:
    assert undone(Held(None), "sent", sent("delete")) == Held("a1")
    assert undone(Held(None), "observed", {"account": "a1", "gone": True, "back": False, "moved": {}}) == Held("a1")
    assert undone(Held("a1"), "sent", sent("update", name=["Ann", "Eve"])) == Held("a1"), "and it stays so"


def test_before_it_was_back_it_was_gone() -> None:
    assert undone(Held("a1", {}), "observed", {"account": "a1", "gone": False, "back": True, "moved": {}}) == Held(None)


def test_a_request_that_did_nothing_is_not_undone() -> None:
    now = Held("a1", {"name": "Eve"})
    for outcome in ("rejected", "retry", "lost", "in_doubt", "skipped"):
        assert undone(now, "sent", sent("update", outcome, name=["Ann", "Eve"])) == now
    assert undone(now, "sent", sent("update", name=["Ann", "Eve"])) == Held("a1", {"name": "Ann"})


def test_a_persons_word_gave_or_took_the_account() -> None:
    assert undone(Held("a1", {}), "decided", {"command": "link -c chat a1 ann", "account": "a1"}) == Held(None)
    assert undone(Held(None), "decided", {"command": "unlink -c chat a1", "account": "a1"}) == Held("a1")
    assert undone(Held("a1", {}), "decided", {"command": "held release 3"}) == Held("a1", {})
