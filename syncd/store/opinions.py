"""What linked accounts of targets say of their people, and what syncd itself put there (`link.echo`)."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from sqlalchemy.engine import Row

from syncd.store.database import Store

_VOICES = (
    "SELECT l.id, l.connection, l.identity, l.account_id, l.echo, a.account, a.document FROM link AS l"
    " {join} JOIN account AS a ON a.id = l.account_id AND a.gone_at IS NULL WHERE l.connection = :connection AND l.identity IN :ids"
)


def voices(store: Store, connection: str, identities: Sequence[str]) -> Sequence[Row[Any]]:
    """The accounts that these people have at a target: (id of the link, connection, identity, account_id, echo, account, document)."""
    return store.rows(_VOICES.format(join=""), connection=connection, ids=list(identities))


def link(store: Store, connection: str, identity: str) -> Row[Any] | None:
    """The same row of one identity's link, also without an account."""
    return next(iter(store.rows(_VOICES.format(join="LEFT"), connection=connection, ids=[identity])), None)


def adopting(store: Store, run: int, identity: str) -> Sequence[Row[Any]]:
    """(connection, account, document) of what this run adopts for an identity, be it after a yes to the first contact."""
    return store.rows(
        "SELECT c.connection, a.account, a.document FROM change AS c JOIN account AS a ON a.id = c.account_id WHERE c.run = :run"
        " AND c.identity = :identity AND c.kind = 'adopt' AND c.hold IN ('', 'first_contact') AND a.document IS NOT NULL",
        run=run, identity=identity,
    )  # fmt: skip


def keep(store: Store, echoes: Mapping[int, str]) -> None:
    """Link -> its echo, JSON."""
    store.many("UPDATE link SET echo = :echo WHERE id = :id", [{"id": id, "echo": echo} for id, echo in echoes.items()])


def unheard(store: Store, contributing: Sequence[str]) -> None:
    """What is written where nobody asks for an opinion is not remembered: forgotten, lest it be taken for the last that was written."""
    store.run("UPDATE link SET echo = NULL WHERE echo IS NOT NULL AND connection NOT IN :names", names=list(contributing))


def stirred(store: Store, connection: str, after: str, limit: int = 1000) -> list[str]:
    """People whose account or link at a target is not what it was, in order, a block at a time."""
    rows = store.rows(
        "SELECT identity FROM dirty WHERE connection = :connection AND identity > :after ORDER BY identity LIMIT :limit",
        connection=connection, after=after, limit=limit,
    )  # fmt: skip
    return [row.identity for row in rows]
