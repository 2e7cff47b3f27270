"""Accounts that were found gone: whose they were, and which of them a listing shows again."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime

from syncd.environment import stamp
from syncd.store.database import Store


def recent(store: Store, connection: str, accounts: Sequence[str], since: datetime) -> set[str]:
    """Those of ``accounts`` that syncd itself deleted after ``since``: a lagging list may still show them."""
    rows = store.rows(
        "SELECT account FROM account WHERE connection = :connection AND account IN :accounts AND gone_at > :since AND touched_at > :since",
        connection=connection, accounts=list(accounts), since=stamp(since),
    )  # fmt: skip
    return {row.account for row in rows}


def disowned(store: Store, ids: Sequence[int]) -> dict[int, str]:
    """Row id -> identity, for those that were an identity's and ours when they were found gone."""
    text = "SELECT id, owner FROM account WHERE id IN :ids AND owner IS NOT NULL"
    return {row.id: row.owner for row in store.rows(text, ids=list(ids))}


def back_unread(store: Store, connection: str, accounts: Sequence[str]) -> list[int]:
    """Tombstones among ``accounts`` whose record stands in a listing again, unreadable: they exist, nothing else is known. Row ids."""
    rows = store.rows(
        "SELECT id FROM account WHERE connection = :connection AND account IN :accounts AND gone_at IS NOT NULL",
        connection=connection, accounts=list(accounts),
    )  # fmt: skip
    ids = [row.id for row in rows]
    store.run("UPDATE account SET gone_at = NULL, reading = NULL WHERE id IN :ids", ids=ids)
    return ids
