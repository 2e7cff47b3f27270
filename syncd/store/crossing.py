"""The rows of a store on their way between PostgreSQL and an SQLite file of the same schema, a block at a time.

Such a file is what a backup of either database is: so it is also the way from the one to the other.
"""

from __future__ import annotations

import sqlite3
from collections.abc import Iterator
from contextlib import closing
from pathlib import Path
from typing import TYPE_CHECKING, Any

from syncd.errors import SyncdError
from syncd.model import Effort
from syncd.store.database import Database

if TYPE_CHECKING:
    from syncd.store.postgresql import Postgresql

BLOCK = 2000
OWN = {"setting": "name <> 'writes'"}
"""Table -> which of its rows travel, where not all do: what counts the transactions of one database says nothing of another."""


def tables(file: sqlite3.Connection, stays: tuple[str, ...] = ()) -> dict[str, list[str]]:
    """Table -> its columns, but for those of ``stays``."""
    text = "SELECT name FROM sqlite_master WHERE type = 'table' AND name NOT LIKE 'sqlite_%' ORDER BY name"
    names = [name for (name,) in file.execute(text) if name not in stays]
    return {name: [row[1] for row in file.execute(f'PRAGMA table_info("{name}")')] for name in names}


def dump(url: str, target: Path, effort: Effort) -> None:
    """Everything that was committed in a PostgreSQL store when this begins, into the empty file ``target``."""
    Database(f"sqlite:///{target}").close()
    with closing(Database(url)) as store, closing(sqlite3.connect(target)) as file:
        backend: Postgresql = store.backend  # type: ignore[assignment]
        effort.unit = "rows"
        try:
            with backend.snapshot() as driver:
                for name, columns in tables(file, ("alembic_version",)).items():
                    places, listed = ", ".join("?" * len(columns)), ", ".join(f'"{column}"' for column in columns)
                    with driver.cursor("crossing") as cursor:
                        cursor.execute(f'SELECT {listed} FROM "{name}" WHERE {OWN.get(name, "TRUE")}'.encode())
                        while rows := cursor.fetchmany(BLOCK):
                            file.executemany(f'INSERT INTO "{name}" ({listed}) VALUES ({places})', rows)
                            effort.done += len(rows)
        except sqlite3.Error as error:
            raise SyncdError(f"{target}: {error}") from None
        file.commit()
        file.execute("PRAGMA journal_mode=DELETE")


def fill(store: Database, path: Path, stays: tuple[str, ...], effort: Effort) -> None:
    """In a transaction of a PostgreSQL store: its rows go, those of the file come, with their ids."""
    backend: Postgresql = store.backend  # type: ignore[assignment]
    with closing(sqlite3.connect(f"file:{path}?mode=ro", uri=True)) as file:
        each = tables(file, stays)
        effort.of, effort.done, effort.unit = len(each), 0, "tables"
        for name, columns in each.items():
            effort.done += 1
            store.run(f'DELETE FROM "{name}" WHERE {OWN.get(name, "TRUE")}')
            backend.copy(name, columns, _rows(file, name, columns))
    for name, key in backend.numbered():
        backend.behind(name, key, int(store.value(f"SELECT COALESCE(MAX({key}), 0) FROM {name}")))


def _rows(file: sqlite3.Connection, name: str, columns: list[str]) -> Iterator[tuple[Any, ...]]:
    listed = ", ".join(f'"{column}"' for column in columns)
    yield from file.execute(f'SELECT {listed} FROM "{name}" WHERE {OWN.get(name, "TRUE")}')
