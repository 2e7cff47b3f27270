"""What people ask the store: the shape of a plan, who waits in which run, everybody with their accounts."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import Any

from sqlalchemy.engine import Row

from syncd.store.database import Store

_HELD = "FROM change AS c LEFT JOIN pending AS p ON p.connection = c.connection AND p.change = c.id WHERE c.run = :run"
_HELD += " AND c.state = 'held'"
_BLOCK = 5000
"""Rows of one query of a stream."""


def shape(store: Store, run: int) -> Sequence[Row[Any]]:
    """How many user changes of a plan there are of each (connection, kind, state, hold): rows with those and ``n``."""
    return store.rows(
        "SELECT connection, kind, state, hold, COUNT(*) AS n FROM change WHERE run = :run AND object = 'user'"
        " GROUP BY connection, kind, state, hold ORDER BY connection, kind, state, hold",
        run=run,
    )


def held(store: Store, run: int) -> Sequence[Row[Any]]:
    """What a plan holds, by reason and kind, in order of planning: (connection, hold, object, kind, first, held, n, seq).

    ``first``: the run that first held them. ``held``: the reason; None for a row of changes that each have one of their own. ``seq``: the
    first of them.
    """
    each = (
        "SELECT c.connection, c.hold, c.held, c.object, c.kind, COALESCE(p.run, c.run) AS first, COUNT(*) AS n, MIN(c.seq) AS seq"
        f" {_HELD} GROUP BY c.connection, c.hold, c.held, c.object, c.kind, COALESCE(p.run, c.run)"
    )
    return store.rows(
        "SELECT connection, hold, object, kind, first, CASE WHEN COUNT(*) = 1 THEN MIN(held) END AS held, CAST(SUM(n) AS bigint) AS n,"
        " MIN(seq) AS seq"
        f" FROM ({each}) AS each GROUP BY connection, hold, object, kind, first, CASE WHEN n > 1 THEN held END ORDER BY seq",
        run=run,
    )


_ALIKE = (
    f"{_HELD} AND c.connection = :connection AND c.hold = :hold AND c.object = :object AND c.kind = :kind"
    " AND COALESCE(p.run, c.run) = :first"
)
_SHARED = f"SELECT c.* {_ALIKE} AND c.held = :held AND c.seq > :after ORDER BY c.seq LIMIT :limit"
_OWN = (
    f"SELECT * FROM change WHERE seq IN (SELECT MIN(c.seq) AS own {_ALIKE} GROUP BY c.held"
    " HAVING COUNT(*) = 1 AND MIN(c.seq) > :after ORDER BY own LIMIT :limit) ORDER BY seq"
)


def held_for(store: Store, run: int, group: Row[Any], most: int) -> Iterator[Row[Any]]:
    """The first ``most`` changes of one row of `held`, streamed."""
    after, text = 0, _OWN if group.held is None else _SHARED
    alike = {"connection": group.connection, "hold": group.hold, "object": group.object, "kind": group.kind, "first": group.first}
    while most > 0 and (
        rows := store.rows(
            text, run=run, after=after, limit=min(most, _BLOCK), **alike, **({} if group.held is None else {"held": group.held})
        )
    ):
        yield from rows
        after, most = rows[-1].seq, most - len(rows)


def runs_that_hold(store: Store) -> list[int]:
    """The runs whose changes are held still."""
    return [row.run for row in store.rows("SELECT DISTINCT run FROM pending WHERE state = 'held' ORDER BY run")]


_NAMES = "('userName', 'email', 'externalId', '@id')"


def named(store: Store, id: str, key: str) -> list[str]:
    """The identities of this id, which answer to it, or with this correlation key as userName, e-mail or externalId."""
    rows = store.rows(
        f"SELECT id AS identity FROM identity WHERE id = :id UNION SELECT identity FROM identity_key WHERE attribute IN {_NAMES}"
        " AND key = :key ORDER BY identity",
        id=id, key=key,
    )  # fmt: skip
    return [row.identity for row in rows]


def holders(store: Store, connection: str, account: str) -> list[str]:
    """The identities whose account this is, at a source or a target."""
    rows = store.rows(
        "SELECT identity FROM account WHERE connection = :connection AND account = :account AND identity IS NOT NULL"
        " UNION SELECT l.identity FROM link AS l JOIN account AS a ON a.id = l.account_id"
        " WHERE a.connection = :connection AND a.account = :account ORDER BY identity",
        connection=connection, account=account,
    )  # fmt: skip
    return [row.identity for row in rows]


def meaning(store: Store, keys: Sequence[str]) -> dict[str, set[str]]:
    """Key -> the identities that have it as userName, e-mail or externalId."""
    found: dict[str, set[str]] = {}
    text = f"SELECT key, identity FROM identity_key WHERE attribute IN {_NAMES} AND key IN :keys"
    for row in store.rows(text, keys=list(keys)):
        found.setdefault(row.key, set()).add(row.identity)
    return found


def accounts(store: Store, connection: str, name: str, key: str) -> Sequence[Row[Any]]:
    """The existing accounts (id, account, ignored) with this provider id; where there is none, those with this provider key."""
    there = "a.object = 'user' AND a.gone_at IS NULL"
    found = store.rows(
        f"SELECT id, account, ignored FROM account AS a WHERE connection = :connection AND account = :name AND {there}",
        connection=connection, name=name,
    )  # fmt: skip
    return found or store.rows(
        "SELECT a.id, a.account, a.ignored FROM account_key AS k JOIN account AS a ON a.id = k.account_id"
        f" WHERE k.connection = :connection AND k.attribute = '@key' AND k.key = :key AND {there} ORDER BY a.account",
        connection=connection, key=key,
    )  # fmt: skip


def accounts_beginning(store: Store, connection: str, name: str, key: str, limit: int = 250) -> list[str]:
    """Ids, and provider keys, of existing accounts that begin so."""
    rows = store.rows(
        "SELECT * FROM (SELECT account AS name FROM account WHERE connection = :connection AND object = 'user' AND gone_at IS NULL"
        " AND account >= :name AND account < :name_after ORDER BY account LIMIT :limit) AS accounts"
        " UNION SELECT * FROM (SELECT key FROM account_key WHERE connection = :connection AND attribute = '@key'"
        " AND key >= :key AND key < :key_after ORDER BY key LIMIT :limit) AS keys",
        connection=connection, name=name, name_after=name + "\U0010ffff", key=key, key_after=key + "\U0010ffff", limit=limit,
    )  # fmt: skip
    return [row.name for row in rows]


def called(store: Store, identities: Sequence[str]) -> list[tuple[str, str]]:
    """(id, userName, or the id where there is none) of these identities."""
    rows = store.rows(
        "SELECT i.id, COALESCE(k.key, i.id) AS name FROM identity AS i LEFT JOIN identity_key AS k ON k.identity = i.id"
        " AND k.attribute = 'userName' WHERE i.id IN :ids ORDER BY i.id",
        ids=list(identities),
    )  # fmt: skip
    return [(row.id, row.name) for row in rows]


def beginning(store: Store, key: str, limit: int = 500) -> list[str]:
    """userNames, as keys, that begin so."""
    rows = store.rows(
        "SELECT DISTINCT key FROM identity_key WHERE attribute = 'userName' AND key >= :key AND key < :after ORDER BY key LIMIT :limit",
        key=key, after=key + "\U0010ffff", limit=limit,
    )  # fmt: skip
    return [row.key for row in rows]


def living(store: Store) -> int:
    """Identities that have not departed."""
    return int(store.value("SELECT COUNT(*) FROM identity WHERE live <> 'departed'"))


def people(store: Store) -> Iterator[tuple[Row[Any], Sequence[Row[Any]]]]:
    """Every identity (id, attributes, live) with its accounts (connection, account, state), streamed in blocks, in order of id.

    ``state``: that of the link at a target, ``source`` where the account makes the identity.
    """
    after = ""
    while rows := store.rows("SELECT id, attributes, live FROM identity WHERE id > :after ORDER BY id LIMIT 1000", after=after):
        after = rows[-1].id
        accounts: dict[str, list[Row[Any]]] = {row.id: [] for row in rows}
        for account in _accounts(store, list(accounts)):
            accounts[account.identity].append(account)
        yield from ((row, accounts[row.id]) for row in rows)


def _accounts(store: Store, identities: list[str]) -> Sequence[Row[Any]]:
    return store.rows(
        "SELECT identity, connection, account, 'source' AS state FROM account WHERE identity IN :ids AND gone_at IS NULL"
        " UNION ALL SELECT l.identity, l.connection, a.account, l.state FROM link AS l JOIN account AS a ON a.id = l.account_id"
        " WHERE l.identity IN :ids AND a.gone_at IS NULL ORDER BY identity, connection, account",
        ids=identities,
    )
