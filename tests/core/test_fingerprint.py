"""Fingerprints are equal when, and only when, the values are."""

import unicodedata

from core_strategies import documents, same, texts, values
from hypothesis import given
from hypothesis import strategies as st

from syncd.core.fingerprint import fingerprint, fingerprint_of_clean
from syncd.core.values import clean


@given(documents, documents)
def test_equal_when_and_only_when_the_clean_values_are(one, other):
    assert (fingerprint(one) == fingerprint(other)) == same(clean(one) or {}, clean(other) or {})


@given(st.dictionaries(texts, values))
def test_the_order_of_members_does_not_count(document):
    assert fingerprint(document) == fingerprint(dict(reversed(document.items())))


@given(st.dictionaries(texts, values), texts)
def test_an_entry_without_value_does_not_count(document, name):
    without = {key: value for key, value in document.items() if key != name}
    assert fingerprint({**without, name: None}) == fingerprint({**without, name: {"a": [], "b": ""}}) == fingerprint(without)


@given(st.recursive(st.text(st.characters()) | st.floats() | st.integers(), st.lists))
def test_what_strangers_wrote_always_has_one(value):
    assert len(fingerprint({"a": value})) == 16


def test_values_that_python_takes_for_equal_are_not():
    prints = [fingerprint({"a": value}) for value in (1, True, "1", "true", [1], [True])]
    assert len(set(prints)) == len(prints)


def test_composition_counts():
    assert fingerprint({"a": unicodedata.normalize("NFC", "é")}) != fingerprint({"a": unicodedata.normalize("NFD", "é")})


def test_a_fingerprint_is_for_ever():
    assert fingerprint({"b": "é", "a": [1, True], "none": None}).hex() == "8e0f50dfbc2ac797bd85f668198dee6f"


@given(st.dictionaries(texts, values))
def test_clean_values_need_no_cleaning_to_have_the_same_fingerprint(found):
    assert fingerprint_of_clean({name: clean(value) for name, value in found.items()}) == fingerprint(found)
