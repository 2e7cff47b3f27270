"""JSON as a stream of rows: JSON Lines (one object a line, any size of file) and one JSON array of objects (up to 64 MiB)."""

from __future__ import annotations

import json
import re
from collections.abc import Iterator, Mapping
from typing import Any, BinaryIO

import orjson

from syncd.connectors.file_rows import BOM, MAX_CELL, MAX_LINE, BrokenOff, Row, demand, identify, lines, unidentified
from syncd.errors import Incomplete

MAX_FILE = 64 << 20
"""Largest JSON array, in bytes: it is held in memory, JSON Lines are not."""

_SPACE = re.compile(r"[ \t\r\n]*")
_NUL = re.compile(rb"(?<!\\)(?:\\\\)*\\u0000")
_LONE = re.compile(rb"\\u[dD][89abAB]..(?!\\u[dD][c-fC-F])|(?<!\\u[dD][89abAB]..)\\u[dD][c-fC-F]")
_DECODER = json.JSONDecoder()


def read_lines(file: BinaryIO, name: str, id: str, required: Mapping[str, str]) -> Iterator[Row]:
    """The rows of the JSON Lines ``file``.

    Raises Incomplete before the first row if no row has a ``required`` column, and BrokenOff where the file is empty or ends within a line.
    """
    _columns(_lines(file, name, id), name, required)
    file.seek(0)
    yield from _lines(file, name, id)


def read_array(file: BinaryIO, name: str, id: str, required: Mapping[str, str]) -> Iterator[Row]:
    """The rows of the JSON array in ``file``.

    Raises Incomplete before the first row if no row has a ``required`` column or the file is over MAX_FILE, and BrokenOff where the
    array is malformed: what follows cannot be told apart.
    """
    raw = file.read(MAX_FILE + 1)
    if len(raw) > MAX_FILE:
        raise Incomplete(f"{name} is over {MAX_FILE >> 20} MiB: write it as .jsonl, one object a line, which is read as a stream")
    text = raw.removeprefix(BOM).decode(errors="surrogateescape")
    del raw
    _columns(_elements(text, name, id), name, required)
    yield from _elements(text, name, id)


def _columns(rows: Iterator[Row], name: str, required: Mapping[str, str]) -> None:
    """Raise Incomplete unless each of ``required`` is a member of some row: objects may omit what has no value.

    Reads no further than needed.
    """
    missing = set(required)
    present: dict[str, None] = {}
    while missing:
        try:
            row = next(rows, None)
        except BrokenOff:
            return  # the listing meets the same end and says so, with the rows before it
        if row is None:
            break
        if row.record:
            present.update(dict.fromkeys(orjson.loads(row.record)))
            missing = {column for column in missing if column not in present and column.partition(".")[0] not in present}
    if present:
        demand(name, {column: why for column, why in required.items() if column in missing}, present)


def _lines(file: BinaryIO, name: str, id: str) -> Iterator[Row]:
    line = None
    for line in lines(file):
        if not line.ended:
            raise BrokenOff(f"{name} line {line.number}: half-written, the file ends without a line end")
        if not line.whole:
            yield Row(line.number, None, flaw=f"longer than {MAX_LINE >> 20} MiB", lossy=True)
        elif line.raw.strip():
            yield _row(line.number, line.raw, id)
    if line is None:
        raise BrokenOff(f"{name} is empty")


def _elements(text: str, name: str, id: str) -> Iterator[Row]:
    """The elements of the array ``text``, each framed by the standard library's parser, which also passes what `_row` then rejects."""
    at, line, counted = _skip(text, 0), 1, 0
    if text[at : at + 1] != "[":
        raise BrokenOff(f"{name} is not a JSON array of objects" if text else f"{name} is empty")
    at = _skip(text, at + 1)
    more = text[at : at + 1] != "]"
    while more:
        line, counted = line + text.count("\n", counted, at), at
        end = _end(text, at, f"{name} line {line}")
        yield _row(line, text[at:end].encode(errors="surrogateescape"), id)
        at = _skip(text, end)
        more = text[at : at + 1] == ","
        at = _skip(text, at + 1) if more else at
    if text[at : at + 1] != "]":
        raise BrokenOff(f"{name} line {line}: the array breaks off, or lacks a comma, behind this record")
    if _skip(text, at + 1) != len(text):
        raise BrokenOff(f"{name}: more text behind the end of the array")


def _skip(text: str, at: int) -> int:
    match = _SPACE.match(text, at)
    return match.end() if match else at


def _end(text: str, at: int, where: str) -> int:
    try:
        return _DECODER.raw_decode(text, at)[1]
    except RecursionError:
        raise BrokenOff(f"{where}: nested too deep") from None
    except ValueError as error:
        raise BrokenOff(f"{where}: not JSON: {error}") from None


def _row(line: int, raw: bytes, id: str) -> Row:
    try:
        value = orjson.loads(raw)
        record = orjson.dumps(value)
    except orjson.JSONDecodeError as error:
        return _salvage(line, raw, id, error.msg)
    except orjson.JSONEncodeError:
        return Row(line, identify(value.get(id)) if isinstance(value, dict) else None, flaw="nested too deep")
    if not isinstance(value, dict):
        return Row(line, None, flaw="not a JSON object")
    known = identify(value.get(id))
    flaw = _flaw(value, record) or ("" if known else unidentified(id, value.get(id)))
    return Row(line, known, b"" if flaw else record, flaw, columns=value)


def _flaw(value: dict[str, Any], record: bytes) -> str:
    if _NUL.search(record):
        return "NUL characters"
    if len(record) > MAX_CELL:
        for name, member in value.items():
            if len(orjson.dumps(member)) > MAX_CELL:
                return f"{name} is over {MAX_CELL >> 20} MiB"
    return ""


def _salvage(line: int, raw: bytes, id: str, message: str) -> Row:
    """A record that is refused: why, and whose it is as far as a more lenient parser can tell."""
    constants: list[str] = []
    try:
        value = json.loads(raw.decode(errors="surrogateescape"), parse_constant=constants.append)
    except (ValueError, RecursionError):
        return Row(line, None, flaw=f"not JSON: {message}")
    known = identify(value.get(id)) if isinstance(value, dict) else None
    return Row(line, known, flaw=_reason(raw, constants) or f"not JSON: {message}")


def _reason(raw: bytes, constants: list[str]) -> str:
    if constants:
        return f"{constants[0]} is not JSON"
    try:
        raw.decode()
    except UnicodeDecodeError:
        return "not UTF-8"
    return "a lone surrogate (half of a character)" if _LONE.search(raw) else ""
