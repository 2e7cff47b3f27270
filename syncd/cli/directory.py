"""`syncd identities`: everybody with their accounts, as a table, CSV or JSON."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from typing import Any

import orjson

from syncd.cli import spreadsheet
from syncd.cli.documents import document as _document
from syncd.cli.printer import Printer
from syncd.cli.text import count, table

NAMES = ("userName", "displayName", "email", "externalId")
People = Iterable[tuple[Any, Sequence[Any]]]


def document(people: People) -> dict[str, Any]:
    """``identities`` is an iterator."""
    return _document("identities", identities=(_person(row, accounts) for row, accounts in people))


def _person(row: Any, accounts: Sequence[Any]) -> dict[str, Any]:
    return {
        "id": row.id, "live": row.live, "attributes": orjson.loads(row.attributes),
        "accounts": [{"connection": one.connection, "account": one.account, "state": one.state} for one in accounts],
    }  # fmt: skip


def lines(connections: Sequence[str], people: People) -> Iterator[str]:
    """In order of name."""
    rows = sorted((_cells(connections, row, accounts)[1:] for row, accounts in people), key=lambda cells: cells[1:])
    yield from table([["LIVE", *(name.upper() for name in NAMES), *(name.upper() for name in connections)], *rows])
    yield count(len(rows), "identity", "identities") + "."


def write_csv(printer: Printer, connections: Sequence[str], people: People) -> None:
    """A row a person, in order of id; an account a column, several joined by ``;``."""
    spreadsheet.write(printer, ["id", "live", *NAMES, *connections], (_cells(connections, row, accounts) for row, accounts in people))


def _cells(connections: Sequence[str], row: Any, accounts: Sequence[Any]) -> list[str]:
    attributes = orjson.loads(row.attributes)
    held = [";".join(one.account for one in accounts if one.connection == name) for name in connections]
    return [row.id, row.live, *(str(attributes.get(name, "")) for name in NAMES), *held]
