"""Everybody who has not departed, counted by what they have of a few attributes: what an expression is judged by, once for all alike."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from itertools import pairwise
from typing import Any

import orjson

from syncd.store.database import Database

BLOCK = 2000
"""Rows that are counted together: SQLite sorts what it groups, and sorts so few within its cache."""


@dataclass(frozen=True, slots=True)
class Block:
    """Some rows of the table: those behind the place ``after``, up to ``last``; places are what `Backend.place` says of a row."""

    after: Any
    last: Any


Alike = tuple[Any, ...]
"""What people have of the attributes asked for, each as JSON text, None = no value; and, last, how many they are."""


def blocks(store: Database, most: int, share: int) -> list[Block]:
    """The table, in at most so many parts, each of about ``share`` rows at least."""
    people = int(store.value("SELECT COUNT(*) FROM identity"))
    parts = max(1, min(most, people // share))
    place = store.backend.place
    text = f"SELECT {place} FROM identity ORDER BY {place} LIMIT 1 OFFSET :before"
    bounds = [store.value(text, before=people * part // parts - 1) for part in range(1, parts)]
    bounds = [_nothing(store), *bounds, store.value(f"SELECT MAX({place}) FROM identity") or _nothing(store)]
    return [Block(after, last) for after, last in pairwise(bounds)]


def _nothing(store: Database) -> Any:
    """What is before every place."""
    return 0 if store.backend.place == "rowid" else ""


def census(store: Database, names: Sequence[str], whole: Block) -> Iterator[tuple[Block, Sequence[Alike]]]:
    """A block of rows at a time, in the order of the table; the same values come again in further blocks. ``names``: identifiers.

    Who changes meanwhile counts as they are when they are met.
    """
    columns, place = [f"attributes -> '{name}'" for name in names], store.backend.place
    text = f"SELECT {', '.join([*columns, 'COUNT(*)'])} FROM identity WHERE {place} > :after AND {place} <= :last AND live <> 'departed'"
    text += f" GROUP BY {', '.join(str(place + 1) for place in range(len(columns)))}" if columns else ""
    after = whole.after
    while after < whole.last:
        block = Block(after, _further(store, after, whole.last))
        yield block, store.tuples(text, after=block.after, last=block.last)
        after = block.last


def _further(store: Database, after: Any, last: Any) -> Any:
    """The place up to which there are `BLOCK` rows at most."""
    if isinstance(after, int):
        return min(after + BLOCK, last)
    text = f"SELECT id FROM identity WHERE id > :after AND id < :last ORDER BY id LIMIT 1 OFFSET {BLOCK - 1}"
    return store.value(text, after=after, last=last) or last


def some(store: Database, names: Sequence[str], block: Block, alike: Alike, limit: int) -> list[tuple[str, dict[str, Any]]]:
    """(id, attributes) of the first of these people."""
    same = [f" AND attributes -> '{name}' IS NOT DISTINCT FROM :value{place}" for place, name in enumerate(names)]
    place = store.backend.place
    rows = store.rows(
        f"SELECT id, attributes FROM identity WHERE {place} > :after AND {place} <= :last AND live <> 'departed'{''.join(same)}"
        f" ORDER BY {place} LIMIT :limit",
        after=block.after, last=block.last, limit=limit, **{f"value{place}": text for place, text in enumerate(alike[:-1])},
    )  # fmt: skip
    return [(row.id, orjson.loads(row.attributes)) for row in rows]
