"""What counts as a value, and the one form of each."""

import math
from datetime import date

import pytest
from core_strategies import same, values
from hypothesis import given
from hypothesis import strategies as st

from syncd.core.kinds import boolean, coerce, fits, text
from syncd.core.values import DEEPEST, clean, describe, legible, present, tidy
from syncd.errors import Rejected

KINDS = ["string", "boolean", "number", "set", "object", "any"]


@given(values)
def test_cleaning_is_idempotent(value):
    assert same(clean(clean(value)), clean(value))


@given(values)
def test_strangers_values_clean_like_ours(value):
    assert same(legible(value), clean(value))


@given(
    st.recursive(st.text(st.characters()) | st.floats() | st.integers(), lambda inner: st.lists(inner) | st.dictionaries(st.text(), inner))
)
def test_what_is_legible_is_clean_whatever_it_was(value):
    assert same(clean(legible(value)), legible(value))


@given(values, st.sampled_from(KINDS))
def test_coercing_is_idempotent_and_fits(value, kind):
    cleaned = clean(value)
    if cleaned is None:
        return
    try:
        once = coerce(kind, cleaned)
    except Rejected:
        assert not fits(kind, cleaned)
    else:
        assert fits(kind, once) and same(coerce(kind, once), once)


@given(st.lists(st.text(), min_size=1))
def test_sets_do_not_depend_on_order_or_repetition(members):
    assert coerce("set", members) == coerce("set", [*reversed(members), *members]) == coerce("any", members)


@pytest.mark.parametrize("value", [None, "", [], {}])
def test_four_ways_to_say_nothing(value):
    assert not present(value) and clean(value) is None and clean({"a": {"b": value}}) is None


@pytest.mark.parametrize("value", [False, 0, " ", [None], {"a": None}])
def test_what_is_a_value(value):
    assert present(value)


def test_list_members_keep_their_places():
    assert clean([None, {"a": ""}, ("x", 2.0)]) == [None, {}, ["x", 2]]


@pytest.mark.parametrize(
    ("given_", "kept"), [(3.0, 3), (-0.0, 0), (0.5, 0.5), (1e300, 1e300), (2.0**63, 2.0**63), (-(2**63), -(2**63)), (2**63 - 1, 2**63 - 1)]
)
def test_whole_numbers_have_one_form(given_, kept):
    cleaned = clean(given_)
    assert cleaned == kept and type(cleaned) is type(kept)


def _nested(levels):
    value = "x"
    for _ in range(levels):
        value = [value]
    return value


FLAWED = [
    ("a\0b", "NUL"),
    ("é\ud800", "surrogate"),
    ({"a\0": 1}, "NUL"),
    ({1: "x"}, "member name is a number"),
    (math.nan, "nan"),
    (-math.inf, "inf"),
    (2**63, "64 bits"),
    (-(2**63) - 1, "64 bits"),
    (10**5000, "64 bits"),
    (_nested(DEEPEST + 1), "levels"),
    (_nested(5000), "levels"),
    (date(2026, 1, 1), "a date is not"),
    (b"x", "a bytes is not"),
]


@pytest.mark.parametrize(("value", "flaw"), FLAWED, ids=[flaw for _, flaw in FLAWED])
def test_what_cannot_be_stored_is_rejected_and_a_strangers_is_told(value, flaw):
    with pytest.raises(Rejected, match=flaw):
        tidy([value])
    told = legible({"found": value})
    assert flaw in str(told) and same(clean(told), told)


def test_unstorable_texts_stay_apart():
    assert legible("a\0") != legible("b\0") and legible(2**64) != legible(2**65)


@pytest.mark.parametrize("wrap", [lambda inner: [inner], lambda inner: {"a": inner}])
def test_the_deepest_value_that_is_stored(wrap):
    value = "x"
    for _ in range(DEEPEST):
        value = wrap(value)
    assert tidy(value) == legible(value) == value
    with pytest.raises(Rejected, match="levels"):
        tidy(wrap(value))


@pytest.mark.parametrize(("value", "words"), [(True, "true or false"), ("x", "text"), (1.5, "a number"), ([], "a list"), ({}, "an object")])
def test_kinds_in_words(value, words):
    assert describe(value) == words


@pytest.mark.parametrize(("value", "as_text"), [(True, "true"), (False, "false"), (12, "12"), (1.5, "1.5"), ("x", "x")])
def test_scalars_as_text(value, as_text):
    assert text(value) == as_text == coerce("string", value)


@pytest.mark.parametrize("word", ["true", "1", "yes", " YES "])
def test_words_for_true(word):
    assert boolean(word) is True and coerce("boolean", word) is True


@pytest.mark.parametrize("word", ["false", "0", "no", "No"])
def test_words_for_false(word):
    assert boolean(word) is False and coerce("boolean", word) is False


@pytest.mark.parametrize(
    ("kind", "value", "why"),
    [
        ("string", ["x"], "a list where text is expected"),
        ("boolean", "maybe", "text that is none of true"),
        ("boolean", 2, "a number that is none of true"),
        ("boolean", ["true"], "a list that is none of true"),
        ("number", "many", "text where a number is expected"),
        ("number", {"a": 1}, "an object where text is expected"),
        ("number", "nan", "nan is not a number"),
        ("set", [["x"]], "a list where text is expected"),
        ("object", "x", "text where an object is expected"),
    ],
)
def test_what_does_not_fit_is_named_by_its_kind(kind, value, why):
    with pytest.raises(Rejected, match=why):
        coerce(kind, value)


@pytest.mark.parametrize(
    ("value", "kinds"),
    [
        ("x", {"string", "any"}),
        (True, {"boolean", "any"}),
        (1.5, {"number", "any"}),
        (["b", "a"], {"set", "any"}),
        (["b", 1], {"any"}),
        ({"a": 1}, {"object", "any"}),
    ],
)
def test_the_kinds_that_a_value_is_of(value, kinds):
    assert {kind for kind in KINDS if fits(kind, value)} == kinds


@pytest.mark.parametrize(
    ("kind", "value", "result"),
    [
        ("boolean", 1, True),
        ("boolean", True, True),
        ("number", "1.50", 1.5),
        ("number", "12", 12),
        ("number", 7, 7),
        ("number", True, None),
        ("set", "one", ["one"]),
        ("set", [2, "a", True], ["2", "a", "true"]),
        ("object", {"a": 1}, {"a": 1}),
        ("any", ["b", "a", "b"], ["a", "b"]),
        ("any", ["b", 1], ["b", 1]),
        ("any", 5, 5),
    ],
)
def test_what_fits(kind, value, result):
    if result is None:
        with pytest.raises(Rejected, match="true or false where a number is expected"):
            coerce(kind, value)
    else:
        assert same(coerce(kind, value), result)
