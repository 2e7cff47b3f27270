"""Everything the store knows about one person at one connection, or about one account, found by index."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any, NamedTuple

from sqlalchemy.engine import Row

from syncd.store.database import Store

_REFUSED = "SELECT p.reason FROM pending AS p WHERE p.connection = a.connection AND p.change = 'record:' || a.account"
_ACCOUNT = f"SELECT a.*, r.started, ({_REFUSED}) AS refused FROM account AS a LEFT JOIN run AS r ON r.id = a.run"


def sightings(store: Store, identity: str) -> Sequence[Row[Any]]:
    """The accounts that make a person, gone ones too; ``started``: when the run began that read them; ``refused``: why what is there
    now could not be read."""
    return store.rows(f"{_ACCOUNT} WHERE a.identity = :identity ORDER BY a.id", identity=identity)


def account(store: Store, id: int) -> Row[Any] | None:
    """The same row of any account."""
    return store.one(f"{_ACCOUNT} WHERE a.id = :id", id=id)


def account_called(store: Store, connection: str, account: str) -> Row[Any] | None:
    """The same row, by the provider's id of a user."""
    return store.one(
        f"{_ACCOUNT} WHERE a.connection = :connection AND a.account = :account AND a.object = 'user'",
        connection=connection, account=account,
    )  # fmt: skip


def refused(store: Store, connection: str, account: str) -> str | None:
    """Why the record of an account could not be read when it was last listed."""
    text = "SELECT reason FROM pending WHERE connection = :connection AND change = :change"
    found: str | None = store.value(text, connection=connection, change=f"record:{account}")
    return found


class Key(NamedTuple):
    """What an account can be found by."""

    attribute: str
    key: str
    trusted: bool


def keys(store: Store, account: int) -> list[Key]:
    rows = store.rows("SELECT attribute, key, trusted FROM account_key WHERE account_id = :id ORDER BY attribute", id=account)
    return [Key._make(row) for row in rows]


def link(store: Store, connection: str, identity: str) -> Row[Any] | None:
    """The whole row."""
    return store.one("SELECT * FROM link WHERE connection = :connection AND identity = :identity", connection=connection, identity=identity)


def changes(store: Store, connection: str, identity: str, limit: int) -> Sequence[Row[Any]]:
    """The last changes planned for a person at a connection, newest first; ``started``: when their run began."""
    return store.rows(
        "SELECT c.*, r.started FROM change AS c LEFT JOIN run AS r ON r.id = c.run"
        " WHERE c.identity = :identity AND c.connection = :connection AND c.object = 'user' ORDER BY c.seq DESC LIMIT :limit",
        connection=connection, identity=identity, limit=limit,
    )  # fmt: skip


def first_change(store: Store, connection: str, identity: str) -> str | None:
    """When the run began that first planned something for a person at a connection, of all that is kept."""
    started: str | None = store.value(
        "SELECT r.started FROM change AS c JOIN run AS r ON r.id = c.run WHERE c.identity = :identity AND c.connection = :connection"
        " ORDER BY c.seq LIMIT 1",
        connection=connection, identity=identity,
    )  # fmt: skip
    return started


def steps(store: Store, changes: Sequence[int]) -> Sequence[Row[Any]]:
    """Every request of these changes, in order."""
    return store.rows("SELECT * FROM step WHERE change IN :changes ORDER BY change, n, id", changes=list(changes))


def waits(store: Store, connection: str, identity: str, changes: Sequence[str]) -> Sequence[Row[Any]]:
    """What of somebody waits for a person, or was refused by one: also under these names, change ids, ``link:`` and the link's id,
    ``record:`` and the account."""
    return store.rows(
        "SELECT p.*, l.retry_at FROM pending AS p LEFT JOIN link AS l ON l.id = p.link_id"
        " WHERE p.connection = :connection AND (p.identity = :identity OR (p.identity IS NULL AND p.change IN :changes)) ORDER BY p.id",
        connection=connection, identity=identity, changes=list(changes),
    )  # fmt: skip


def apart(store: Store, account: int) -> list[str]:
    """The identities of which a person said that this account (its row) is not theirs."""
    rows = store.rows("SELECT identity FROM word WHERE account_id = :account AND NOT yes ORDER BY identity", account=account)
    return [row.identity for row in rows]


def words(store: Store, connection: str, identity: str) -> Sequence[Row[Any]]:
    """(account, yes, at) of what a person said of this person's account."""
    return store.rows(
        "SELECT a.account, w.yes, w.at FROM word AS w JOIN account AS a ON a.id = w.account_id"
        " WHERE w.connection = :connection AND w.identity = :identity ORDER BY w.at",
        connection=connection, identity=identity,
    )  # fmt: skip


def journal(store: Store, identity: str) -> Sequence[Row[Any]]:
    """Every entry about a person, oldest first: (seq, at, run, connection, what, body)."""
    return store.rows(
        "SELECT e.seq, e.at, e.run, e.connection, e.what, p.body FROM payload AS p JOIN entry AS e ON e.seq = p.entry"
        " WHERE p.identity = :identity ORDER BY e.seq",
        identity=identity,
    )  # fmt: skip
