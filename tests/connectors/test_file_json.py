"""JSON and JSON Lines people files: one bad record is rejected by itself, a broken frame makes the listing incomplete."""

from __future__ import annotations

import json
from typing import Any

import orjson
import pytest

from syncd.errors import Incomplete

pytestmark = pytest.mark.anyio

# One bad record, and what is known of it: (bytes, id, words of the reason); an id that is unknown makes the listing incomplete.
RECORDS: dict[str, tuple[bytes, str | None, str]] = {
    "lone high surrogate": (rb'{"id": "x", "n": "\ud800"}', "x", "a lone surrogate"),
    "lone low surrogate": (rb'{"id": "x", "n": "a\udc00"}', "x", "a lone surrogate"),
    "surrogates the wrong way round": (rb'{"id": "x", "n": "\udc00\ud800"}', "x", "a lone surrogate"),
    "surrogate in the id": (rb'{"id": "\ud800", "n": 1}', None, "a lone surrogate"),
    "NaN": (b'{"id": "x", "n": NaN}', "x", "NaN is not JSON"),
    "Infinity": (b'{"id": "x", "n": [-Infinity]}', "x", "-Infinity is not JSON"),
    "number beyond a double": (b'{"id": "x", "n": 1e400}', "x", "not JSON: number is infinity"),
    "Latin-1 bytes": (b'{"id": "x", "n": "Andr\xe9"}', "x", "not UTF-8"),
    "escaped NUL": (rb'{"id": "x", "n": ["\\\u0000"]}', "x", "NUL characters"),
    "10 MB member": (b'{"id": "x", "n": "' + b"x" * 10_000_000 + b'"}', "x", "n is over 1 MiB"),
    "deep": (b'{"id": "x", "n": ' + b"[" * 300 + b"]" * 300 + b"}", "x", "nested too deep"),
    "deep array": (b"[" * 300 + b"]" * 300, None, "nested too deep"),
    "no id": (b'{"n": 1}', None, "no id"),
    "null id": (b'{"id": null}', None, "no id"),
    "blank id": (b'{"id": " "}', None, "no id"),
    "NUL in the id": (rb'{"id": "a\u0000", "n": 1}', None, "NUL characters"),
    "boolean id": (b'{"id": true}', None, "id is neither text nor a whole number"),
    "fractional id": (b'{"id": 12.0}', None, "id is neither text nor a whole number"),
    "id beyond 64 bits": (b'{"id": 99999999999999999999999}', None, "id is neither text nor a whole number below 2**64"),
    "list": (b"[1]", None, "not a JSON object"),
    "text with NaN beside": (b'["x", NaN]', None, "NaN is not JSON"),
}


@pytest.mark.parametrize("form", ["jsonl", "json"])
@pytest.mark.parametrize("name", RECORDS)
async def test_a_bad_record_is_rejected_by_itself(name: str, form: str, read: Any) -> None:
    record, id, words = RECORDS[name]
    lines = [b'{"id": "a"}', record, b'{"id": 7}']
    content = b"\n".join(lines) + b"\n" if form == "jsonl" else b"[" + b",\n".join(lines) + b"]"
    reading = await read(content, name=f"people.{form}")
    assert [(one.where, one.id) for one in reading.flaws] == [(f"people.{form} line 2", id)]
    assert words in reading.flaws[0].reason
    assert reading.complete == (id is not None)
    assert reading.defect == ("" if id else f"people.{form} line 2: {reading.flaws[0].reason}")
    assert [orjson.loads(one)["id"] for one in reading.records] == ["a", 7]


# A file whose end or frame is broken: (name, content, words of the defect, ids read before)
FRAMES: dict[str, tuple[str, bytes, str, list[str]]] = {
    "empty lines file": ("p.jsonl", b"", "p.jsonl is empty", []),
    "half-written line": ("p.jsonl", b'{"id":"a"}\n{"id":"b"}', "p.jsonl line 2: half-written", ["a"]),
    "two records on a line": ("p.jsonl", b'{"id":"a"}{"id":"b"}\n{"id":"c"}\n', "p.jsonl line 1: not JSON", ["c"]),
    "raw NUL": ("p.jsonl", b'{"id":"a\0"}\n{"id":"c"}\n', "p.jsonl line 1: not JSON", ["c"]),
    "deeper than any parser goes": ("p.jsonl", b"[" * 100_000 + b'\n{"id":"c"}\n', "p.jsonl line 1: not JSON", ["c"]),
    "20 MB line": ("p.jsonl", b'{"id":"a","n":"' + b"x" * 20_000_000 + b'"}\n{"id":"c"}\n', "p.jsonl line 1: longer than 16 MiB", ["c"]),
    "number of 5,000 digits": ("p.jsonl", b'{"id":' + b"9" * 5000 + b'}\n{"id":"c"}\n', "p.jsonl line 1: not JSON", ["c"]),
    "duplicate id": ("p.jsonl", b'{"id":7}\n{"id":"7"}\n', "p.jsonl line 2: id '7' stands in the file twice", [7]),  # type: ignore[list-item]
    "empty array file": ("p.json", b"", "p.json is empty", []),
    "one object": ("p.json", b'{"id":"a"}', "p.json is not a JSON array", []),
    "array cut behind a record": ("p.json", b'[{"id":"a"},\n{"id":"b"}', "p.json line 2: the array breaks off", ["a", "b"]),
    "array cut behind a comma": ("p.json", b'[{"id":"a"},', "p.json line 1: not JSON", ["a"]),
    "array cut in a record": ("p.json", b'[{"id":"a"},\n{"id":"b', "p.json line 2: not JSON", ["a"]),
    "array just begun": ("p.json", b"[", "p.json line 1: not JSON", []),
    "comma missing": ("p.json", b'[{"id":"a"}\n{"id":"b"}]', "p.json line 1: the array breaks off, or lacks a comma", ["a"]),
    "comma too many": ("p.json", b'[{"id":"a"},]', "p.json line 1: not JSON", ["a"]),
    "two arrays": ("p.json", b'[{"id":"a"}][]', "p.json: more text behind", ["a"]),
    "array deeper than the parser goes": ("p.json", b'[{"id":"a"},' + b"[" * 100_000, "p.json line 1: nested too deep", ["a"]),
}


@pytest.mark.parametrize("name", FRAMES)
async def test_a_broken_frame_is_incomplete(name: str, read: Any) -> None:
    file, content, defect, ids = FRAMES[name]
    reading = await read(content, name=file)
    assert not reading.complete and defect in reading.defect
    assert [orjson.loads(record)["id"] for record in reading.records] == ids


GOOD = {
    "lines": ("p.jsonl", b'\xef\xbb\xbf{"id":"a","n":{"b":[1,null]}}\r\n\n{"id":2}\n', [{"id": "a", "n": {"b": [1, None]}}, {"id": 2}]),
    "array": (
        "p.json",
        b'\xef\xbb\xbf [ {"id":"a","n":{"b":[1,null]}} ,\n\t{"id":2} ] \n',
        [{"id": "a", "n": {"b": [1, None]}}, {"id": 2}],
    ),
    "empty array": ("p.json", b"[ ]\n", []),
    "upper-case suffix": ("P.JSON", b'[{"id":"a"}]', [{"id": "a"}]),
    "a pair of surrogates": ("p.jsonl", rb'{"id":"\ud83d\ude00"}' + b"\n", [{"id": "\U0001f600"}]),
    "a backslash before u0000": ("p.jsonl", rb'{"id":"\\u0000"}' + b"\n", [{"id": r"\u0000"}]),
    "a command": ("p.jsonl", b'{"id":"a","n":"=1+1"}\n', [{"id": "a", "n": "=1+1"}]),
    "much in small members": ("p.jsonl", json.dumps({"id": "a", **{f"n{n}": "x" * 99_999 for n in range(20)}}).encode() + b"\n", None),
}


@pytest.mark.parametrize("name", GOOD)
async def test_good_input(name: str, read: Any) -> None:
    file, content, rows = GOOD[name]
    reading = await read(content, name=file)
    assert (reading.complete, reading.defect, reading.flaws) == (True, "", [])
    assert rows is None or [orjson.loads(record) for record in reading.records] == rows


@pytest.mark.parametrize("form", ["jsonl", "json"])
async def test_cut_anywhere_it_is_never_complete_but_at_the_end_of_a_record(form: str, read: Any) -> None:
    lines = [rb'{"id":"a","n":"\u00e9 \"}, {"}', b'{"id":2,"m":{"x":[1.5,true,null]}}', '{"id":"é"}'.encode()]
    content = b"\n".join([*lines, b""]) if form == "jsonl" else b"[" + b",\n".join(lines) + b"]"
    ends = {sum(len(line) + 1 for line in lines[:n]): n for n in (1, 2, 3)} if form == "jsonl" else {len(content): 3}
    for cut in range(len(content) + 1):
        reading = await read(content[:cut], name=f"people.{form}")
        assert reading.complete == (cut in ends)
        assert not reading.complete or len(reading.records) == ends[cut]


@pytest.mark.parametrize(("file", "around"), [("p.jsonl", b"%s\n%s\n"), ("p.json", b"[%s,\n%s]")])
async def test_a_mapped_member_must_occur_in_some_record(file: str, around: bytes, read: Any) -> None:
    content = around % (b'{"id":"a","mail":"x"}', b'{"id":"b","dept":"y","address":{"city":"z"}}')
    assert (await read(content, "dept", "mail", "address.city", name=file)).complete
    assert (await read(content.replace(b'"x"', b"NaN"), "dept", name=file)).complete, "a rejected record has no members"
    with pytest.raises(Incomplete, match=r"no column 'email' \(did you mean 'mail'\?\); its columns are 'id', 'mail', 'dept'"):
        await read(content, "dept", "email", name=file)


async def test_without_a_readable_record_no_member_is_missed(read: Any) -> None:
    assert (await read(b"[]", "dept", name="p.json")).complete
    assert (await read(b'{"id":"a","x', "dept", name="p.jsonl")).defect.startswith("p.jsonl line 1: half-written")


async def test_a_large_array_is_sent_to_json_lines(people: Any, tmp_path: Any) -> None:
    source = people(b"[", name="p.json")
    with (tmp_path / "p.json").open("r+b") as file:
        file.truncate((64 << 20) + 1)
    with pytest.raises(Incomplete, match=r"p\.json is over 64 MiB: write it as \.jsonl"):
        await source.list(None)
