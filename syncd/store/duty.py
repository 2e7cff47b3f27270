"""What tells when a connection is due: when it was tried and read, and what happened since that no schedule knows of."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime
from typing import Any

from sqlalchemy.engine import Row

from syncd.environment import instant, stamp
from syncd.store.database import Store


def known(store: Store) -> dict[str, Row[Any]]:
    """Connection -> (attempted_at, last_delta, last_full, failures, error, defect)."""
    text = "SELECT name, attempted_at, last_delta, last_full, COALESCE(failures, 0) AS failures, error, defect FROM connection"
    return {row.name: row for row in store.rows(text)}


def moved(store: Store, connection: str, *, target: bool) -> datetime | None:
    """The first instant since its last reading at which a person let something go there, or at which time alone changes something."""
    of_target = (
        " UNION ALL SELECT MIN(due_at) FROM link WHERE connection = :connection AND due_at > :since"
        " UNION ALL SELECT MIN(due_at) FROM identity WHERE due_at > :since"
    )
    since = store.value("SELECT last_delta FROM connection WHERE name = :connection", connection=connection)
    at = store.value(
        "SELECT MIN(at) FROM (SELECT MIN(released_at) AS at FROM pending WHERE connection = :connection AND released_at > :since"
        f"{of_target if target else ''}) AS moves",
        connection=connection, since=since or stamp(datetime.max),
    )  # fmt: skip
    return None if at is None else instant(at)


def changed(store: Store, connection: str, most: int) -> int:
    """How many people changed since they were last projected at this target, counted up to ``most``."""
    text = "SELECT COUNT(*) FROM (SELECT 1 FROM dirty WHERE connection = :connection LIMIT :most) AS people"
    return int(store.value(text, connection=connection, most=most))


def version(store: Store) -> int:
    """Another number than before when another process, or another connection of this one, wrote to the store meanwhile."""
    return store.backend.writes()


def outcomes(store: Store, run: int, connection: str) -> Sequence[Row[Any]]:
    """(kind, state, n): what the user changes of a run that were to be sent came to."""
    return store.rows(
        "SELECT kind, state, COUNT(*) AS n FROM change WHERE run = :run AND connection = :connection AND object = 'user'"
        " AND state IN ('applied', 'rejected', 'retry', 'lost', 'in_doubt', 'skipped') GROUP BY kind, state ORDER BY kind, state",
        run=run, connection=connection,
    )  # fmt: skip
