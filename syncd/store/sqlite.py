"""A store in an SQLite file."""

from __future__ import annotations

import time
from collections.abc import Sequence
from contextlib import suppress
from functools import lru_cache
from typing import Any

import orjson
from sqlalchemy import CursorResult, create_engine
from sqlalchemy.exc import DBAPIError, OperationalError, SQLAlchemyError
from sqlalchemy.pool import NullPool

from syncd.errors import Fatal
from syncd.store import backend
from syncd.store.backend import Backend, Parameters
from syncd.store.places import Place, locked

LOOKING = ("busy_timeout=5000", "cache_size=-8000", "temp_store=MEMORY")
PRAGMAS = ("journal_mode=WAL", "synchronous=FULL", *LOOKING)


class Sqlite(Backend):
    """Raises Fatal for a place that cannot be used and for a file that is no database, Busy for one that another process keeps locked."""

    place, outlived = "rowid", False

    def __init__(self, url: str, *, looking: bool = False) -> None:
        self.name, self._looking = file_name(url), looking
        self._connect()

    def _connect(self) -> None:
        self._place = Place(self.name, looking=self._looking)
        self.reading = self._place.reading
        engine = create_engine("sqlite://", creator=self._place.open, poolclass=NullPool, isolation_level="AUTOCOMMIT")
        try:
            self.sql = engine.connect()
            self._prepare()
        except DBAPIError as error:
            raise self._place.failure(error.orig, "opened") from None

    def _prepare(self) -> None:
        try:
            for pragma in LOOKING if self.reading else PRAGMAS:
                self.sql.exec_driver_sql(f"PRAGMA {pragma}")
        except BaseException:
            self.close()
            raise

    def close(self) -> None:
        self._place.left()
        super().close()

    def check(self) -> None:
        self._place.check()

    def reopen(self) -> None:
        """What its log says goes into the file that was opened, wherever that is: left behind, SQLite would put it into the new one."""
        with suppress(SQLAlchemyError):
            self.sql.exec_driver_sql("PRAGMA wal_checkpoint(TRUNCATE)")
        self._place.there()
        self.close()
        self._connect()

    def execute(self, statement: str, values: Parameters) -> CursorResult[Any]:
        """Statements go to the driver as they are, it knows ``:name`` itself: to have them compiled costs more than to run most of them."""
        lists = _lists(values)
        if lists:
            statement = _reading_lists(statement, lists)
            values = {**values, **{name: orjson.dumps(values[name]).decode() for name in lists}}
        return self.sql.exec_driver_sql(statement, values)

    def many(self, statement: str, rows: Sequence[Parameters]) -> None:
        self.sql.exec_driver_sql(statement, list(rows))

    def begin(self, *, durable: bool) -> None:
        """``busy_timeout`` at a time."""
        if not durable:
            self.sql.exec_driver_sql("PRAGMA synchronous=NORMAL")
        deadline = time.monotonic() + backend.PATIENCE
        while True:
            try:
                self.sql.exec_driver_sql("BEGIN IMMEDIATE")
                return
            except OperationalError as error:
                if not locked(error.orig) or time.monotonic() >= deadline:
                    raise

    def commit(self) -> None:
        self.sql.exec_driver_sql("COMMIT")

    def roll_back(self) -> None:
        """A full or failing disk makes SQLite roll back by itself (SQLite documentation, "Response To Errors Within A Transaction")."""
        with suppress(OperationalError):
            self.sql.exec_driver_sql("ROLLBACK")

    def ended(self, *, durable: bool) -> None:
        if not durable:
            self.sql.exec_driver_sql("PRAGMA synchronous=FULL")

    def needs_transaction(self, statement: str) -> bool:
        return False

    def failure(self, error: DBAPIError, verb: str = "written") -> Fatal | None:
        return self._place.failure(error.orig, verb) if isinstance(error, OperationalError) else None

    def migrated(self) -> bool:
        return self.sql.dialect.has_table(self.sql, "alembic_version")

    def writes(self) -> int:
        return int(self.sql.exec_driver_sql("PRAGMA data_version").scalar_one())

    def purge(self) -> bool:
        self.sql.exec_driver_sql("PRAGMA temp_store=FILE")  # else all that is left would be in memory at once
        try:
            self.sql.exec_driver_sql("VACUUM")
        finally:
            self.sql.exec_driver_sql("PRAGMA temp_store=MEMORY")
        busy, _, _ = self.sql.exec_driver_sql("PRAGMA wal_checkpoint(TRUNCATE)").one()
        return not busy

    def behind(self, table: str, column: str, last: int) -> None:
        """It goes on behind the highest there is."""


def _lists(values: Parameters) -> tuple[str, ...]:
    return tuple(name for name, value in values.items() if isinstance(value, list | tuple))


@lru_cache(maxsize=512)
def _reading_lists(statement: str, lists: tuple[str, ...]) -> str:
    """A list travels as one JSON text, so that the statement stays the same however long it is: SQLite keeps it prepared."""
    for name in lists:
        statement = statement.replace(f"IN :{name}", f"IN (SELECT value FROM json_each(:{name}))")
    return statement


def file_name(url: str) -> str:
    """The path in the address of a store; "" for one in memory."""
    return url.partition("://")[2].removeprefix("/")
