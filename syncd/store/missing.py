"""Accounts that complete listings lack, where only time proves that they are gone."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime

from syncd.environment import stamp
from syncd.store.database import Store


def missed(store: Store, ids: Sequence[int], now: datetime) -> None:
    """One more complete listing lacked these accounts, of which nothing proves that they are gone."""
    store.run(
        "UPDATE account SET missing_since = COALESCE(missing_since, :now), missing_times = missing_times + 1 WHERE id IN :ids",
        ids=list(ids), now=stamp(now),
    )  # fmt: skip


def missing(store: Store, connection: str) -> list[int]:
    """Row ids of the accounts that complete listings lack by now."""
    return [row.id for row in store.rows("SELECT id FROM account WHERE connection = :name AND missing_since IS NOT NULL", name=connection)]


def found(store: Store, ids: Sequence[int]) -> None:
    """These accounts are not missing any more."""
    store.run("UPDATE account SET missing_since = NULL, missing_times = 0 WHERE id IN :ids", ids=list(ids))


def faded(store: Store, ids: Sequence[int], times: int, since: datetime) -> list[int]:
    """Those of ``ids`` that at least so many complete listings lacked, the first of them no later than ``since``."""
    rows = store.rows(
        "SELECT id FROM account WHERE id IN :ids AND missing_times >= :times AND missing_since <= :since",
        ids=list(ids), times=times, since=stamp(since),
    )  # fmt: skip
    return [row.id for row in rows]
