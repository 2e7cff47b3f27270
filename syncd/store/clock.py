"""Time as the runs saw it: when the last one began, and the graces that go on from there."""

from __future__ import annotations

from datetime import datetime, timedelta

from syncd.environment import instant, stamp
from syncd.store.database import Store


def last_run(store: Store) -> tuple[datetime, timedelta] | None:
    """When the last run began, and how long after the one before it; None before the first."""
    text = store.value("SELECT value FROM setting WHERE name = 'clock'")
    if text is None:
        return None
    began, step = str(text).split()
    return instant(began), timedelta(seconds=float(step))


def began(store: Store, now: datetime, step: timedelta) -> None:
    """A run begins, ``step`` after the last one."""
    store.run(
        "INSERT INTO setting (name, value) VALUES ('clock', :value) ON CONFLICT (name) DO UPDATE SET value = excluded.value",
        value=f"{stamp(now)} {step.total_seconds()}",
    )


def postpone(store: Store, by: timedelta) -> int:
    """Every grace began so much later (earlier where ``by`` is negative), and is to be judged again; how many there are."""
    rows = store.rows("SELECT id, connection, identity, leaving_since FROM link WHERE leaving_since IS NOT NULL")
    moved = [{"id": row.id, "since": stamp(instant(row.leaving_since) + by)} for row in rows]
    store.many("UPDATE link SET leaving_since = :since WHERE id = :id", moved)
    store.run(
        "INSERT INTO dirty (connection, identity) SELECT connection, identity FROM link WHERE leaving_since IS NOT NULL"
        " ON CONFLICT DO NOTHING"
    )
    return len(moved)
