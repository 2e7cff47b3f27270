"""One writer a connection: lease rows with a fencing token, for daemon, one-shot and cron alike."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from datetime import datetime, timedelta

from syncd.environment import stamp
from syncd.errors import Quarantined
from syncd.store.database import Store

Tokens = Mapping[str, int]
LONGEST = timedelta(days=1)
"""No lease runs longer; one that ends later was taken before the clock was set back, and is void."""


def acquire(store: Store, connections: Iterable[str], holder: str, now: datetime, lasting: timedelta) -> dict[str, int] | str:
    """Take every lease or none; connection -> fencing token, or the name of the first connection another holder has."""
    until = stamp(now + lasting)
    tokens: dict[str, int] = {}
    with store.transaction():
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
    with store.transaction():
        store.many(
            "UPDATE lease SET until = :until WHERE connection = :connection AND token = :token AND until <> ''",
            [{"until": stamp(now + lasting), "connection": name, "token": token} for name, token in tokens.items()],
        )


def fence(store: Store, connection: str, token: int, now: datetime) -> None:
    """Raise Quarantined unless ``token`` still holds an unexpired lease; called in the transaction of every intent."""
    row = store.one("SELECT token, until FROM lease WHERE connection = :connection", connection=connection)
    if row is None or row.token != token or row.until <= stamp(now):
        raise Quarantined(f"{connection}: the lease was lost to another run, nothing more is sent from here")


def release(store: Store, tokens: Tokens) -> None:
    """Give the leases back; the tokens stay spent."""
    with store.transaction():
        store.many(
            "UPDATE lease SET until = '' WHERE connection = :connection AND token = :token",
            [{"connection": name, "token": token} for name, token in tokens.items()],
        )
