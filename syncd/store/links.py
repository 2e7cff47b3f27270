"""The set questions about links: which to project, which are out of step, which accounts could be theirs."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
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


def count_out_of_step(store: Store, connection: str) -> int:
    return int(store.value(f"SELECT COUNT(*) FROM link AS l WHERE l.connection = :connection AND {_DIFFERS}", connection=connection))


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


_CANDIDATES = """
SELECT k.attribute, k.key, k.trusted, a.id AS account_id, a.account, a.ignored, a.document,
  COALESCE(w.identity, l.identity) AS linked, i.live AS linked_live, m.key AS marker, m.trusted AS marker_trusted
FROM account_key AS k JOIN account AS a ON a.id = k.account_id
LEFT JOIN link AS l ON l.account_id = a.id LEFT JOIN word AS w ON w.connection = a.connection AND w.account_id = a.id AND w.yes
LEFT JOIN identity AS i ON i.id = COALESCE(w.identity, l.identity)
LEFT JOIN account_key AS m ON m.account_id = a.id AND m.attribute = '@marker'
WHERE k.connection = :connection AND k.attribute = :attribute AND k.key IN :keys AND a.gone_at IS NULL
"""


def candidates(store: Store, connection: str, keys: Iterable[tuple[str, str]]) -> dict[tuple[str, str], list[Row[Any]]]:
    """(attribute, key) -> the accounts at ``connection`` that answer to it, linked or not; a person's yes is as good as a link."""
    by_attribute: dict[str, set[str]] = {}
    for attribute, key in keys:
        by_attribute.setdefault(attribute, set()).add(key)
    found: dict[tuple[str, str], list[Row[Any]]] = {}
    for attribute, values in by_attribute.items():
        for row in store.rows(_CANDIDATES, connection=connection, attribute=attribute, keys=sorted(values)):
            found.setdefault((attribute, row.key), []).append(row)
    return found


def trusted_keys(store: Store, accounts: Sequence[int]) -> dict[int, dict[str, str]]:
    """Account row id -> attribute -> key, of the keys that only an administrator writes."""
    found: dict[int, dict[str, str]] = {}
    for row in store.rows("SELECT account_id, attribute, key FROM account_key WHERE account_id IN :ids AND trusted", ids=list(accounts)):
        found.setdefault(row.account_id, {})[row.attribute] = row.key
    return found


def newcomers(store: Store, connection: str, attribute: str, keys: Sequence[str]) -> dict[str, set[str]]:
    """Key -> the living identities that answer to it and are to have an account at ``connection``, but have none."""
    rows = store.rows(
        "SELECT k.key, k.identity FROM identity_key AS k JOIN identity AS i ON i.id = k.identity AND i.live = 'live'"
        " JOIN link AS l ON l.identity = k.identity AND l.connection = :connection AND l.account_id IS NULL AND l.desired IS NOT NULL"
        " WHERE k.attribute = :attribute AND k.key IN :keys",
        connection=connection, attribute=attribute, keys=list(keys),
    )  # fmt: skip
    found: dict[str, set[str]] = {}
    for row in rows:
        found.setdefault(row.key, set()).add(row.identity)
    return found


def collisions(store: Store, connection: str, keys: Sequence[str]) -> dict[str, list[str]]:
    """Provider keys that more than one living identity wants at ``connection`` -> those identities."""
    rows = store.rows(
        "SELECT l.key, l.identity FROM link AS l JOIN identity AS i ON i.id = l.identity"
        " WHERE l.connection = :connection AND l.key IN :keys AND i.live = 'live' AND l.state NOT IN ('leaving', 'disabled', 'grace')",
        connection=connection, keys=list(keys),
    )  # fmt: skip
    wanting: dict[str, list[str]] = {}
    for row in rows:
        wanting.setdefault(row.key, []).append(row.identity)
    return {key: identities for key, identities in wanting.items() if len(identities) > 1}


def wanting(store: Store, connection: str, key: str) -> list[str]:
    """Who wants this provider key at ``connection``."""
    rows = store.rows("SELECT identity FROM link WHERE connection = :connection AND key = :key", connection=connection, key=key)
    return [row.identity for row in rows]


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
        "SELECT state, COUNT(*) AS n FROM link WHERE connection = :connection AND state <> 'live' GROUP BY state", connection=connection
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
