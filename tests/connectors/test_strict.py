"""JSON that can be kept, and JSON that cannot."""

from __future__ import annotations

import json
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from syncd.connectors import strict

texts = st.text(st.characters(exclude_categories=["Cs"], exclude_characters="\x00"), max_size=10)
scalars = st.none() | st.booleans() | st.integers(-(2**63), 2**64 - 1) | st.floats(allow_nan=False, allow_infinity=False) | texts
values = st.recursive(scalars, lambda inner: st.lists(inner, max_size=4) | st.dictionaries(texts, inner, max_size=4), max_leaves=20)


@given(values, st.booleans())
def test_what_can_be_kept_is_kept_unchanged(value: Any, ascii: bool) -> None:
    kept = strict.loads(json.dumps(value, ensure_ascii=ascii).encode())
    assert kept == value
    assert strict.loads(strict.dumps(kept).encode()) == value


@pytest.mark.parametrize(
    ("text", "reason"),
    [
        (b'{"a": NaN}', "expected"),
        (b"[Infinity]", "expected"),
        (b"1e400", "infinity"),
        (b"9" * 5000, "."),
        (b'{"n": 18446744073709551616}', "64 bits"),
        (b'{"n": [-9223372036854775809]}', "64 bits"),
        (b"[" * 100_000, "depth"),
        (b"[" * 65 + b"]" * 65, "deeper than 64"),
        (b"[" * 1020 + b'"\\u0041"' + b"]" * 1020, "too large"),
        (b'{"a":' * 70 + b"1" + b"}" * 70, "deeper than 64"),
        (b'"\\ud800"', "surrogate"),
        (b'"\\udc00x"', "."),
        (b'"a\\u0000b"', "NUL"),
        (b'{"a\\u0000": 1}', "NUL"),
        (b'["\\uD83D\\ude00", {"x": ["\\u0000"]}]', "NUL"),
        (b'"\xff"', "."),
        (b"", "."),
        (b"{}{}", "."),
    ],
)
def test_what_cannot_be_kept(text: bytes, reason: str) -> None:
    with pytest.raises(ValueError, match=reason):
        strict.loads(text)


def test_sixty_four_levels_and_wide_documents_are_fine() -> None:
    strict.loads(b"[" * 64 + b"]" * 64)
    wide = b"[" + b",".join([b"[]"] * 1000) + b"]"
    assert len(strict.loads(wide)) == 1000


def test_escapes_and_long_numbers_that_are_harmless_pass() -> None:
    assert strict.loads(b'["\\u00e9", "\\\\u0000", 1234567890123456789, 0.12345678901234567891]') == [
        "é",
        "\\u0000",
        1234567890123456789,
        0.12345678901234567891,
    ]


def test_dumps_is_compact_sorted_and_keeps_letters() -> None:
    assert strict.dumps({"z": 1, "é": ["ü"], "a": {"c": 1, "b": None}}) == '{"a":{"b":null,"c":1},"z":1,"é":["ü"]}'


@pytest.mark.parametrize("value", [2**64, "\ud800", {1: 2}, object()])
def test_dumps_refuses_what_json_cannot_carry(value: Any) -> None:
    with pytest.raises(ValueError, match=r"."):
        strict.dumps({"x": value})


@given(st.binary(max_size=60) | st.text(alphabet='[]{}",:\\u0dD8e1N', max_size=60).map(str.encode))
def test_any_bytes_are_a_value_or_a_value_error(raw: bytes) -> None:
    try:
        strict.loads(raw)
    except ValueError:
        return
    json.loads(raw)
