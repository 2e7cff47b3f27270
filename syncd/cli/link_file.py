"""`syncd link --from FILE.csv`: many links, all of them or none; what is wrong is said by line."""

from __future__ import annotations

import csv
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

from syncd.cli import links_said
from syncd.cli.alone import decided
from syncd.cli.exits import Failed
from syncd.cli.invocation import Invocation
from syncd.cli.links_said import Said
from syncd.cli.text import did_you_mean
from syncd.store import Store

COLUMNS = ("connection", "account", "who")
MOST = 20
"""Faults that are shown one by one."""


@dataclass(frozen=True, slots=True)
class Row:
    """``line``: its place in the file, from 1."""

    line: int
    connection: str
    account: str
    who: str


Faults = list[tuple[int, str]]
"""(line, what is wrong there)"""


def link(invocation: Invocation, store: Store, file: Path, connection: str | None) -> list[Said]:
    """Raises Failed, naming every line that is wrong, with nothing done."""
    rows = _rows(file, connection)
    wrong = _connections(invocation, rows)
    faults, sound = list(wrong.values()), [row for row in rows if row.connection not in wrong]
    if not sound:
        _refuse(file, faults)
    with decided(invocation, store, sorted({row.connection for row in sound})):
        made = [said for row in sound if (said := _asked(invocation, store, row, faults)) is not None]
        faults += _twice(made, rows) if not faults else []
        _refuse(file, faults)
        for row, said in zip(rows, made, strict=True):
            links_said.record(invocation, store, said, f"link --from {file.name} (line {row.line})")
    return made


def _connections(invocation: Invocation, rows: Sequence[Row]) -> dict[str, tuple[int, str]]:
    """Each connection that is unknown or no target -> what is wrong, at the first line that names it."""
    known = [one.name for one in invocation.settings.landscape.connections]
    wrong: dict[str, tuple[int, str]] = {}
    for name, line in {row.connection: row.line for row in reversed(rows)}.items():
        try:
            if name not in known:
                raise Failed(f"no connection is named {name!r}{did_you_mean(name, known)}")
            links_said.target(invocation.settings, name)
        except Failed as error:
            wrong[name] = (line, _flat(error))
    return wrong


def _asked(invocation: Invocation, store: Store, row: Row, faults: Faults) -> Said | None:
    """What a row means; what is wrong with it is added to ``faults``."""
    try:
        return links_said.asked(invocation.settings, store, row.connection, row.account, row.who)
    except Failed as error:
        faults.append((row.line, _flat(error)))
        return None


def _twice(made: Sequence[Said], rows: Sequence[Row]) -> Faults:
    """Accounts and people that stand in two rows of one connection."""
    first: dict[tuple[str, str, str], int] = {}
    faults: Faults = []
    for said, row in zip(made, rows, strict=True):
        for what, id, name in (("account", str(said.row), row.account), ("person", said.identity, row.who)):
            before = first.setdefault((said.connection, what, id), row.line)
            if before != row.line:
                faults.append((row.line, f"{what} {name} stands in line {before} already"))
    return faults


def _rows(file: Path, connection: str | None) -> list[Row]:
    """Raises Failed for a file that cannot be read, lacks a column or a value, or says nothing."""
    try:
        with file.open(encoding="utf-8-sig", newline="") as text:
            reader = csv.DictReader(text, restval="", strict=True)
            _header(file, reader.fieldnames or (), connection)
            records = [(reader.line_num, record) for record in reader]
    except (OSError, UnicodeDecodeError, csv.Error) as error:
        raise Failed(f"{file} cannot be read: {getattr(error, 'strerror', None) or error}") from None
    faults: Faults = []
    rows = [_row(line, record, connection, faults) for line, record in records]
    _refuse(file, faults if rows else [(1, "no row follows the header")])
    return rows


def _header(file: Path, names: Sequence[str], connection: str | None) -> None:
    missing = [name for name in COLUMNS if name not in names and (name != "connection" or connection is None)]
    if missing:
        told = f"the header lacks {' and '.join(missing)}; it is {','.join(COLUMNS)} (-c NAME may stand for the first)"
        _refuse(file, [(1, told)])


def _row(line: int, record: Mapping[str, str | None], connection: str | None, faults: Faults) -> Row:
    account, who = (str(record.get(name) or "").strip() for name in ("account", "who"))
    name = str(record.get("connection") or "").strip() or connection or ""
    faults += [(line, f"no {what}") for what, said in zip(COLUMNS, (name, account, who), strict=True) if not said]
    if connection is not None and name != connection:
        faults.append((line, f"its connection is {name}, and -c says {connection}"))
    return Row(line, name, account, who)


def _refuse(file: Path, faults: Faults) -> None:
    """Raises Failed where there are any."""
    if faults:
        shown = [f"{file}:{line}: {told}" for line, told in sorted(faults)[:MOST]]
        more = [f"... and {len(faults) - MOST:,} more"] if len(faults) > MOST else []
        raise Failed("nothing was linked, because every line must be right\n  " + "\n  ".join([*shown, *more]))


def _flat(error: Failed) -> str:
    return " ".join(str(error).split())
