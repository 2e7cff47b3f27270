"""The set questions about links: which to project, which are out of step, how they stand."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from sqlalchemy.engine import Row

from syncd.environment import stamp
from syncd.store.conditions import out_of_step as _condition
from syncd.store.database import Store
from syncd.store.standing import COLUMNS, Stands

_DIFFERS = _condition("l.")
_STANDING = COLUMNS + "FROM {source} LEFT JOIN account AS a ON a.id = l.account_id"
_DIRTY = _STANDING.format(
    source="dirty AS d JOIN identity AS i ON i.id = d.identity"
    " LEFT JOIN link AS l ON l.connection = d.connection AND l.identity = d.identity"
)
_ALL = _STANDING.format(source="identity AS i LEFT JOIN link AS l ON l.connection = :connection AND l.identity = i.id")
_LINKED = _STANDING.format(source="link AS l JOIN identity AS i ON i.id = l.identity")


def dirty(store: Store, connection: str, limit: int = 1000) -> list[Stands]:
    """Identities to project again at ``connection``, each with its link and account, if any."""
    rows = store.rows(f"{_DIRTY} WHERE d.connection = :connection ORDER BY d.identity LIMIT :limit", connection=connection, limit=limit)
    return [Stands._make(row) for row in rows]


def anybody_dirty(store: Store, connection: str) -> bool:
    return store.one("SELECT 1 FROM dirty WHERE connection = :connection LIMIT 1", connection=connection) is not None


def count_dirty(store: Store, connection: str) -> int:
    return int(store.value("SELECT COUNT(*) FROM dirty WHERE connection = :connection", connection=connection))


def standing(store: Store, connection: str, identities: Sequence[str]) -> list[Stands]:
    """The same rows for given identities."""
    rows = store.rows(f"{_ALL} WHERE i.id IN :ids ORDER BY i.id", connection=connection, ids=list(identities))
    return [Stands._make(row) for row in rows]


def clean(store: Store, connection: str, identities: Sequence[str]) -> None:
    """These have been projected."""
    store.run("DELETE FROM dirty WHERE connection = :connection AND identity IN :ids", connection=connection, ids=list(identities))


def out_of_step(store: Store, connection: str, after: int, limit: int = 1000) -> list[Stands]:
    """Links where desired and actual differ, in order of their id: the only work there is (partial index ``link_out_of_step``)."""
    rows = store.rows(
        f"{_LINKED} WHERE l.connection = :connection AND l.id > :after AND {_DIFFERS} ORDER BY l.id LIMIT :limit",
        connection=connection, after=after, limit=limit,
    )  # fmt: skip
    return [Stands._make(row) for row in rows]


def outstanding(store: Store, connection: str, identity: str) -> list[Stands]:
    """The same of one identity."""
    rows = store.rows(
        f"{_LINKED} WHERE l.connection = :connection AND l.identity = :identity AND {_DIFFERS}", connection=connection, identity=identity
    )
    return [Stands._make(row) for row in rows]


def postponed(store: Store, connection: str, now: str) -> list[Stands]:
    """Links that are out of step and not planned before their time: in doubt, or resting until after ``now`` (a stamp)."""
    rows = store.rows(
        f"{_LINKED} WHERE l.connection = :connection AND {_DIFFERS} AND (l.doubt IS NOT NULL OR l.retry_at > :now) ORDER BY l.id",
        connection=connection, now=now,
    )  # fmt: skip
    return [Stands._make(row) for row in rows]


def wanted(store: Store, connection: str, identity: str) -> Row[Any] | None:
    """What somebody is to be there as far as is projected: (desired, ``dirty``: they changed since); None without a link."""
    return store.one(
        "SELECT desired, EXISTS (SELECT 1 FROM dirty AS d WHERE d.connection = l.connection AND d.identity = l.identity) AS dirty"
        " FROM link AS l WHERE l.connection = :connection AND l.identity = :identity",
        connection=connection, identity=identity,
    )  # fmt: skip


def count_out_of_step(store: Store, connection: str) -> int:
    """In blocks in the order of the partial index: of all at once PostgreSQL believes that they are most of the table, and reads that."""
    text = (
        f"SELECT COUNT(*) AS n, MAX(id) AS last FROM (SELECT l.id FROM link AS l WHERE l.connection = :connection AND l.id > :after"
        f" AND {_DIFFERS} ORDER BY l.id LIMIT 1000) AS block"
    )
    found, row = 0, store.one(text, connection=connection, after=0)
    while row is not None and row.n == 1000:
        found, row = found + 1000, store.one(text, connection=connection, after=row.last)
    return found + (row.n if row is not None else 0)


@dataclass(frozen=True, slots=True)
class Standing:
    """What projection found for one link; no account, nothing desired and nothing to say = the link is forgotten."""

    identity: str
    desired: bytes | None
    actual: bytes | None
    state: str
    reason: str
    key: str | None
    leaving_since: datetime | None
    counted: bool
    due_at: datetime | None
    hold: str
    account_id: int | None


_STANDS = (
    "excluded.state IN ('frozen', 'rejected') OR"
    " (excluded.desired IS NOT DISTINCT FROM link.{0}_desired AND excluded.actual IS NOT DISTINCT FROM link.{0}_actual)"
)
"""Neither side has moved from the pair that was tried in vain, or refused; who is only frozen has not moved."""

_SAVE = """
INSERT INTO link (connection, identity, account_id, desired, actual, state, reason, key, leaving_since, counted, due_at, hold,
  owned, generation, failures)
VALUES (:connection, :identity, :account_id, :desired, :actual, :state, :reason, :key, :leaving_since, :counted, :due_at, :hold,
  TRUE, 0, 0)
ON CONFLICT (connection, identity) DO UPDATE SET account_id = excluded.account_id, desired = excluded.desired, actual = excluded.actual,
  state = excluded.state, reason = excluded.reason, key = excluded.key, leaving_since = excluded.leaving_since,
  counted = excluded.counted, due_at = excluded.due_at, hold = excluded.hold,
  settled = CASE WHEN excluded.state = 'live' AND excluded.desired = excluded.actual AND link.settled IS NOT NULL
    THEN excluded.desired ELSE link.settled END,
  failures = CASE WHEN {waits} THEN link.failures ELSE 0 END, retry_at = CASE WHEN {waits} THEN link.retry_at END,
  tried_desired = CASE WHEN {tried} THEN link.tried_desired END, tried_actual = CASE WHEN {tried} THEN link.tried_actual END,
  refused_desired = CASE WHEN {refused} THEN link.refused_desired END, refused_actual = CASE WHEN {refused} THEN link.refused_actual END
""".format(
    waits="link.desired IS NOT DISTINCT FROM excluded.desired AND excluded.desired IS DISTINCT FROM excluded.actual",
    tried=_STANDS.format("tried"), refused=_STANDS.format("refused"),
)  # fmt: skip


def save(store: Store, connection: str, projected: Sequence[Standing]) -> None:
    """Write what projection found; links that are nothing any more are forgotten."""
    kept = [one for one in projected if _matters(one)]
    dropped = [one.identity for one in projected if not _matters(one)]
    store.many(_SAVE, [{**_columns(one), "connection": connection} for one in kept])
    if dropped:
        store.run(
            "DELETE FROM link WHERE connection = :connection AND identity IN :ids AND doubt IS NULL", connection=connection, ids=dropped
        )


def _matters(one: Standing) -> bool:
    return one.desired is not None or one.account_id is not None or one.state in ("rejected", "frozen", "unlinked")


def _columns(one: Standing) -> dict[str, Any]:
    return {
        "identity": one.identity, "account_id": one.account_id, "desired": one.desired, "actual": one.actual, "state": one.state,
        "reason": one.reason, "key": one.key, "counted": one.counted, "hold": one.hold,
        "leaving_since": stamp(one.leaving_since) if one.leaving_since else None, "due_at": stamp(one.due_at) if one.due_at else None,
    }  # fmt: skip


def counts(store: Store, connection: str) -> Mapping[str, int]:
    """known, linked, ignored and unlinked (all others that exist) accounts of a connection, each counted within one index."""
    known = int(store.value("SELECT COUNT(*) FROM account WHERE connection = :connection AND gone_at IS NULL", connection=connection))
    linked = int(store.value("SELECT COUNT(*) FROM link WHERE connection = :connection AND account_id IS NOT NULL", connection=connection))
    ignored = int(
        store.value(
            "SELECT COUNT(*) FROM account AS a WHERE a.connection = :connection AND a.ignored AND a.gone_at IS NULL"
            " AND NOT EXISTS (SELECT 1 FROM link AS l WHERE l.account_id = a.id)",
            connection=connection,
        )
    )
    return {"known": known, "ignored": ignored, "linked": linked, "unlinked": max(0, known - ignored - linked)}


def states(store: Store, connection: str) -> dict[str, int]:
    """How many links stand in each state but live."""
    rows = store.rows(
        "SELECT state, COUNT(*) AS n FROM link WHERE connection = :connection AND state <> 'live' GROUP BY state ORDER BY state",
        connection=connection,
    )
    return {row.state: row.n for row in rows}


def owned(store: Store, connection: str) -> int:
    """Accounts that syncd created or adopted there."""
    return int(
        store.value("SELECT COUNT(*) FROM link WHERE connection = :connection AND owned AND account_id IS NOT NULL", connection=connection)
    )


def linked_accounts(store: Store, connection: str, accounts: Sequence[str]) -> set[str]:
    """Those of these accounts, by provider id, that are somebody's."""
    rows = store.rows(
        "SELECT a.account FROM account AS a JOIN link AS l ON l.account_id = a.id"
        " WHERE a.connection = :connection AND a.account IN :accounts",
        connection=connection, accounts=list(accounts),
    )  # fmt: skip
    return {row.account for row in rows}


def waiting_for_projection(store: Store, connection: str, identities: Sequence[str]) -> set[str]:
    """Those of these identities that changed and have not been projected since."""
    rows = store.rows(
        "SELECT identity FROM dirty WHERE connection = :connection AND identity IN :ids", connection=connection, ids=list(identities)
    )
    return {row.identity for row in rows}
