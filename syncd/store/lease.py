"""One writer a connection: lease rows with a fencing token, for daemon, one-shot and cron alike.

A token that was given out is on the disk where its holder may outlive the store's machine: a PostgreSQL that had lost it would give it to
somebody else. What only ends a lease sooner or later need not be: without it others wait until it has run out, or its holder is fenced.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from datetime import datetime, timedelta
from typing import Any

from sqlalchemy.engine import Row

from syncd.environment import instant, stamp
from syncd.errors import Lost
from syncd.store import pauses
from syncd.store.database import SCHEMA, Store

Tokens = Mapping[str, int]
LONGEST = timedelta(days=1)
"""No lease runs longer; one that ends later was taken before the clock was set back, and is void."""


def acquire(store: Store, connections: Iterable[str], holder: str, now: datetime, lasting: timedelta) -> dict[str, int] | str:
    """Take every lease or none; connection -> fencing token, or the name of the first connection another holder has."""
    until = stamp(now + lasting)
    tokens: dict[str, int] = {}
    store.check()
    with store.transaction(durable=store.backend.outlived):
        for connection in sorted(connections):
            row = store.one("SELECT token, holder, until FROM lease WHERE connection = :connection", connection=connection)
            if row is not None and stamp(now) < row.until <= stamp(now + max(lasting, LONGEST)):
                release(store, tokens)
                return connection
            tokens[connection] = (row.token if row else 0) + 1
            store.run(
                "INSERT INTO lease (connection, token, holder, until) VALUES (:connection, :token, :holder, :until)"
                " ON CONFLICT (connection) DO UPDATE SET token = excluded.token, holder = excluded.holder, until = excluded.until",
                connection=connection, token=tokens[connection], holder=holder, until=until,
            )  # fmt: skip
    return tokens


def renew(store: Store, tokens: Tokens, now: datetime, lasting: timedelta) -> None:
    """Hold on for another ``lasting``; a lease that was given back, or that another took meanwhile, stays lost (`fence` says so)."""
    with store.transaction(durable=False):
        store.many(
            "UPDATE lease SET until = :until WHERE connection = :connection AND token = :token AND until <> ''",
            [{"until": stamp(now + lasting), "connection": name, "token": token} for name, token in tokens.items()],
        )


def fence(store: Store, connection: str, token: int, now: datetime) -> None:
    """Raise Lost unless ``token`` still holds an unexpired lease, and Paused where a person wants nothing written; called in the
    transaction of every intent."""
    if _held(store, connection, token, now).paused:
        pauses.refuse(store, connection, now)


def alone(store: Store, connection: str, token: int, now: datetime) -> None:
    """Raise Lost unless ``token`` still holds an unexpired lease, and Fatal unless the store is still the one that was opened:
    enough to read."""
    _held(store, connection, token, now)


def _held(store: Store, connection: str, token: int, now: datetime) -> Row[Any]:
    """One statement: it is asked three times a request."""
    text = f"SELECT token, until, ({SCHEMA}) AS schema, EXISTS ({pauses.HOLDING}) AS paused FROM lease WHERE connection = :connection"
    row = store.one(text, connection=connection, now=stamp(now))
    store.check(None if row is None else row.schema)
    if row is None or row.token != token or row.until <= stamp(now):
        raise Lost(f"{connection}: the lease was lost to another run, nothing more is sent from here")
    return row


def release(store: Store, tokens: Tokens) -> None:
    """Give the leases back; the tokens stay spent."""
    with store.transaction(durable=False):
        store.many(
            "UPDATE lease SET until = '' WHERE connection = :connection AND token = :token",
            [{"connection": name, "token": token} for name, token in tokens.items()],
        )


def abandon(store: Store, tokens: Tokens, now: datetime) -> None:
    """Let the leases run out at once: others take them as those of a run that died, for not all was done that it could have done."""
    with store.transaction(durable=False):
        store.many(
            "UPDATE lease SET until = :now WHERE connection = :connection AND token = :token AND until > :now",
            [{"connection": name, "token": token, "now": stamp(now)} for name, token in tokens.items()],
        )


def run_out(store: Store, now: datetime) -> set[str]:
    """Connections whose last holder never gave its lease back: it died, stands still, or was asked to end."""
    rows = store.rows("SELECT connection FROM lease WHERE until <> '' AND until <= :now", now=stamp(now))
    return {row.connection for row in rows}


def runs_out(store: Store, now: datetime) -> datetime | None:
    """When the first of the leases that are held runs out, unless it is renewed."""
    until = store.value("SELECT MIN(until) FROM lease WHERE until > :now", now=stamp(now))
    return None if until is None else instant(until)


def held(store: Store, now: datetime, lasting: timedelta, besides: str = "") -> Sequence[Row[Any]]:
    """The leases that somebody holds, ``besides`` one holder: (connection, holder)."""
    text = "SELECT connection, holder FROM lease WHERE until > :now AND until <= :longest AND holder <> :besides ORDER BY connection"
    return store.rows(text, now=stamp(now), longest=stamp(now + max(lasting, LONGEST)), besides=besides)


def tokens(store: Store) -> dict[str, int]:
    """The last token given out for each connection."""
    return {row.connection: row.token for row in store.rows("SELECT connection, token FROM lease")}


def void(store: Store, spent: Tokens) -> None:
    """Nobody holds a lease, and no token that was given out is given again: those ``spent`` elsewhere, and those known here."""
    known = tokens(store)
    store.run("DELETE FROM lease")
    store.many(
        "INSERT INTO lease (connection, token, holder, until) VALUES (:connection, :token, '', '')",
        [{"connection": name, "token": max(known.get(name, 0), spent.get(name, 0)) + 1} for name in sorted({*known, *spent})],
    )
