"""What a run wrote, and what a person's word to take it back leaves on a link."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from sqlalchemy.engine import Row

from syncd.store.database import Store


def written(store: Store, run: int) -> Sequence[Row[Any]]:
    """The changes of a run that took, whole or in part, latest first: whole rows of the journal, with the link and the account that the
    person has there now (``link``, ``owned``, ``doubt``, ``actual``, ``row``, ``held_account``, ``container``), if any."""
    return store.rows(
        "SELECT c.*, l.id AS link, l.owned, l.doubt, l.actual, a.id AS row, a.account AS held_account, a.container FROM change AS c"
        " LEFT JOIN link AS l ON l.connection = c.connection AND l.identity = c.identity"
        " LEFT JOIN account AS a ON a.id = l.account_id AND a.gone_at IS NULL WHERE c.run = :run"
        " AND (c.state = 'applied' OR EXISTS (SELECT 1 FROM step AS s WHERE s.change = c.seq AND s.state = 'applied')) ORDER BY c.seq DESC",
        run=run,
    )  # fmt: skip


def begin(store: Store, row: Any) -> None:
    """``row``: a change that takes back another is settled. Who is enabled again is in no grace any more."""
    store.run(
        "UPDATE link SET leaving_since = NULL, due_at = NULL, counted = FALSE WHERE connection = :connection AND identity = :identity",
        connection=row.connection, identity=row.identity,
    )  # fmt: skip


def stands(store: Store, row: Any) -> None:
    """A person's no to what is wanted there, until either side moves; an account whose adoption was taken back is not ours any more."""
    values = {"connection": row.connection, "identity": row.identity}
    store.run(
        "UPDATE link SET refused_desired = desired, refused_actual = actual, tried_desired = NULL, tried_actual = NULL"
        " WHERE connection = :connection AND identity = :identity AND desired IS DISTINCT FROM actual",
        **values,
    )
    given_up = store.run(
        "UPDATE link SET owned = FALSE WHERE connection = :connection AND identity = :identity AND EXISTS (SELECT 1 FROM change AS c"
        " WHERE c.run = :run AND c.connection = :connection AND c.identity = :identity AND c.kind = 'adopt')",
        run=row.reverts, **values,
    )  # fmt: skip
    if given_up:
        store.run("INSERT INTO dirty (connection, identity) VALUES (:connection, :identity) ON CONFLICT DO NOTHING", **values)
