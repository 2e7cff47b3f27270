"""Precedence: whose value wins."""

from __future__ import annotations

from typing import Any

from hypothesis import given
from hypothesis import strategies as st

from syncd.core.merging import Claim, Say, claims, complete, contributor, merge

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


# ---- echoes ----

echoes = st.dictionaries(st.sampled_from(SOURCES), st.dictionaries(names, st.lists(st.integers(0, 9) | st.booleans(), max_size=2)))


@given(read=readings, order=orders, precedence=precedences, echoed=echoes)
def test_an_echo_is_no_opinion_and_counts_as_no_value(
    read: dict[str, dict[str, Any]], order: list[str], precedence: dict[str, list[str]], echoed: dict[str, dict[str, list[Any]]]
) -> None:
    opinions = {
        one: {name: value for name, value in values.items() if value not in echoed.get(one, {}).get(name, ())}
        for one, values in read.items()
    }
    assert merge(read, order, precedence, echoed) == merge(opinions, order, precedence)


@given(read=readings, order=orders, precedence=precedences, echoed=echoes, name=names)
def test_claims_name_everybody_asked_and_at_most_one_winner(
    read: dict[str, dict[str, Any]], order: list[str], precedence: dict[str, list[str]], echoed: dict[str, dict[str, list[Any]]], name: str
) -> None:
    made = claims(name, read, order, precedence, echoed)
    assert [one.connection for one in made] == list(precedence.get(name, order))
    winners = [one for one in made if one.say is Say.WINS]
    merged = merge(read, order, precedence, echoed)
    assert [one.value for one in winners] == ([merged[name]] if name in merged else [])
    assert [one.connection for one in winners] == [one for one in [contributor(name, read, order, precedence, echoed)] if one]
    before = made[: made.index(winners[0])] if winners else made
    assert all(one.say in (Say.ECHO, Say.NOTHING) for one in before)


def test_claims_say_why_a_value_did_not_win() -> None:
    read = {"app": {"phone": "1"}, "hr": {"phone": "2"}, "erp": {"phone": "3"}}
    assert claims("phone", read, [], {"phone": ["app", "chat", "hr", "erp"]}, {"app": {"phone": ["1"]}}) == (
        Claim("app", "1", Say.ECHO), Claim("chat", None, Say.NOTHING), Claim("hr", "2", Say.WINS), Claim("erp", "3", Say.LOSES)
    )  # fmt: skip


NAMED = {"phone": ["app", "chat", "hr"]}


def completed(read: dict[str, dict[str, Any]], written: dict[str, dict[str, list[Any]]], *having: str) -> dict[str, Any]:
    return complete(read, ["hr"], NAMED, written, {one: {"phone"} for one in having})


def test_where_nobody_knows_what_was_written_the_value_of_all_others_is_taken_for_it() -> None:
    assert completed({"app": {"phone": "1"}, "hr": {"phone": "1"}}, {}, "app") == {"app": {"phone": ["1"]}}
    assert completed({"app": {"phone": "2"}, "hr": {"phone": "1"}}, {}, "app") == {"app": {"phone": []}}
    assert completed({"app": {}, "hr": {"phone": "1"}}, {}, "app") == {"app": {"phone": []}}
    assert completed({"app": {"phone": "1"}}, {}, "app") == {"app": {"phone": []}}


def test_what_is_known_stays_as_it_is() -> None:
    assert completed({"app": {"phone": "1"}, "hr": {"phone": "1"}}, {"app": {"phone": []}}, "app") == {"app": {"phone": []}}


def test_two_that_agree_against_the_source_do_not_call_each_other_an_echo() -> None:
    read = {"app": {"phone": "2"}, "chat": {"phone": "2"}, "hr": {"phone": "1"}}
    assert completed(read, {}, "app", "chat") == {"app": {"phone": []}, "chat": {"phone": []}}
    assert completed(read, {"app": {"phone": ["1"]}}, "app", "chat") == {"app": {"phone": ["1"]}, "chat": {"phone": ["2"]}}


@given(read=readings, order=orders, precedence=precedences, written=echoes)
def test_to_complete_what_is_known_changes_no_winner_among_those_that_agree(
    read: dict[str, dict[str, Any]], order: list[str], precedence: dict[str, list[str]], written: dict[str, dict[str, list[Any]]]
) -> None:
    """What is taken for an echo is what the others say anyway; and it stays taken."""
    having = {"app": ["phone", "title"]}
    found = complete(read, order, precedence, written, having)
    known = {"app": {name: values for name, values in written.get("app", {}).items() if name in having["app"]}}
    named = {name: [one for one in precedence.get(name, order)] for name in ("phone", "title")}
    first = {name: order for name, order in named.items() if "app" in order}
    for name in first:
        assert merge(read, order, precedence, found).get(name) == merge(read, order, precedence, known).get(name)
    assert complete(read, order, precedence, found, having) == found
