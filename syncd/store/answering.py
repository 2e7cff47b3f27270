"""Who answers to which key: accounts that could be somebody's, people who want the same account."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from typing import Any

from sqlalchemy.engine import Row

from syncd.store.database import Store

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
