"""Correlation keys, ignore globs, identity ids and markers."""

import json
import re
import sys
import unicodedata
from uuid import UUID, uuid5

import pytest
from core_strategies import texts
from hypothesis import example, given
from hypothesis import strategies as st

from syncd.core.correlation import Ignore, fold, identity_id, key, keys, marker, parse_marker
from syncd.core.globs import Globs
from syncd.errors import Rejected

anything = st.text(st.characters())
cased = st.text(st.characters(codec="utf-8", categories=["Lu", "Ll", "Lt", "Mn", "Nd", "Zs"]))


@given(texts)
def test_composition_does_not_matter(text):
    for form in ("NFC", "NFD"):
        assert key("userName", unicodedata.normalize(form, text)) == key("userName", text)


@given(cased)
@example("\u0345\u0301A")
@example("ΐ ΰ ᾳ")
def test_folding_is_idempotent(text):
    assert fold(fold(text)) == fold(text)


def test_folding_every_character_once_is_enough():
    assert [c for c in map(chr, range(sys.maxunicode + 1)) if fold(fold(c)) != fold(c)] == []


@given(cased)
@example("\u0345\u0300")
@example("ΟΔΟΣ ŉ ᾳ ﬃ ẞ")
def test_case_does_not_matter(text):
    """In NFD (an iota subscript ahead of another mark has no settled upper case), the dotless i excepted: its upper case is I."""
    text = unicodedata.normalize("NFD", text.replace("\u0131", ""))
    assert fold(text.upper()) == fold(text.lower()) == fold(text.casefold()) == fold(text)


@pytest.mark.parametrize(
    ("one", "other"),
    [
        ("\u212aate", "KATE"),
        ("Straße", "STRASSE"),
        (" a@b.example\t", "A@B.EXAMPLE"),
        ("José", "jose\u0301"),
        (1001, "1001"),
        (1001.0, "1001"),
    ],
)
def test_what_is_the_same_person(one, other):
    assert key("userName", one) == key("userName", other)


@pytest.mark.parametrize(("one", "other"), [("resume", "résumé"), ("a b", "ab"), ("\u0131", "i"), ("a.b", "ab")])
def test_what_is_not(one, other):
    assert key("userName", one) != key("userName", other)


@pytest.mark.parametrize("value", [None, "", "  \u00a0", [], {}, ["a"], {"a": 1}, True, "a\0", "\ud800"])
def test_no_key(value):
    assert key("userName", value) is None


def test_telephone_numbers_are_their_digits():
    assert key("phone", "+33 (1) 23-45.67") == key("phone", "+33\u00a01\u202f234567") == "+331234567"
    assert key("phone", " - ") is None


def test_keys_of_the_attributes_that_have_one():
    assert keys({"userName": "Ann", "email": "", "title": "x"}, ["externalId", "userName", "email"]) == {"userName": "ann"}


@given(anything, anything)
def test_a_glob_without_wildcards_matches_itself_alone(pattern, text):
    plain = pattern.replace("*", "").replace("?", "")
    assert Globs([plain]).matches(plain)
    assert Globs([plain]).matches(text) == (plain == text)


@given(st.lists(st.text("ab*?[]!-\n", max_size=5), max_size=3), st.text("ab[]!-\n", max_size=6))
def test_only_two_wildcards(patterns, text):
    """Compared with the definition: a star is any text, a question mark any one character."""
    expressions = ["".join({"*": ".*", "?": "."}.get(one, re.escape(one)) for one in pattern) for pattern in patterns]
    assert Globs(patterns).matches(text) == any(re.fullmatch(one, text, re.DOTALL) for one in expressions)


@given(cased)
def test_ignoring_does_not_regard_case_or_composition(text):
    assert Ignore([unicodedata.normalize("NFD", text).casefold()]).matches(text) == bool(fold(text))


def test_ignored_by_any_of_the_values():
    ignore = Ignore(["SVC-*", "admin@corp.example", "a[1]?", " "])
    assert ignore.matches("svc-backup") and ignore.matches("42", None, "Admin@Corp.Example") and ignore.matches("A[1]x")
    assert not ignore.matches("42", None, "ann@corp.example") and not ignore.matches("") and not ignore.matches(None)
    assert not ignore.matches("xsvc-backup", "svc", "admin@corp.example.org", "a1x")


def test_a_hostile_text_does_not_stall_a_glob():
    assert not Globs(["*a*a*a*a*a*a*a*a*b"]).matches("a" * 5000)


@given(st.tuples(anything, anything, anything), st.tuples(anything, anything, anything))
@example(("a", "b:c", "d"), ("a:b", "c", "d"))
@example(("a", '","', "d"), ('a","', "", "d"))
def test_ids_are_equal_when_and_only_when_all_three_parts_are(one, other):
    try:
        assert (identity_id(*one) == identity_id(*other)) == (one == other)
    except Rejected:
        assert any("\0" in part or not part.isascii() for part in one + other)


@pytest.mark.parametrize("account", ["E\0", "\ud800"])
def test_an_id_that_cannot_be_stored_has_no_identity(account):
    with pytest.raises(Rejected):
        identity_id("prod", "people", account)


@given(anything)
def test_ids_are_uuids_of_version_5_over_the_json_text(account):
    try:
        id = identity_id("prod", "people", account)
    except Rejected:
        return
    text = json.dumps(["prod", "people", account], ensure_ascii=False, separators=(",", ":"))
    assert id == str(uuid5(UUID("e7135f14-235c-5143-a56c-0da15ed76cf7"), text))


def test_identity_ids_are_for_ever():
    assert identity_id("prod", "people", "E-1 é") == "9698afa7-342d-5b3e-949f-9c363c292a8f"
    assert UUID(identity_id("prod", "people", "")).version == 5


@given(st.text(min_size=1), st.uuids())
@example("prod:eu", UUID(int=0))
@example("line\nbreak", UUID(int=0))
def test_markers_are_read_back(instance, identity):
    assert parse_marker(marker(instance, str(identity))) == (instance, str(identity))


@pytest.mark.parametrize(
    "text", [None, 5, {}, "", "prod", "prod:1", ":" + "0" * 8, f":{UUID(int=0)}", f"prod:{UUID(int=0)} ", f"prod:{UUID(int=10)}".upper()]
)
def test_what_is_no_marker(text):
    assert parse_marker(text) is None
