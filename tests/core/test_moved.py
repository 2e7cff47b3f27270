"""What moved between two views of an account: exactly the members that differ, by their paths."""

from __future__ import annotations

from typing import Any

from hypothesis import given
from hypothesis import strategies as st

from syncd.core.fingerprint import canonical
from syncd.core.moved import moved
from syncd.core.paths import get, with_value, without

NAMES = st.sampled_from("abc")
LEAVES = st.none() | st.booleans() | st.integers(-2, 2) | st.sampled_from(["", "x", "y"]) | st.lists(st.sampled_from("xy"), max_size=2)
DOCUMENTS = st.dictionaries(NAMES, st.recursive(LEAVES, lambda inner: st.dictionaries(NAMES, inner, max_size=3), max_leaves=6))


@given(DOCUMENTS, DOCUMENTS)
def test_taking_over_what_moved_makes_the_one_the_other(before: dict[str, Any], after: dict[str, Any]) -> None:
    made = before
    for path, (held, holds) in moved(before, after).items():
        assert canonical(get(before, path)) == canonical(held)
        assert canonical(get(after, path)) == canonical(holds)
        made = without(made, path) if holds is None else with_value(made, path, holds)
    assert canonical(made) == canonical(after)


@given(DOCUMENTS)
def test_nothing_moved_where_nothing_differs(document: dict[str, Any]) -> None:
    assert moved(document, document) == {}


@given(DOCUMENTS, DOCUMENTS)
def test_nothing_is_named_that_did_not_move(before: dict[str, Any], after: dict[str, Any]) -> None:
    for held, holds in moved(before, after).values():
        assert canonical(held) != canonical(holds)


def test_values_are_compared_in_one_form() -> None:
    def form(name: str, value: Any) -> Any:
        return sorted(value) if isinstance(value, list) else value

    assert moved({"labels": ["b", "a"], "name": "x"}, {"labels": ["a", "b"], "name": "y"}, form) == {"name": ["x", "y"]}


@given(DOCUMENTS, DOCUMENTS)
def test_whatever_differs_is_named(before: dict[str, Any], after: dict[str, Any]) -> None:
    """By the one equality of values, which is not Python's: 1 is not True, and an empty list is no value."""
    differing = {name for name in {*before, *after} if canonical(before.get(name)) != canonical(after.get(name))}
    assert {path.partition(".")[0] for path in moved(before, after)} == differing


def test_a_number_that_becomes_true_has_moved() -> None:
    assert moved({"a": {"b": [1]}}, {"a": {"b": [True]}}) == {"a.b": [[1], [True]]}
