"""Making one identity of two: what the one has, what the other hands over, and the end of the other."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from sqlalchemy.engine import Row

from syncd.store.database import Store

_OTHER = "account_id IS NOT NULL AND identity = :identity"
_SETTLED = (
    "((connection, account_id) IN (SELECT connection, account_id FROM word WHERE identity = :one) OR (yes AND"
    " (connection IN (SELECT connection FROM word WHERE identity = :one AND yes) OR (connection, account_id) NOT IN"
    " (SELECT connection, account_id FROM link WHERE identity = :one AND account_id IS NOT NULL) AND connection IN"
    " (SELECT connection FROM link WHERE identity = :one AND account_id IS NOT NULL))))"
)
"""Words about the other of two identities to which those about the one, or the account it has, are the answer."""


def shared_sources(store: Store, one: str, other: str) -> list[str]:
    """The connections at which both have an account that is there."""
    rows = store.rows(
        "SELECT connection FROM account WHERE identity = :one AND gone_at IS NULL INTERSECT"
        " SELECT connection FROM account WHERE identity = :other AND gone_at IS NULL ORDER BY connection",
        one=one, other=other,
    )  # fmt: skip
    return [row.connection for row in rows]


def doubts(store: Store, identities: Sequence[str]) -> list[str]:
    """The connections at which it is unknown whether one of these was given an account."""
    text = "SELECT DISTINCT connection FROM link WHERE identity IN :ids AND doubt IS NOT NULL ORDER BY connection"
    return [row.connection for row in store.rows(text, ids=list(identities))]


def held(store: Store, identity: str) -> set[str]:
    """The targets at which somebody has an account."""
    return {row.connection for row in store.rows(f"SELECT connection FROM link WHERE {_OTHER}", identity=identity)}


def links(store: Store, identity: str) -> Sequence[Row[Any]]:
    """Somebody's accounts at targets: (connection, account_id, account)."""
    return store.rows(
        "SELECT l.connection, l.account_id, a.account FROM link AS l JOIN account AS a ON a.id = l.account_id"
        " WHERE l.identity = :identity ORDER BY l.connection",
        identity=identity,
    )


def hand_over(store: Store, connection: str, one: str, other: str) -> None:
    """The link of ``other`` is ``one``'s, with what was done to it; ``one`` had no account there."""
    of = {"connection": connection, "one": one, "other": other}
    store.run("DELETE FROM link WHERE connection = :connection AND identity = :one", connection=connection, one=one)
    store.run("UPDATE link SET identity = :one WHERE connection = :connection AND identity = :other", **of)
    store.run("UPDATE change SET identity = :one WHERE connection = :connection AND identity = :other", **of)


def absorb(store: Store, one: str, other: str) -> None:
    """All the rest: accounts at sources, tombstones, words; what waited of either is decided anew. ``other`` is no more."""
    both = {"one": one, "other": other}
    store.run("UPDATE account SET identity = :one WHERE identity = :other", **both)
    store.run("UPDATE account SET owner = :one WHERE owner = :other", **both)
    store.run(f"DELETE FROM word WHERE identity = :other AND {_SETTLED}", **both)
    store.run("UPDATE word SET identity = :one WHERE identity = :other", **both)
    store.run("DELETE FROM pending WHERE identity IN (:one, :other) AND object = 'user'", **both)
    for table in ("link", "dirty", "identity_key"):
        store.run(f"DELETE FROM {table} WHERE identity = :other", other=other)
    store.run("DELETE FROM identity WHERE id = :other", other=other)
