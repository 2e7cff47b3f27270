"""Pages sliced into raw records; one bad record costs itself, a bad envelope the page."""

from __future__ import annotations

import json
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from syncd.connectors.pages import PageDecoder, recovered_id
from syncd.connectors.retry import Malformed

DECODER = PageDecoder("users", ("meta",), "sid")
texts = st.text(st.characters(exclude_categories=["Cs"]), max_size=8)
scalars = st.none() | st.integers(-9, 9) | texts
values = st.recursive(scalars, lambda inner: st.lists(inner, max_size=3) | st.dictionaries(texts, inner, max_size=3), max_leaves=8)
BAD = {
    "nan": b'{"sid":"US9","friendly_name":NaN}',
    "deep": b'{"sid":"US9","friendly_name":' + b"[" * 100_000 + b"]" * 100_000 + b"}",
    "deep twice": b'{"x":' + b'{"sid":' * 3000 + b"1" + b"}" * 3000 + b',"sid":"US9"}',
    "huge": b'{"sid":"US9","n":1e999999}',
    "surrogate": b'{"sid":"US9","friendly_name":"\\ud800"}',
    "control": b'{"sid":"US9","friendly_name":"a\x01b"}',
    "utf-8": b'{"sid":"US9","friendly_name":"\xff\xfe"}',
    "literal": b'{"sid":"US9","friendly_name":undefined}',
}


def page(*records: bytes, meta: bytes = b'{"next":null}') -> bytes:
    return b'{"meta":' + meta + b', "users" : [' + b" , ".join(records) + b" ]}"


@given(st.lists(st.dictionaries(texts, values, max_size=4), max_size=6), st.sampled_from([None, 2]), st.booleans())
def test_records_come_back_byte_for_byte(documents: list[dict[str, Any]], indent: int | None, ascii: bool) -> None:
    raw = [json.dumps(one, indent=indent, ensure_ascii=ascii).encode() for one in documents]
    slices = DECODER.decode(page(*raw))
    assert list(slices.records) == raw
    assert slices.rest == {"meta": {"next": None}}
    assert not slices.flaws
    apart = DECODER._taken_apart(page(*raw))
    assert apart == slices or any("\\u0000" in json.dumps(one) for one in documents)


@pytest.mark.parametrize("bad", BAD.values(), ids=BAD.keys())
def test_a_page_with_one_bad_record_loses_only_that_one(bad: bytes) -> None:
    good = [b'{"sid":"US1","friendly_name":"}],["}', b'{"sid": "US2"}']
    slices = DECODER.decode(page(good[0], bad, good[1]))
    kept = [one for one in slices.records if one != bad]
    assert kept == good
    if bad not in slices.records:  # msgspec slices some without looking inside: parsing finds those
        (flaw,) = slices.flaws
        assert (flaw.where, flaw.id) == ("record 2 of its page", "US9")
        assert flaw.reason


def test_nan_and_depth_are_found_while_slicing() -> None:
    for name in ("nan", "deep twice", "literal"):
        assert DECODER.decode(page(BAD[name])).flaws


def test_elements_that_are_no_record() -> None:
    slices = DECODER.decode(page(b"1", b'{"sid":"US1"}', b"null", b'"x"', b"[]"))
    assert slices.records == (b'{"sid":"US1"}',)
    assert [(one.where, one.id) for one in slices.flaws] == [(f"record {n} of its page", None) for n in (1, 3, 4, 5)]
    assert {one.reason for one in slices.flaws} == {"it is no JSON object"}


@pytest.mark.parametrize(
    "body",
    [
        b"",
        b"{}",
        b"[]",
        b"null",
        b'{"users":[]}',
        b'{"meta":{}}',
        b'{"meta":{},"users":{}}',
        b'{"meta":{},"users":null}',
        b'{"meta":NaN,"users":[]}',
        b'{"meta":{},"users":[{"sid":"US1"}',
        b'{"meta":{},"users":[{"sid":"US1"}}',
        b'{"meta":{},"users":[{"sid":"US1}]}',
        b'{"meta":{},"users":[]}}',
        b'{"meta":{},"users":[]}{"users":[]}',
        b'{"meta":{},"users" []}',
        b'{"code":20500,"message":"Internal Server Error","status":500}',
        b'{"meta":{},"users":[{"sid":"US1"},' + b"[" * 100_000,
        b'"' * 1001,
    ],
)
def test_envelopes_that_are_no_page(body: bytes) -> None:
    with pytest.raises(Malformed):
        DECODER.decode(body)


@given(st.text(alphabet='{}[]",:\\ usermta1N\n', max_size=80).map(str.encode))
def test_any_bytes_are_a_page_or_malformed(body: bytes) -> None:
    for raw in (body, page(body), page(b'{"sid":' + body + b"}")):
        try:
            slices = DECODER.decode(raw)
        except Malformed:
            continue
        assert all(isinstance(one, bytes) for one in slices.records)


def test_a_wall_of_quotes_and_backslashes_takes_no_quadratic_time() -> None:
    for body in (b'{"' + b'\\"' * 150_000 + b"}", b"{" + b'"' * 300_001 + b"}", b'{"users":[' + b'{"a' * 100_000 + b"]}"):
        with pytest.raises(Malformed):
            DECODER.decode(body)


@pytest.mark.parametrize(
    ("record", "id"),
    [
        (b'{"sid":"US1","x":NaN}', "US1"),
        (b'{"x":{"sid":"victim"},"sid":"US1","y":"\\ud800"}', "US1"),
        (b'{"attributes":"{\\"sid\\":\\"victim\\"}","z":NaN}', None),
        (b'{"sid":12,"x":NaN}', None),
        (b'{"sid":"","x":NaN}', None),
        (b'{"\\ud800":1,"sid":"US1"}', "US1"),
        (b'{"sid":"US1', None),
        (b"NaN", None),
    ],
)
def test_the_id_of_a_bad_record_is_its_own_or_unknown(record: bytes, id: str | None) -> None:
    assert recovered_id(record, "sid") == id
