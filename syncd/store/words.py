"""What people said about accounts: whose each is, whatever its keys say, and whose it is not."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from datetime import datetime
from typing import Any

from sqlalchemy.engine import Row

from syncd.environment import stamp
from syncd.store.database import Store


def give(store: Store, connection: str, account_id: int, identity: str, now: datetime) -> None:
    """A person's yes, in the caller's transaction: the account is this identity's and no other's, and this identity has no other there.

    What waits of this person there is answered with it, and an earlier no to a change of theirs is taken back.
    """
    store.run(
        "DELETE FROM word WHERE connection = :connection AND yes AND (account_id = :row OR identity = :identity)",
        connection=connection, row=account_id, identity=identity,
    )  # fmt: skip
    _say(store, connection, account_id, identity, True, now)
    store.run(
        "UPDATE link SET refused_desired = NULL, refused_actual = NULL, tried_desired = NULL, tried_actual = NULL, failures = 0,"
        " retry_at = NULL WHERE connection = :connection AND identity = :identity",
        connection=connection, identity=identity,
    )  # fmt: skip


def take(store: Store, connection: str, account_id: int, identity: str, now: datetime) -> None:
    """A person's no, in the caller's transaction: the account is not this identity's, whatever its keys say; a link is released.

    The account becomes nobody's: it is not ended as that of a leaver, and what was decided about it is void.
    """
    _say(store, connection, account_id, identity, False, now)
    store.run(
        "UPDATE link SET account_id = NULL, desired = NULL, actual = NULL, state = 'unlinked', reason = '', key = NULL,"
        " leaving_since = NULL, counted = FALSE, due_at = NULL, hold = '', settled = NULL, written = NULL, echo = NULL,"
        " tried_desired = NULL, tried_actual = NULL, refused_desired = NULL, refused_actual = NULL, failures = 0, retry_at = NULL,"
        " generation = generation + 1 WHERE connection = :connection AND identity = :identity AND account_id = :row",
        connection=connection, identity=identity, row=account_id,
    )  # fmt: skip


def _say(store: Store, connection: str, account_id: int, identity: str, yes: bool, now: datetime) -> None:
    store.run(
        "INSERT INTO word (connection, account_id, identity, yes, at) VALUES (:connection, :row, :identity, :yes, :now)"
        " ON CONFLICT (connection, account_id, identity) DO UPDATE SET yes = :yes, at = :now",
        connection=connection, row=account_id, identity=identity, yes=yes, now=stamp(now),
    )  # fmt: skip
    store.run(
        "DELETE FROM pending WHERE connection = :connection AND identity = :identity AND object = 'user' AND state <> 'in_doubt'",
        connection=connection, identity=identity,
    )  # fmt: skip
    mark(store, [account_id])
    store.run(
        "INSERT INTO dirty (connection, identity) VALUES (:connection, :identity) ON CONFLICT DO NOTHING",
        connection=connection, identity=identity,
    )  # fmt: skip


def mark(store: Store, accounts: Sequence[int]) -> None:
    """Whoever a person said no to about these accounts is to be projected again: it came, went, or is somebody's now."""
    store.run(
        "INSERT INTO dirty (connection, identity) SELECT connection, identity FROM word WHERE (connection, account_id) IN"
        " (SELECT connection, id FROM account WHERE id IN :ids) AND identity IN (SELECT id FROM identity) ON CONFLICT DO NOTHING",
        ids=list(accounts),
    )


def given(store: Store, connection: str, identities: Iterable[str]) -> dict[str, Row[Any]]:
    """Identity -> the existing account that a person said is theirs: a row as `answering.candidates` finds them, by ``@word``."""
    rows = store.rows(
        "SELECT '@word' AS attribute, w.identity AS key, TRUE AS trusted, a.id AS account_id, a.account, a.ignored, a.document,"
        " l.identity AS linked, i.live AS linked_live, m.key AS marker, m.trusted AS marker_trusted"
        " FROM word AS w JOIN account AS a ON a.id = w.account_id AND a.gone_at IS NULL"
        " LEFT JOIN link AS l ON l.account_id = a.id LEFT JOIN identity AS i ON i.id = l.identity"
        " LEFT JOIN account_key AS m ON m.account_id = a.id AND m.attribute = '@marker'"
        " WHERE w.connection = :connection AND w.yes AND w.identity IN :identities",
        connection=connection, identities=list(identities),
    )  # fmt: skip
    return {row.key: row for row in rows}


def refused(store: Store, connection: str, identities: Iterable[str]) -> set[tuple[str, int]]:
    """(identity, account row) of every no to these people there."""
    rows = store.rows(
        "SELECT identity, account_id FROM word WHERE connection = :connection AND NOT yes AND identity IN :identities",
        connection=connection, identities=list(identities),
    )  # fmt: skip
    return {(row.identity, row.account_id) for row in rows}


def owner(store: Store, connection: str, account_id: int) -> Row[Any] | None:
    """(identity, live, linked) of whose an account is, by its link or else by a person's yes; None = nobody's."""
    return store.one(
        "SELECT i.id AS identity, i.live, found.linked FROM (SELECT identity, TRUE AS linked FROM link WHERE account_id = :row"
        " UNION ALL SELECT identity, FALSE FROM word WHERE connection = :connection AND account_id = :row AND yes"
        " ORDER BY linked DESC LIMIT 1) AS found JOIN identity AS i ON i.id = found.identity",
        connection=connection, row=account_id,
    )  # fmt: skip
