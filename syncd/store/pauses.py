"""A person's word that nothing is written at a connection, or anywhere, until they say otherwise or a moment has passed."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import datetime
from typing import Any

from sqlalchemy.engine import Row

from syncd.environment import stamp
from syncd.errors import Paused
from syncd.store import chain
from syncd.store.database import Store

EVERYWHERE = ""
HOLDING = "SELECT * FROM pause WHERE pause.connection IN (:connection, '') AND (pause.until IS NULL OR pause.until > :now)"


def pause(store: Store, connection: str, reason: str, until: datetime | None, now: datetime, said: Mapping[str, Any]) -> bool:
    """From the next step on nothing is written there. ``said``: what the journal keeps of the command. True = it was paused already: since
    when stays, the rest is as said now."""
    with store.transaction():
        before = at(store, connection, now)
        known = before is not None and before.connection == connection
        store.run(
            "INSERT INTO pause (connection, reason, since, until) VALUES (:connection, :reason, :since, :until)"
            " ON CONFLICT (connection) DO UPDATE SET reason = excluded.reason, since = excluded.since, until = excluded.until",
            connection=connection, reason=reason, since=before.since if known and before is not None else stamp(now),
            until=stamp(until) if until else None,
        )  # fmt: skip
        chain.append(store, [chain.Event(chain.DECIDED, connection, said)], now)
    return known


def resume(store: Store, connection: str, now: datetime, said: Mapping[str, Any]) -> bool:
    """Whether it was paused; one that had ended by itself was not."""
    with store.transaction():
        rows = store.rows("DELETE FROM pause WHERE connection = :connection RETURNING until", connection=connection)
        held = any(row.until is None or row.until > stamp(now) for row in rows)
        if held:
            chain.append(store, [chain.Event(chain.DECIDED, connection, said)], now)
    return held


def carry(store: Store, old: str, new: str) -> None:
    """A connection is called ``new`` from now on: where both names are paused, it is until the later of the two ends."""
    longer = "COALESCE(until, '~') DESC, connection = :new DESC"
    store.run(
        "DELETE FROM pause WHERE connection IN (:old, :new) AND connection <> (SELECT connection FROM pause"
        f" WHERE connection IN (:old, :new) ORDER BY {longer} LIMIT 1)",
        old=old, new=new,
    )  # fmt: skip
    store.run("UPDATE pause SET connection = :new WHERE connection = :old", old=old, new=new)


def at(store: Store, connection: str, now: datetime) -> Row[Any] | None:
    """The pause that holds at a connection: its own, else the one of everywhere."""
    return store.one(f"{HOLDING} ORDER BY connection DESC LIMIT 1", connection=connection, now=stamp(now))


def refuse(store: Store, connection: str, now: datetime) -> None:
    """Raise Paused where a pause holds."""
    row = at(store, connection, now)
    if row is not None:
        raise Paused(told(row))


def told(row: Row[Any]) -> str:
    """One pause in words, with the command that ends it."""
    until = f" until {_minute(row.until)}" if row.until else ""
    command = f"syncd resume -c {row.connection}" if row.connection else "syncd resume"
    return f"paused since {_minute(row.since)}{until} by a person: {row.reason}; resume: {command}"


def _minute(text: str) -> str:
    return f"{text[:16].replace('T', ' ')} UTC"
