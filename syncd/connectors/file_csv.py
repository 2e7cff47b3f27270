"""CSV (RFC 4180) as a stream of rows: UTF-8, cells separated by commas or as said, lines ended by LF or CRLF, quoted cells may span
lines."""

from __future__ import annotations

import csv
from collections import Counter
from collections.abc import Iterator, Mapping
from typing import BinaryIO

import orjson

from syncd.connectors.file_rows import MAX_CELL, MAX_LINE, BrokenOff, Row, demand, identify, lines, unidentified
from syncd.errors import Incomplete

# The csv module has one field limit for the whole process (131,072 characters unless raised). It is raised here once, when imported,
# and never lowered again, so there is nothing to race for; the limit that rejects a row (MAX_CELL) is checked in `_flaw`, where its
# id is known.
csv.field_size_limit(max(MAX_LINE, csv.field_size_limit()))


class _Text:
    """The lines of a file as text for `csv.reader`, with notes on the record that is being put together from them."""

    def __init__(self, file: BinaryIO) -> None:
        self._lines = lines(file)
        self.number = 0
        self.ended = True
        self.begin()

    def begin(self) -> None:
        """The next line starts a new record."""
        self.start, self.size, self.decoded, self.nul = self.number + 1, 0, True, False

    def __iter__(self) -> _Text:
        return self

    def __next__(self) -> str:
        line = next(self._lines)
        self.number, self.ended = line.number, line.ended
        self.size += len(line.raw)
        if not line.whole or self.size > MAX_LINE:
            raise csv.Error(f"longer than {MAX_LINE >> 20} MiB")
        self.nul = self.nul or b"\0" in line.raw
        try:
            return line.raw.decode()
        except UnicodeDecodeError:
            self.decoded = False
            return line.raw.decode(errors="surrogateescape")


def read(file: BinaryIO, name: str, id: str, required: Mapping[str, str], delimiter: str = ",") -> Iterator[Row]:
    """The rows below the header of the CSV ``file`` called ``name``, whose ids stand in the column ``id``.

    Raises Incomplete before the first row for a header that is unreadable or lacks ``id`` or a ``required`` column, and BrokenOff where the
    file ends without a header or within a line.
    """
    text = _Text(file)
    cells = csv.reader(text, strict=True, delimiter=delimiter)
    header = _header(text, cells, name)
    demand(name, {id: "", **required}, header)
    at = header.index(id)
    while (row := _row(text, cells, header, at)) is not None:
        if not text.ended:
            raise BrokenOff(f"{name} line {row.line}: half-written, the file ends without a line end")
        if row.id is not None or row.flaw:
            yield row


def _header(text: _Text, cells: Iterator[list[str]], name: str) -> list[str]:
    try:
        header = next(cells)
    except StopIteration:
        raise BrokenOff(f"{name} is empty: no header") from None
    except csv.Error as error:
        raise Incomplete(f"{name} line 1: the header is not CSV: {error}") from None
    if not text.decoded or text.nul:
        raise Incomplete(f"{name} line 1: the header is not UTF-8; save the file as UTF-8")
    if not text.ended:
        raise BrokenOff(f"{name} line 1: half-written, the header has no line end")
    twice = [column for column, count in Counter(header).items() if count > 1]
    if twice:
        raise Incomplete(f"{name} line 1: two columns are called {twice[0]!r}; give each its own name")
    return header


def _row(text: _Text, cells: Iterator[list[str]], header: list[str], at: int) -> Row | None:
    """The next row, None at the end of the file; a blank line is a row without id and flaw."""
    text.begin()
    try:
        row = next(cells)
    except StopIteration:
        return None
    except csv.Error as error:
        return Row(text.start, None, flaw=f"not CSV: {error}", lossy=True)
    if not row:
        return Row(text.start, None)
    placed = len(row) == len(header) or at == 0  # a shift of cells leaves only the first one in its column
    id = identify(row[at]) if placed else None
    flaw, lossy = _flaw(text, row, header)
    if not flaw and id is None:
        flaw = unidentified(header[at], row[at])
    if flaw:
        return Row(text.start, id, flaw=flaw, lossy=lossy or text.number > text.start)
    return Row(text.start, id, orjson.dumps(dict(zip(header, row, strict=True))), columns=header)


def _flaw(text: _Text, row: list[str], header: list[str]) -> tuple[str, bool]:
    """What is wrong with a row, "" if nothing, and whether that may hide other rows."""
    if len(row) != len(header):
        return f"{len(row)} cells, but the header has {len(header)}", True
    if text.nul:
        return "NUL bytes", True
    if not text.decoded:
        return "not UTF-8", False
    if text.size > MAX_CELL:
        for column, cell in zip(header, row, strict=True):
            if len(cell.encode()) > MAX_CELL:
                return f"{column} is over {MAX_CELL >> 20} MiB", False
    return "", False
