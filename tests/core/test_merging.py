"""Precedence: whose value wins."""

from __future__ import annotations

from typing import Any

from hypothesis import given
from hypothesis import strategies as st

from syncd.core.merging import contributor, merge

SOURCES = ["hr", "erp", "app"]
names = st.sampled_from(["phone", "title", "active"])
readings = st.dictionaries(st.sampled_from(SOURCES), st.dictionaries(names, st.integers(0, 9) | st.booleans()))
orders = st.lists(st.sampled_from(SOURCES), unique=True)
precedences = st.dictionaries(names, orders)


@given(read=readings, order=orders, precedence=precedences)
def test_the_first_that_has_a_value_wins_and_only_when_all_are_empty_there_is_none(
    read: dict[str, dict[str, Any]], order: list[str], precedence: dict[str, list[str]]
) -> None:
    merged = merge(read, order, precedence)
    for name in ("phone", "title", "active"):
        having = [one for one in precedence.get(name, order) if name in read.get(one, {})]
        assert contributor(name, read, order, precedence) == (having[0] if having else None)
        assert (name in merged) == bool(having)
        assert not having or merged[name] is read[having[0]][name]


@given(read=readings, order=orders, precedence=precedences)
def test_who_precedence_does_not_name_contributes_nothing(
    read: dict[str, dict[str, Any]], order: list[str], precedence: dict[str, list[str]]
) -> None:
    named = {name: {one: values for one, values in read.items() if one in precedence.get(name, order)} for name in ("phone", "title")}
    for name, some in named.items():
        assert merge(some, order, precedence).get(name) == merge(read, order, precedence).get(name)


def test_false_is_a_value() -> None:
    assert merge({"hr": {"active": False}, "erp": {"active": True}}, ["hr", "erp"], {}) == {"active": False}


def test_an_attribute_may_have_an_order_of_its_own() -> None:
    read = {"hr": {"phone": "1", "title": "Chef"}, "erp": {"phone": "2", "title": "Cook"}}
    assert merge(read, ["hr", "erp"], {"phone": ["erp", "hr"]}) == {"phone": "2", "title": "Chef"}
    assert merge({"hr": read["hr"]}, ["hr", "erp"], {"phone": ["erp"]}) == {"title": "Chef"}
