"""Everybody who has not departed, counted by what they have of a few attributes: what an expression is judged by, once for all alike."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import Any

import orjson

from syncd.store.database import Database

BLOCK = 2000
"""Rows that are counted together: SQLite sorts what it groups, and sorts so few within its cache."""


@dataclass(frozen=True, slots=True)
class Block:
    """Some rows of the table: those behind ``after``, up to ``last``."""

    after: int
    last: int


Alike = tuple[Any, ...]
"""What people have of the attributes asked for, each as JSON text, None = no value; and, last, how many they are."""


def end(store: Database) -> int:
    """The last row of the table."""
    return int(store.value("SELECT MAX(rowid) FROM identity") or 0)


def census(store: Database, names: Sequence[str], whole: Block) -> Iterator[tuple[Block, Sequence[Alike]]]:
    """A block of rows at a time, in the order of the table; the same values come again in further blocks. ``names``: identifiers.

    Who changes meanwhile counts as they are when they are met.
    """
    columns = [f"attributes -> '{name}'" for name in names]
    text = f"SELECT {', '.join([*columns, 'COUNT(*)'])} FROM identity WHERE rowid > :after AND rowid <= :last AND live <> 'departed'"
    text += f" GROUP BY {', '.join(str(place + 1) for place in range(len(columns)))}" if columns else ""
    for after in range(whole.after, whole.last, BLOCK):
        block = Block(after, min(after + BLOCK, whole.last))
        yield block, store.tuples(text, after=block.after, last=block.last)


def some(store: Database, names: Sequence[str], block: Block, alike: Alike, limit: int) -> list[tuple[str, dict[str, Any]]]:
    """(id, attributes) of the first of these people."""
    same = [f" AND attributes -> '{name}' IS :value{place}" for place, name in enumerate(names)]
    rows = store.rows(
        f"SELECT id, attributes FROM identity WHERE rowid > :after AND rowid <= :last AND live <> 'departed'{''.join(same)}"
        " ORDER BY rowid LIMIT :limit",
        after=block.after, last=block.last, limit=limit, **{f"value{place}": text for place, text in enumerate(alike[:-1])},
    )  # fmt: skip
    return [(row.id, orjson.loads(row.attributes)) for row in rows]
