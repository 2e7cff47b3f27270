"""What a people file looks like before anybody configured it: its columns, some rows, what separates its cells, who lacks an id."""

from __future__ import annotations

import codecs
import csv
from collections.abc import Mapping, Sequence
from contextlib import closing
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import orjson

from syncd.connectors.file_json import MAX_FILE
from syncd.connectors.file_listing import READERS, Listing, opened
from syncd.connectors.file_rows import BOM
from syncd.errors import Incomplete

HEAD = 1 << 20
"""Bytes of a file that are looked at."""
ROWS = 1000
DELIMITERS = (",", ";", "\t", "|")
FOREIGN = {
    b"PK\x03\x04": "is a spreadsheet or an archive, no text: export it as CSV (UTF-8)",
    b"\xd0\xcf\x11\xe0": "is an old spreadsheet, no text: export it as CSV (UTF-8)",
    b"%PDF": "is a PDF: export the people as CSV (UTF-8)",
    codecs.BOM_UTF16_LE: "is UTF-16: export it as CSV (UTF-8), or: iconv -f UTF-16 -t UTF-8",
    codecs.BOM_UTF16_BE: "is UTF-16: export it as CSV (UTF-8), or: iconv -f UTF-16 -t UTF-8",
}


@dataclass(frozen=True, slots=True)
class Shape:
    """``rows``: the first of them, as the connector would read them. ``delimiter``: "," where the format has none."""

    columns: Sequence[str]
    rows: Sequence[Mapping[str, Any]]
    delimiter: str = ","


@dataclass(slots=True)
class Ids:
    """What reading the whole file with one column as the id found: ``people``, and per problem a line of the file. ``rows``: what is wrong
    with rows whatever the id."""

    people: int = 0
    problems: list[str] = field(default_factory=list)
    rows: list[str] = field(default_factory=list)


def look(path: Path) -> Shape:
    """Raises Incomplete, with the cure, for what is no people file."""
    if path.suffix.lower() not in READERS:
        raise Incomplete(f"{path} is not a people file by its name: name it {', '.join(READERS)}, after what is in it")
    text = _text(path)
    if not text.strip():
        raise Incomplete(f"{path.name} is empty: it needs a header with the names of the columns, and a row a person")
    return _table(path, text) if path.suffix.lower() == ".csv" else _objects(path, text)


def ids(path: Path, column: str, delimiter: str) -> Ids:
    """Read it all as the connector would. Raises Incomplete for a file that it refuses."""
    found = Ids()
    with closing(Listing(path, column, {}, delimiter)) as listing:
        while True:
            page = listing.page()
            found.people += len(page.records)
            for flaw in page.flaws:
                own = flaw.reason.startswith((f"no {column}", f"{column} "))
                (found.problems if own else found.rows).append(f"{flaw.where}: {flaw.reason}")
            if page.next is None:
                break
    if page.defect and not (found.problems or found.rows):
        found.rows.append(page.defect)
    return found


def _text(path: Path) -> str:
    """The beginning of the file up to its last whole line."""
    with opened(path) as file:
        head = file.read(MAX_FILE if path.suffix.lower() == ".json" else HEAD)
        more = bool(file.read(1))
    for magic, told in FOREIGN.items():
        if head.startswith(magic):
            raise Incomplete(f"{path.name} {told}")
    if b"\0" in head:
        raise Incomplete(f"{path.name} is binary, no text: export the people as CSV (UTF-8)")
    if more:
        head = head[: head.rfind(b"\n") + 1]
    try:
        return head.removeprefix(BOM).decode()
    except UnicodeDecodeError as error:
        line = head.count(b"\n", 0, error.start) + 1
        raise Incomplete(f"{path.name} line {line} is not UTF-8: export it as CSV (UTF-8), or: iconv -f WINDOWS-1252 -t UTF-8") from None


def _table(path: Path, text: str) -> Shape:
    """By the separator that splits most of the first rows into as many cells as the header has, and the header into most."""
    tables = {delimiter: _split(text, delimiter) for delimiter in DELIMITERS}
    delimiter = max(DELIMITERS, key=lambda one: _even(tables[one]))
    header, *rows = tables[delimiter] or [[]]
    if not any(cell.strip() for cell in header):
        raise Incomplete(f"{path.name} line 1 is no header: it needs the names of the columns")
    return Shape(header, [dict(zip(header, row, strict=True)) for row in rows if len(row) == len(header)], delimiter)


def _split(text: str, delimiter: str) -> list[list[str]]:
    rows: list[list[str]] = []
    try:
        for row in csv.reader(text.splitlines(keepends=True), strict=True, delimiter=delimiter):
            rows += [row] if row else []
            if len(rows) > ROWS:
                break
    except csv.Error:
        pass
    return rows


def _even(rows: Sequence[Sequence[str]]) -> tuple[float, int]:
    """(how many of the rows are as wide as the header, 0 where that is one cell; how wide it is)."""
    if not rows or len(rows[0]) < 2:
        return 0.0, 0
    return sum(len(row) == len(rows[0]) for row in rows) / len(rows), len(rows[0])


def _objects(path: Path, text: str) -> Shape:
    lines = text.splitlines()[:ROWS] if path.suffix.lower() == ".jsonl" else []
    try:
        found = [orjson.loads(line) for line in lines if line.strip()] if lines else orjson.loads(text)
    except ValueError as error:
        raise Incomplete(f"{path.name} is not JSON: {error}") from None
    rows = [one for one in found if isinstance(one, dict)][:ROWS] if isinstance(found, list) else []
    if not rows:
        raise Incomplete(f"{path.name} holds no people: it needs {'one object a line' if lines else 'one array of objects'}")
    return Shape(list(dict.fromkeys(name for row in rows for name in row)), rows)
