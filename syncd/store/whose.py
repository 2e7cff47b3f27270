"""Whose accounts are, and what they were like before a reading changes them."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from sqlalchemy.engine import Row

from syncd.store.database import Store
from syncd.store.nameless import IS_NAMELESS


def known(store: Store, connection: str, accounts: Sequence[str]) -> dict[str, Row[Any]]:
    """Those of these accounts that are stored: rows of (id, account, reading, document, gone_at, ``makes``, ``linked``: the identity that
    it makes, and the one whose account it is, also if it was when it was found gone)."""
    if not accounts:
        return {}
    rows = store.rows(
        "SELECT a.id, a.account, a.reading, a.document, a.gone_at, a.identity AS makes, COALESCE(l.identity, a.owner) AS linked"
        f" FROM account AS a LEFT JOIN link AS l ON l.account_id = a.id AND NOT {IS_NAMELESS}"
        " WHERE a.connection = :connection AND a.account IN :accounts AND a.object = 'user'",
        connection=connection, accounts=list(accounts),
    )  # fmt: skip
    return {row.account: row for row in rows}


def names(store: Store, ids: Sequence[int]) -> list[str]:
    """The provider's ids of these rows."""
    return [row.account for row in store.rows("SELECT account FROM account WHERE id IN :ids ORDER BY id", ids=list(ids))]
