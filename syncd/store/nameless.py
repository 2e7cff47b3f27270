"""Who was forgotten while an account of theirs is still at its provider: an identity of which nothing else is known."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime

from syncd.environment import stamp
from syncd.store.database import Store

NAMELESS = "forgotten-"
"""What their ids begin with; everybody else's is a uuid."""
UNCLEARED = "uncleared"
"""The setting that says since when the store's files hold bytes of what was erased."""
IS_NAMELESS = f"l.identity LIKE '{NAMELESS}%'"
"""Of a link ``l``."""


def vanish(store: Store, accounts: Sequence[int], now: datetime) -> None:
    """Of these accounts, which are gone, those of the forgotten go with all that was kept for their sake: no tombstone stays."""
    theirs = store.rows(
        f"SELECT l.account_id AS row, l.identity FROM link AS l WHERE l.account_id IN :ids AND {IS_NAMELESS}",
        ids=list(accounts),
    )
    if not theirs:
        return
    rows = [one.row for one in theirs]
    store.run("DELETE FROM account_key WHERE account_id IN :rows", rows=rows)
    store.run("DELETE FROM link WHERE account_id IN :rows", rows=rows)
    store.run("DELETE FROM account WHERE id IN :rows", rows=rows)
    store.run(
        "DELETE FROM identity WHERE id IN :ids AND NOT EXISTS (SELECT 1 FROM link AS l WHERE l.identity = identity.id)",
        ids=[one.identity for one in theirs],
    )
    uncleared(store, now)


def uncleared(store: Store, now: datetime) -> None:
    """Something was erased, and its bytes may stand in the files until they are rewritten."""
    store.run("INSERT INTO setting (name, value) VALUES (:name, :now) ON CONFLICT DO NOTHING", name=UNCLEARED, now=stamp(now))
