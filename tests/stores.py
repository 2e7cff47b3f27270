"""Where the stores of the tests are: a file in a directory of the test's, or a database in its place."""

from __future__ import annotations

import sqlite3
from collections.abc import Iterator
from contextlib import ExitStack, closing, contextmanager
from pathlib import Path
from typing import Any

import psycopg

from syncd.store import Store
from tests import shelf
from tests.postgresql_server import PASSWORD, named, server

__all__ = ["PASSWORD", "server"]

Kept = bytes | str
"""The bytes of a file; the name of a database."""


class Places:
    """Where the stores of the tests are: a directory's ``syncd.db``, or a database in its place."""

    def __init__(self) -> None:
        self.postgresql = False
        self._databases: dict[tuple[str, str], str] = {}

    def url(self, root: Path | str, name: str = "syncd.db") -> str:
        """Of the store of a directory; an empty one, migrated, when it is asked for first."""
        if not self.postgresql:
            return f"sqlite:///{root}/{name}"
        return self._databases.setdefault((str(root), name), "") or self._made(str(root), name)

    def environ(self, root: Path | str) -> dict[str, str]:
        """What makes a configuration in this directory, which says nothing of its store, use that one."""
        return {"SYNCD_STORE__URL": self.url(root)} if self.postgresql else {}

    def impatient(self, store: Store) -> None:
        """It waits for another process as long as `backend.PATIENCE` says, not for the driver's own time besides."""
        if not self.postgresql:
            store.run("PRAGMA busy_timeout = 1")

    @contextmanager
    def away(self, root: Path) -> Iterator[None]:
        """The file is somewhere else; the server ends, as with the machine, and all its stores with it."""
        file = root / "syncd.db"
        server().stop(crash=True) if self.postgresql else file.rename(root / "away.db")
        try:
            yield
        finally:
            server().start() if self.postgresql else (root / "away.db").rename(file)

    def written(self, store: Store) -> int:
        """Another number than before when anything was written by this connection; in PostgreSQL by any: they alone are given numbers."""
        return int(store.value("SELECT pg_snapshot_xmax(pg_current_snapshot())" if self.postgresql else "SELECT total_changes()"))

    def lose(self, root: Path) -> None:
        """The store is no more; the next one, at the same place, is empty."""
        for file in root.glob("syncd.db*"):
            file.unlink()
        if url := self._databases.get((str(root), "syncd.db")):
            server().drop(url)
            server().database(shelf.template(), named(url))

    def keep(self, root: Path) -> Kept:
        """The store of a directory as it is, which nobody has open; `put` has it back, as often as one likes."""
        if not self.postgresql:
            return (root / "syncd.db").read_bytes()
        return named(server().database(named(self.url(root))))

    def put(self, root: Path, kept: Kept) -> None:
        if isinstance(kept, bytes):
            (root / "syncd.db").write_bytes(kept)
        else:
            url = self.url(root)
            server().drop(url)
            server().database(kept, named(url))

    def tidy(self, root: Path) -> None:
        """What PostgreSQL does in time: rows that are no more are in its files no more."""
        if self.postgresql:
            with psycopg.connect(self.url(root), autocommit=True) as connection:
                connection.execute("VACUUM (FULL, ANALYZE)")

    def files(self, root: Path) -> dict[str, bytes]:
        """name -> the bytes of each file of a directory's store; of PostgreSQL those of the whole database, all written down."""
        found = server().files(self.url(root)) if self.postgresql else sorted(root.glob("syncd.db*"))
        assert found
        return {file.name: file.read_bytes() for file in found}

    @contextmanager
    def read(self, root: Path) -> Iterator[None]:
        """Somebody has read in it, in a transaction that does not end."""
        with ExitStack() as stack:
            if self.postgresql:
                reader: Any = stack.enter_context(psycopg.connect(self.url(root), autocommit=True))
            else:
                reader = stack.enter_context(closing(sqlite3.connect(root / "syncd.db", isolation_level=None)))
            reader.execute("BEGIN")
            reader.execute("SELECT COUNT(*) FROM identity").fetchall()
            yield
            reader.execute("ROLLBACK")

    def forget(self, root: str | None = None) -> None:
        for key in [key for key in self._databases if root in (None, key[0])]:
            url = self._databases.pop(key)
            if url:
                shelf.back(url)

    def _made(self, root: str, name: str) -> str:
        self._databases[root, name] = url = empty()
        return url


places = Places()
url, environ, lose, impatient = places.url, places.environ, places.lose, places.impatient
keep, put, files = places.keep, places.put, places.files
away, tidy, written, read = places.away, places.tidy, places.written, places.read


def empty() -> str:
    """The URL of a database of its own, migrated."""
    return shelf.take()
