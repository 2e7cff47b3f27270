"""What a settled step leaves on its link: the account it has now, what was tried in vain, how often it failed."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime, timedelta
from typing import Any

from sqlalchemy.engine import Row

from syncd.environment import stamp
from syncd.store import words
from syncd.store.database import Store

PATIENCE = 3
"""Refused runs in a row after which a change is quarantined."""
RESTS = (1, 2, 4, 8, 16, 24)
"""Hours for which it is then left in peace; the last for good."""


def attach(store: Store, connection: str, identity: str, account_id: int, now: datetime) -> None:
    """The account is this identity's from now on, and ours; whoever had it before has it no more."""
    others = store.rows(
        "UPDATE link SET account_id = NULL WHERE account_id = :row AND identity <> :identity RETURNING connection, identity",
        row=account_id, identity=identity,
    )  # fmt: skip
    store.many(
        "INSERT INTO dirty (connection, identity) VALUES (:connection, :identity) ON CONFLICT DO NOTHING",
        [{"connection": row.connection, "identity": row.identity} for row in others],
    )
    words.mark(store, [account_id])
    store.run(
        "INSERT INTO link (connection, identity, account_id, owned, generation, state, reason, counted, hold, failures)"
        " VALUES (:connection, :identity, :row, TRUE, 1, 'live', '', FALSE, '', 0)"
        " ON CONFLICT (connection, identity) DO UPDATE SET account_id = :row, owned = TRUE, generation = link.generation + 1, hold = '',"
        " doubt = NULL, failures = 0, retry_at = NULL",
        connection=connection, identity=identity, row=account_id,
    )  # fmt: skip
    store.run("UPDATE account SET touched_at = :now WHERE id = :row", now=stamp(now), row=account_id)


def detach(store: Store, connection: str, identity: str, account_id: int | None, now: datetime) -> None:
    """The account was deleted by syncd."""
    store.run("UPDATE account SET touched_at = :now WHERE id = :row", now=stamp(now), row=account_id)
    store.run(
        "UPDATE link SET account_id = NULL, generation = generation + 1, settled = NULL, hold = '', doubt = NULL, failures = 0,"
        " retry_at = NULL WHERE connection = :connection AND identity = :identity",
        connection=connection, identity=identity,
    )  # fmt: skip


def reattach(store: Store, connection: str, accounts: Sequence[int]) -> None:
    """Accounts that were ours when they were found gone are so again, unless their person has another by now."""
    store.run(
        "INSERT INTO link (connection, identity, account_id, owned, generation, state, reason, counted, hold, failures)"
        " SELECT connection, owner, id, TRUE, 0, 'live', '', FALSE, '', 0 FROM account"
        " WHERE id IN :ids AND owner IS NOT NULL AND owner IN (SELECT id FROM identity)"
        " ON CONFLICT (connection, identity) DO UPDATE SET account_id = excluded.account_id WHERE link.account_id IS NULL",
        ids=list(accounts),
    )  # fmt: skip
    store.run("UPDATE account SET owner = NULL WHERE id IN :ids AND owner IS NOT NULL", ids=list(accounts))


def wrote(store: Store, connection: str, identity: str, written: str | None) -> None:
    """``written``: JSON, what is ours in lists and objects that others fill too."""
    store.run(
        "UPDATE link SET written = :written WHERE connection = :connection AND identity = :identity",
        connection=connection, identity=identity, written=written,
    )  # fmt: skip


def took(store: Store, connection: str, identity: str) -> None:
    """Both sides agree: any later difference is somebody else's doing, and the disabling that begins a grace has counted."""
    store.run(
        "UPDATE link SET settled = desired, tried_desired = NULL, tried_actual = NULL, counted = (state = 'grace')"
        " WHERE connection = :connection AND identity = :identity",
        connection=connection, identity=identity,
    )  # fmt: skip


def wrote_lately(store: Store, connection: str, identities: Sequence[str], since: datetime) -> Sequence[Row[Any]]:
    """(identity, delta) of each update that settled after ``since``; what a person took back is no sign of anybody else."""
    return store.rows(
        "SELECT identity, delta FROM change WHERE identity IN :ids AND connection = :connection AND kind = 'update' AND state = 'applied'"
        " AND settled_at > :since AND reverts IS NULL",
        ids=list(identities), connection=connection, since=stamp(since),
    )  # fmt: skip


_UNFINISHED = (
    "EXISTS (SELECT 1 FROM step AS s WHERE s.change = c.seq AND s.state IN :took) AND NOT EXISTS (SELECT 1 FROM change AS x"
    " WHERE x.identity = c.identity AND x.connection = c.connection AND x.state = 'applied' AND x.seq > c.seq)"
)
"""Of a change ``c``: a request of it ended in one of the states ``took``, and no change has been done there since."""


def unfinished(store: Store, connection: str, identities: Sequence[str]) -> set[tuple[str, str]]:
    """(identity, kind) of what took in part and still lacks its rest."""
    rows = store.rows(
        "SELECT DISTINCT c.identity, c.kind FROM change AS c WHERE c.identity IN :ids AND c.connection = :connection"
        f" AND c.state <> 'applied' AND {_UNFINISHED}",
        connection=connection, ids=list(identities), took=["applied"],
    )  # fmt: skip
    return {(row.identity, row.kind) for row in rows}


def unrevoked(store: Store, connection: str) -> list[str]:
    """Who was disabled by a change that then did not get to ending their sessions (partial index ``change_revoking``)."""
    rows = store.rows(
        "SELECT DISTINCT c.identity FROM change AS c WHERE c.connection = :connection AND c.revoke AND c.kind = 'disable'"
        f" AND c.state IN ('sent', 'retry', 'lost', 'rejected') AND {_UNFINISHED} ORDER BY c.identity",
        connection=connection, took=["applied", "lost"],
    )  # fmt: skip
    return [row.identity for row in rows]


def in_vain(store: Store, connection: str, identity: str, reason: str) -> None:
    """The write was answered with success and reads back different: not tried again until either side moves."""
    store.run(
        "UPDATE link SET tried_desired = desired, tried_actual = actual, state = 'rejected', reason = :reason, settled = desired"
        " WHERE connection = :connection AND identity = :identity",
        connection=connection, identity=identity, reason=reason,
    )  # fmt: skip


def refused(store: Store, connection: str, identity: str, reason: str, now: datetime) -> None:
    """The provider said no; from the third run in a row on, the change rests before it is tried again (`RESTS`)."""
    before = store.value(
        "SELECT failures FROM link WHERE connection = :connection AND identity = :identity", connection=connection, identity=identity
    )
    failures = int(before or 0) + 1
    rest = timedelta(hours=RESTS[min(failures - PATIENCE, len(RESTS) - 1)]) if failures >= PATIENCE else None
    store.run(
        "UPDATE link SET failures = :failures, retry_at = :retry_at, reason = :reason, doubt = NULL"
        " WHERE connection = :connection AND identity = :identity",
        failures=failures, retry_at=stamp(now + rest) if rest else None, reason=reason,
        connection=connection, identity=identity,
    )  # fmt: skip


def doubt(store: Store, connection: str, identity: str, step: int | None) -> None:
    """This identity's account may or may not exist: the outcome of ``step`` is unknown (None: it is known now)."""
    store.run(
        "UPDATE link SET doubt = :step WHERE connection = :connection AND identity = :identity",
        step=step, connection=connection, identity=identity,
    )  # fmt: skip
