"""CSV people files: whatever is wrong with one is said with its line, and never makes anybody a leaver."""

from __future__ import annotations

import asyncio
import csv
import io
import tempfile
from pathlib import Path
from typing import Any

import orjson
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from syncd.connectors.file import FileConnector, FileOptions
from syncd.connectors.file_rows import MAX_CELL
from syncd.environment import Environment
from syncd.errors import Incomplete
from syncd.model import Rate

pytestmark = pytest.mark.anyio

BIG = b"x" * 10_000_000

# name: (file, [(where, id, words of the reason)], words of the defect or "" for complete, ids that are read)
BAD: dict[str, tuple[bytes, list[tuple[str, str | None, str]], str, list[str]]] = {
    "row without id": (b"id,n\na,1\n,2\nc,3\n", [("line 3", None, "no id")], "people.csv line 3: no id", ["a", "c"]),
    "blank id": (b"n,id\n1,  \n", [("line 2", None, "no id")], "people.csv line 2: no id", []),
    "duplicate id": (b"id,n\na,1\nb,2\na,3\n", [("line 4", "a", "stands in the file twice")], "people.csv line 4: id 'a'", ["a", "b"]),
    "rejected twin": (b"id,n\na,1\na,\xe9\n", [("line 3", "a", "not UTF-8")], "people.csv line 3: not UTF-8", ["a"]),
    "empty file": (b"", [], "people.csv is empty: no header", []),
    "only a byte order mark": (b"\xef\xbb\xbf", [], "half-written", []),
    "header cut": (b"id,n", [], "people.csv line 1: half-written", []),
    "header only": (b"id,n\n", [], "", []),
    "byte order mark": (b"\xef\xbb\xbfid,n\na,1\n", [], "", ["a"]),
    "quoted behind a byte order mark": (b'\xef\xbb\xbf"id","n"\n"a","1"\n', [], "", ["a"]),
    "half-written last line": (b"id,n\na,1\nb,2", [], "people.csv line 3: half-written", ["a"]),
    "cut in CRLF": (b"id,n\r\na,1\r\nb,2\r", [], "people.csv line 3: half-written", ["a"]),
    "cut in a quoted cell": (b'id,n\na,1\nb,"2\n', [("line 3", None, "not CSV: unexpected end")], "people.csv line 3: not CSV", ["a"]),
    "text behind a quote": (b'id,n\na,"1"x\nb,2\n', [("line 2", None, "not CSV")], "people.csv line 2: not CSV", ["b"]),
    "open quote swallows a row": (
        b'id,n,m\na,"1,x\nb,2,x\nc,"3",x\nd,4,x\n', [("line 2", None, "not CSV")], "people.csv line 2: not CSV", ["d"],
    ),
    "Latin-1 bytes": (b"id,n\na,Andr\xe9\nb,2\n", [("line 2", "a", "not UTF-8")], "", ["b"]),
    "Latin-1 id": (b"id,n\n\xe9,1\nb,2\n", [("line 2", None, "not UTF-8")], "people.csv line 2: not UTF-8", ["b"]),
    "10 MB cell": (b"id,n\na," + BIG + b"\nb,2\n", [("line 2", "a", "n is over 1 MiB")], "", ["b"]),
    "10 MB cell over lines": (
        b'id,n\na,"\n' + BIG + b'"\nb,2\n', [("line 2", "a", "n is over 1 MiB")], "people.csv line 2: n is over 1 MiB", ["b"],
    ),
    "20 MB line": (b"id,n\na," + BIG + BIG + b"\nb,2\n", [("line 2", None, "longer than 16 MiB")], "people.csv line 2: not CSV", ["b"]),
    "NUL bytes": (b"id,n\na,1\0\nb,2\n", [("line 2", "a", "NUL bytes")], "people.csv line 2: NUL bytes", ["b"]),
    "too few cells": (b"id,n\na\nb,2\n", [("line 2", "a", "1 cells, but the header has 2")], "people.csv line 2: 1 cells", ["b"]),
    "too many cells": (b"id,n\na,1,x\nb,2\n", [("line 2", "a", "3 cells")], "people.csv line 2: 3 cells", ["b"]),
    "shifted id": (b"n,id\nDoe, Jane,a\n2,b\n", [("line 2", None, "3 cells")], "people.csv line 2: 3 cells", ["b"]),
    "commands are text": (b"id,n\na,=cmd|'/C calc'!A0\n", [], "", ["a"]),
    "blank lines": (b"id,n\n\na,1\n\r\n", [], "", ["a"]),
    "bare CR": (b"id,n\na,1\rb,2\n", [("line 2", None, "not CSV")], "people.csv line 2: not CSV", []),
    "two things wrong": (b"id,n\n,1\n,2\n", [("line 2", None, "no id"), ("line 3", None, "no id")], "line 2: no id (and 1 more)", []),
    "line numbers behind quoted line ends": (b'id,n\na,"1\n2\n3"\n,x\n', [("line 5", None, "no id")], "people.csv line 5: no id", ["a"]),
}  # fmt: skip


@pytest.mark.parametrize("name", BAD)
async def test_bad_input(name: str, read: Any) -> None:
    content, flaws, defect, ids = BAD[name]
    reading = await read(content)
    assert [(one.where, one.id) for one in reading.flaws] == [(f"people.csv {where}", id) for where, id, _ in flaws]
    assert all(words in one.reason for one, (_, _, words) in zip(reading.flaws, flaws, strict=True))
    assert (defect in reading.defect) if defect else (reading.defect == "")
    assert reading.complete == (defect == "")
    assert [orjson.loads(record)["id"] for record in reading.records] == ids


REFUSED = {
    "no id column": (b"ID ,n\na,1\n", (), "people.csv: no column 'id' (did you mean 'ID '?); its columns are 'ID ', 'n'"),
    "renamed mapped column": (b"id,departement\na,1\n", ("department",), "no column 'department' (did you mean 'departement'?)"),
    "nothing alike": (b"id,zzz\na,1\n", ("department",), "no column 'department'; its columns are 'id', 'zzz'"),
    "blank header": (b"\na,1\n", (), "its columns are none"),
    "two columns of one name": (b"id,n,n\na,1,2\n", (), "people.csv line 1: two columns are called 'n'"),
    "UTF-16": ("id,n\na,1\n".encode("utf-16"), (), "people.csv line 1: the header is not UTF-8"),
    "Latin-1 header": (b"id,pr\xe9nom\na,1\n", (), "line 1: the header is not UTF-8"),
    "broken header": (b'id,"n"x\na,1\n', (), "people.csv line 1: the header is not CSV"),
}


@pytest.mark.parametrize("name", REFUSED)
async def test_a_header_that_misleads_refuses_the_file(name: str, people: Any) -> None:
    content, required, words = REFUSED[name]
    source = people(content, *required)
    with pytest.raises(Incomplete) as raised:
        await source.list(None)
    assert words in str(raised.value)
    health = await source.check()
    assert (health.ok, health.problems) == (False, (str(raised.value),))


async def test_a_command_cell_is_passed_as_it_is(read: Any) -> None:
    reading = await read(b"id,n\na,\"=HYPERLINK(\"\"x\"\")\"\n")  # fmt: skip
    assert orjson.loads(reading.records[0]) == {"id": "a", "n": '=HYPERLINK("x")'}


async def test_the_largest_cell_that_passes(read: Any) -> None:
    content = b"id,n\na," + b"x" * MAX_CELL + b"\nb," + "é".encode() * (MAX_CELL // 2 + 1) + b"\n"
    reading = await read(content)
    assert len(reading.records) == 1 and reading.flaws[0].id == "b"


TEXT = st.text(st.characters(exclude_characters="\0", exclude_categories=["Cs"]), max_size=8)
IDS = TEXT.filter(str.strip)


@st.composite
def tables(draw: st.DrawFn) -> list[list[str]]:
    header = draw(st.lists(TEXT, min_size=1, max_size=4, unique=True).map(lambda names: ["id", *(n for n in names if n != "id")]))
    ids = draw(st.lists(IDS, max_size=6, unique=True))
    return [header, *([id, *(draw(TEXT) for _ in header[1:])] for id in ids)]


def written(table: list[list[str]], end: str = "\r\n") -> bytes:
    """A bare CR is quoted by csv.writer only where it is part of the line end: with LF, everything is quoted."""
    out = io.StringIO()
    csv.writer(out, lineterminator=end, quoting=csv.QUOTE_ALL if end == "\n" else csv.QUOTE_MINIMAL).writerows(table)
    return out.getvalue().encode()


def accounts(path: Path, content: bytes) -> tuple[bool, list[bytes], list[dict[str, Any]]]:
    """Complete or not, the records, and what they parse to."""
    path.write_bytes(content)
    source = FileConnector(FileOptions(path=str(path), id="id"), environment=Environment(), rate=Rate(), writable=False)
    page = asyncio.run(source.list(None))
    return page.complete, list(page.records), [dict(source.parse(record).attributes) for record in page.records]


@settings(max_examples=100, deadline=None)
@given(tables(), st.sampled_from(["\n", "\r\n"]))
def test_any_table_reads_back_as_it_was_written(table: list[list[str]], end: str) -> None:
    with tempfile.TemporaryDirectory() as folder:
        path, content = Path(folder, "people.csv"), written(table, end)
        complete, records, rows = accounts(path, content)
        assert complete
        assert rows == [dict(zip(table[0], row, strict=True)) for row in table[1:]]
        assert accounts(path, content)[1] == records, "an unchanged file gives the same bytes"


@settings(max_examples=12, deadline=None)
@given(tables())
def test_a_cut_file_is_never_complete_but_at_the_end_of_a_record(table: list[list[str]]) -> None:
    content = written(table)
    ends = {len(written(table[:n])): n - 1 for n in range(1, len(table) + 1)}
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder, "people.csv")
        for cut in range(len(content) + 1):
            try:
                complete, records, _ = accounts(path, content[:cut])
            except Incomplete:
                continue
            assert complete == (cut in ends)
            assert not complete or len(records) == ends[cut]
