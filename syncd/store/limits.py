"""What counts against a limit: the accounts a plan would touch, and those whose requests of the last hours may have taken effect."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime
from typing import Any

from sqlalchemy.engine import Row

from syncd.environment import stamp
from syncd.store.database import Store

_SENT = (
    "FROM step AS s JOIN change AS c ON c.seq = s.change"
    " WHERE s.connection = :connection AND s.sent_at > :since AND s.state NOT IN ('rejected', 'retry')"
)
"""Every request sent since that took effect, or may have: all but those that were surely not done."""


def affected(store: Store, run: int, connection: str, kinds: Sequence[str], since: datetime) -> tuple[int, int]:
    """(distinct identities touched by this plan's open, counted changes of ``kinds`` or by `sent` since; those planned alone)."""
    values = {"run": run, "connection": connection, "kinds": list(kinds), "since": stamp(since)}
    planned = (
        "SELECT identity FROM change WHERE run = :run AND connection = :connection AND kind IN :kinds"
        " AND state = 'planned' AND counted AND NOT released AND object = 'user'"
    )
    sent = f"SELECT c.identity {_SENT} AND c.kind IN :kinds AND c.counted AND NOT c.released AND c.object = 'user'"
    both = int(store.value(f"SELECT COUNT(*) FROM ({planned} UNION {sent}) AS touched", **values))
    values.pop("since")
    return both, int(store.value(f"SELECT COUNT(DISTINCT identity) FROM ({planned}) AS planned", **values))


def cleared(store: Store, run: int, connection: str, since: datetime) -> Sequence[Row[Any]]:
    """(seq, identity, cleared) of changes that remove an attribute's last value: this plan's, and those sent since (seq 0)."""
    return store.rows(
        "SELECT seq, identity, cleared FROM change WHERE run = :run AND connection = :connection AND cleared IS NOT NULL"
        " AND state = 'planned' AND NOT released"
        f" UNION ALL SELECT 0, c.identity, c.cleared {_SENT} AND c.cleared IS NOT NULL AND NOT c.released",
        run=run, connection=connection, since=stamp(since),
    )  # fmt: skip


def vanished(store: Store, run: int, connection: str) -> Row[Any] | None:
    """(connection, departed_at, n, total): the source and moment at which most of this plan's leavers disappeared."""
    leavers = (
        "FROM change AS c WHERE c.run = :run AND c.connection = :connection AND c.kind IN ('delete', 'disable') AND c.state = 'planned'"
    )
    return store.one(
        f"SELECT a.connection, i.departed_at, COUNT(*) AS n, (SELECT COUNT(*) {leavers}) AS total"
        " FROM change AS c JOIN identity AS i ON i.id = c.identity JOIN account AS a ON a.identity = i.id AND a.gone_at = i.departed_at"
        " WHERE c.run = :run AND c.connection = :connection AND c.kind IN ('delete', 'disable') AND c.state = 'planned'"
        " GROUP BY a.connection, i.departed_at ORDER BY n DESC LIMIT 1",
        run=run, connection=connection,
    )  # fmt: skip
