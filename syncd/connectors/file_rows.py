"""What every people file has in common whatever its format: rows with a place, ids, required columns, and the bounds of a row."""

from __future__ import annotations

import difflib
from array import array
from collections.abc import Collection, Iterator, Mapping
from typing import BinaryIO, NamedTuple

from syncd.errors import Incomplete

BOM = b"\xef\xbb\xbf"
MAX_CELL = 1 << 20
"""Largest cell or member, in bytes of UTF-8; a larger one rejects its row."""
MAX_LINE = 16 << 20
"""Largest line, in bytes; the rest of a longer one is skipped and its row rejected without an id."""
FORMATS = (".csv", ".jsonl", ".json")


class BrokenOff(Incomplete):
    """The file ends, or cannot be read on, at this place; the rows before it stand."""


class Row(NamedTuple):
    """One record of a file: good (``flaw`` empty, ``id`` and ``record`` present) or rejected because of ``flaw``.

    ``line`` is the number of its first line, from 1. ``record``: one JSON object. ``lossy``: what is wrong with this row may hide
    other rows (a lost line end, an open quote, a hole of NUL bytes), so that nobody can be said to be missing from the file.
    ``columns``: the names of its cells or members, where they could be read.
    """

    line: int
    id: str | None
    record: bytes = b""
    flaw: str = ""
    lossy: bool = False
    columns: Collection[str] = ()


class Line(NamedTuple):
    """One line of a file with its end: ``whole`` False = longer than MAX_LINE and cut; ``ended`` False = the file stops within it."""

    number: int
    raw: bytes
    whole: bool
    ended: bool


def lines(file: BinaryIO) -> Iterator[Line]:
    """Every line of ``file`` up to its end, a byte order mark dropped; memory is bounded by MAX_LINE."""
    number = 0
    while raw := file.readline(MAX_LINE + 1):
        number += 1
        tail = raw
        while not tail.endswith(b"\n") and (more := file.readline(MAX_LINE)):
            tail = more
        yield Line(number, raw.removeprefix(BOM) if number == 1 else raw, len(raw) <= MAX_LINE, tail.endswith(b"\n"))


def identify(value: object) -> str | None:
    """The account id that ``value`` spells, or None where it cannot be one.

    Text or a whole number. A fraction is refused: 12 written as 12.0 by some exporter must not look like another person.
    """
    if isinstance(value, int) and not isinstance(value, bool):
        return str(value)
    if not isinstance(value, str) or not value.strip() or "\0" in value or len(value) > MAX_CELL:
        return None
    return value if _encodable(value) else None


def unidentified(column: str, value: object) -> str:
    """Why ``value`` of the id column names nobody."""
    if value is None or (isinstance(value, str) and not value.strip()):
        return f"no {column}"
    return f"{column} is not usable text" if isinstance(value, str) else f"{column} is neither text nor a whole number below 2**64"


def demand(name: str, required: Mapping[str, str], present: Collection[str]) -> None:
    """Raise Incomplete naming the first of ``required`` (column -> why, and the cure) that is not ``present`` in the file ``name``."""
    for column, why in required.items():
        if column not in present:
            folded = {one.strip().casefold(): one for one in present}
            near = difflib.get_close_matches(column.strip().casefold(), folded, n=1)
            hint = f" (did you mean {folded[near[0]]!r}?)" if near else ""
            columns = ", ".join(map(repr, present)) or "none"
            raise Incomplete(f"{name}: no column {column!r}{hint}; its columns are {columns}{why and '; '}{why}")


class Seen:
    """A set of ids in 12 to 24 bytes each, where a set of strings takes 120: their 64-bit hashes in one open-addressed table.

    Two ids with the same hash (chance 3e-8 among 1,000,000; the hash is keyed by process) would be reported as a duplicate: the
    listing is then incomplete once, never wrong.
    """

    def __init__(self) -> None:
        self._table = array("Q", [0]) * 1024
        self._count = 0

    def add(self, id: str) -> bool:
        """Remember ``id``; False if it was known already."""
        if 3 * self._count > 2 * len(self._table):
            self._grow()
        fresh = self._put((hash(id) & (1 << 64) - 1) or 1)
        self._count += fresh
        return fresh

    def _put(self, value: int) -> bool:
        table, mask = self._table, len(self._table) - 1
        slot = value & mask
        while table[slot]:
            if table[slot] == value:
                return False
            slot = (slot + 1) & mask
        table[slot] = value
        return True

    def _grow(self) -> None:
        old, self._table = self._table, array("Q", [0]) * (2 * len(self._table))
        for value in old:
            if value:
                self._put(value)


def _encodable(text: str) -> bool:
    try:
        text.encode()
    except UnicodeEncodeError:
        return False
    return True
