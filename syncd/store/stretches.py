"""A whole listing in progress, stretch by stretch: where it stands and whom it showed, so that it goes on there when it is cut off."""

from __future__ import annotations

import struct
import zlib
from collections.abc import Iterator, Sequence
from datetime import datetime
from typing import Any

from sqlalchemy.engine import Row

from syncd.environment import stamp
from syncd.store.database import Store


def add(store: Store, connection: str, part: int, now: datetime, *, passport: str, state: str, seen: Sequence[int]) -> None:
    """In the transaction that stores the accounts of this stretch. ``seen``: row ids of all that it showed, also those that were known:
    less than 8 bytes each."""
    store.run(
        "INSERT INTO stretch (connection, part, left_at, passport, state, seen)"
        " VALUES (:connection, :part, :now, :passport, :state, :seen)",
        connection=connection, part=part, now=stamp(now), passport=passport, state=state,
        seen=zlib.compress(struct.pack(f"<{len(seen)}q", *seen), 1),
    )  # fmt: skip


def last(store: Store, connection: str) -> Row[Any] | None:
    """The place to go on at: (part, left_at, passport, state)."""
    return store.one(
        "SELECT part, left_at, passport, state FROM stretch WHERE connection = :connection ORDER BY part DESC LIMIT 1",
        connection=connection,
    )  # fmt: skip


def seen(store: Store, connection: str) -> Iterator[Sequence[int]]:
    """Row ids of all that its stretches showed, one after the other."""
    part = -1
    text = "SELECT part, seen FROM stretch WHERE connection = :connection AND part > :part ORDER BY part LIMIT 100"
    while rows := store.rows(text, connection=connection, part=part):
        part = rows[-1].part
        for row in rows:
            raw = zlib.decompress(row.seen)
            yield struct.unpack(f"<{len(raw) // 8}q", raw)


def forget(store: Store, connection: str) -> None:
    """The next whole listing begins at its beginning."""
    store.run("DELETE FROM stretch WHERE connection = :connection", connection=connection)


def forget_all(store: Store) -> None:
    """A place names accounts, and what is wrong with them."""
    store.run("DELETE FROM stretch")


def states(store: Store, connection: str) -> list[str]:
    """What each stretch says of itself, in order."""
    rows = store.rows("SELECT state FROM stretch WHERE connection = :connection ORDER BY part", connection=connection)
    return [row.state for row in rows]
