"""What waits for a person, as text: by reason, each row ending in the command to paste."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from datetime import datetime
from itertools import groupby
from typing import Any

from syncd.cli import cures
from syncd.cli.printer import CYAN, GREEN, Styled
from syncd.cli.text import ago, called, table
from syncd.environment import instant


def lines(rows: Sequence[Any], now: datetime, names: cures.Names) -> Iterator[str | Styled]:
    if not rows:
        yield "Nothing waits for you.", GREEN
        return
    for (run, connection, state, reason, words), group in groupby(rows, lambda row: _group(row, now)):
        yield f"run {run}, {connection}: {state}: {reason}", CYAN
        yield from [f"  {words}"] if words else []
        yield from table([cells for row in group for cells in _cells(row, now, names)], "    ")


def _group(row: Any, now: datetime) -> tuple[int, str, str, str, str]:
    return row.run, row.connection, row.state.replace("_", " "), row.reason, cures.words(row, now)


def _cells(row: Any, now: datetime, names: cures.Names) -> Iterator[tuple[str, ...]]:
    """A line for each command."""
    for command in cures.commands(row, now, names):
        yield row.kind or "read", called(row), ago(instant(row.since), now), command
