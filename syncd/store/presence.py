"""Which daemons are at work on this store: each says so for a while, again and again."""

from __future__ import annotations

from datetime import datetime, timedelta

from syncd.environment import stamp
from syncd.store.database import Store

LASTS = timedelta(minutes=2)
"""How long a daemon that does not say so again counts as present."""
_PREFIX = "daemon:"


def appear(store: Store, holder: str, now: datetime) -> None:
    """Also forgets those who went without a word."""
    with store.transaction(durable=False):
        store.run("DELETE FROM setting WHERE name LIKE :prefix AND value <= :now", prefix=f"{_PREFIX}%", now=stamp(now))
        store.run(
            "INSERT INTO setting (name, value) VALUES (:name, :until) ON CONFLICT (name) DO UPDATE SET value = excluded.value",
            name=_PREFIX + holder, until=stamp(now + LASTS),
        )  # fmt: skip


def leave(store: Store, holder: str) -> None:
    with store.transaction(durable=False):
        store.run("DELETE FROM setting WHERE name = :name", name=_PREFIX + holder)


def anyone(store: Store, now: datetime) -> bool:
    """Whether a daemon is at work; one that would be for longer than `LASTS` appeared before the clock was set back."""
    text = "SELECT 1 FROM setting WHERE name LIKE :prefix AND value > :now AND value <= :latest LIMIT 1"
    return store.one(text, prefix=f"{_PREFIX}%", now=stamp(now), latest=stamp(now + LASTS)) is not None
