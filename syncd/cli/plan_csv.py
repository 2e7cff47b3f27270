"""A plan as CSV: a row a change, every value whole."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

from syncd.cli import spreadsheet
from syncd.cli.printer import Printer
from syncd.engine.planning import Plan

HEADER = ("connection", "object", "kind", "who", "identity", "account", "attributes", "reason", "held", "replaces", "id")
"""As in the JSON document; ``attributes`` is the JSON of it."""


def write(printer: Printer, made: Plan) -> None:
    spreadsheet.write(printer, HEADER, _rows(made))


def _rows(made: Plan) -> Iterator[list[str]]:
    for row in made.changes():
        members: dict[str, Any] = {**row._asdict(), "attributes": row.delta}
        yield [str(members[name] or "") for name in HEADER]
