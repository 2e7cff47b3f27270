"""The tables are written anew, so that no byte of what was deleted stays in their files; nobody is kept waiting for it.

What the server archives of them (WAL, its own backups) ends when it lets go of that. Its statistics hold values of the tables, too: they
are made anew, and their old ones are cleared away where the user owns the database. No setting is made: each statement may go through
another connection of a pooler.
"""

from __future__ import annotations

import time
from collections.abc import Callable
from typing import Any

from sqlalchemy import CursorResult

from syncd.store import backend
from syncd.store.backend import Parameters

Ask = Callable[[str, Parameters], CursorResult[Any]]
Say = Callable[[str], object]
AGAIN = 0.1
"""Seconds between two looks."""
_NEXT = "SELECT CAST(pg_snapshot_xmax(pg_current_snapshot()) AS text)"
"""The first transaction that had not begun yet."""
_SEEN = (
    "WITH moment AS (SELECT CAST(:moment AS xid8) AS began, age(CAST(CAST(:moment AS xid8) AS xid)) AS old)"
    " SELECT pg_snapshot_xmin(pg_current_snapshot()) < began"
    " OR EXISTS (SELECT 1 FROM pg_stat_activity WHERE pid <> pg_backend_pid() AND age(backend_xmin) > old"
    " AND COALESCE(datname, current_database()) = current_database())"
    " OR EXISTS (SELECT 1 FROM pg_replication_slots WHERE COALESCE(database, current_database()) = current_database() AND age(xmin) > old)"
    " FROM moment"
)
"""Whether anybody is at work who sees what was there before that: PostgreSQL copies it for them when it writes a table anew."""
_TABLES = "SELECT quote_ident(tablename) FROM pg_tables WHERE schemaname = current_schema() AND pg_has_role(tableowner, 'USAGE')"
_OWNED = "SELECT pg_has_role(datdba, 'USAGE') FROM pg_database WHERE datname = current_database()"


def purge(ask: Ask, say: Say) -> bool:
    """Outside a transaction. False while somebody reads a table, or sees what was there before."""
    tables = ask(_TABLES, {}).scalars().all()
    if not (_unseen(ask) and all(_anew(ask, say, table) for table in tables)):
        return False
    say(f"ANALYZE {', '.join(tables)}")
    return not ask(_OWNED, {}).scalar() or (_unseen(ask) and _anew(ask, say, "pg_catalog.pg_statistic"))


def _unseen(ask: Ask) -> bool:
    """From then on nobody sees what was deleted before, however late they begin."""
    moment = ask(_NEXT, {}).scalar()
    return _within(lambda: not ask(_SEEN, {"moment": moment}).scalar())


def _anew(ask: Ask, say: Say, table: str) -> bool:
    """To wait for the lock of a table would make everybody wait behind: one that is read just then is tried again."""

    def file() -> Any:
        return ask("SELECT pg_relation_filenode(CAST(:table AS regclass))", {"table": table}).scalar()

    def done() -> bool:
        say(f"VACUUM (FULL, SKIP_LOCKED) {table}")
        return bool(file() != before)

    before = file()
    return _within(done)


def _within(done: Callable[[], bool]) -> bool:
    """Tried until it is so, as long as one waits for another process."""
    deadline = time.monotonic() + backend.PATIENCE
    while not done():
        if time.monotonic() >= deadline:
            return False
        time.sleep(AGAIN)
    return True
