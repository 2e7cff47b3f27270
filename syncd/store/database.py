"""The door to SQL: open a store, bring its schema up to date, run statements in explicit transactions."""

from __future__ import annotations

import secrets
import time
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager, nullcontext, suppress
from functools import lru_cache
from typing import Any

import orjson
from sqlalchemy import Connection as SqlConnection
from sqlalchemy import CursorResult, create_engine
from sqlalchemy.engine import Row
from sqlalchemy.exc import DBAPIError, OperationalError, SQLAlchemyError
from sqlalchemy.pool import NullPool

from syncd.errors import Fatal
from syncd.store.places import Place, locked

HEAD = "0003"
"""The newest migration; equal to Alembic's own head (tests/store/test_migrations.py)."""

SCHEMA = "SELECT MAX(version_num) FROM alembic_version"
LOOKING = ("busy_timeout=5000", "cache_size=-8000", "temp_store=MEMORY")
PRAGMAS = ("journal_mode=WAL", "synchronous=FULL", *LOOKING)
PATIENCE = 30.0
"""Seconds for which a transaction waits for one of another process, ``busy_timeout`` at a time (contract: then exit 75)."""
Parameters = Mapping[str, Any]


class Database:
    """One SQL connection in autocommit; every write happens inside `transaction`. Rows come back as SQLAlchemy Rows.

    Opening raises Fatal for a place that cannot be used, for a file that is no database, and for the schema of a newer syncd; Busy for a
    store that another process keeps locked. ``looking``: nothing will be written, so that one that may not be written will do.
    """

    def __init__(self, url: str, *, looking: bool = False) -> None:
        self.url, self._looking, self._open = url, looking, False
        self._connect()

    def _connect(self) -> None:
        self._place = Place(_name(self.url), looking=self._looking)
        self._engine = create_engine("sqlite://", creator=self._place.open, poolclass=NullPool, isolation_level="AUTOCOMMIT")
        try:
            self.sql: SqlConnection = self._engine.connect()
            self._prepare()
        except DBAPIError as error:
            raise self._place.failure(error.orig, "opened") from None

    def _prepare(self) -> None:
        """Settings and schema; closed again when either fails."""
        try:
            for pragma in LOOKING if self._place.reading else PRAGMAS:
                self.sql.exec_driver_sql(f"PRAGMA {pragma}")
            _upgrade(self)
        except BaseException:
            self.close()
            raise

    def close(self) -> None:
        self._place.left()
        self.sql.close()
        self._engine.dispose()

    @contextmanager
    def transaction(self, *, durable: bool = True) -> Iterator[None]:
        """All or nothing, durable when left; a nested use joins the outer one. What is not ``durable`` outlives the process, and may be
        lost with the machine until the next transaction that is: for what can be read again.

        Raises Busy when another process writes for longer than `PATIENCE`, Fatal when the store is full or failing.
        """
        if self._open:
            yield
            return
        try:
            if not durable:
                self.sql.exec_driver_sql("PRAGMA synchronous=NORMAL")
            self._begin()
            self._open = True
            yield
            self.sql.exec_driver_sql("COMMIT")
        except OperationalError as error:
            self._roll_back()
            raise self._place.failure(error.orig, "written") from error
        except BaseException:
            self._roll_back()
            raise
        finally:
            self._open = False
            if not durable:
                self.sql.exec_driver_sql("PRAGMA synchronous=FULL")

    def _begin(self) -> None:
        deadline = time.monotonic() + PATIENCE
        while True:
            try:
                self.sql.exec_driver_sql("BEGIN IMMEDIATE")
                return
            except OperationalError as error:
                if not locked(error.orig) or time.monotonic() >= deadline:
                    raise

    def _roll_back(self) -> None:
        """A full or failing disk makes SQLite roll back by itself (SQLite documentation, "Response To Errors Within A Transaction")."""
        with suppress(OperationalError):
            self.sql.exec_driver_sql("ROLLBACK")

    @contextmanager
    def savepoint(self) -> Iterator[None]:
        """A part of the open transaction that can fail by itself; gone when all of it was rolled back."""
        self.sql.exec_driver_sql("SAVEPOINT part")
        try:
            yield
        except BaseException:
            with suppress(OperationalError):
                self.sql.exec_driver_sql("ROLLBACK TO part")
                self.sql.exec_driver_sql("RELEASE part")
            raise
        self.sql.exec_driver_sql("RELEASE part")

    def rows(self, statement: str, **values: Any) -> Sequence[Row[Any]]:
        """All rows; a list or tuple value is for ``IN :name``."""
        return self._execute(statement, values).all()

    def tuples(self, statement: str, **values: Any) -> Sequence[tuple[Any, ...]]:
        """All rows of a query as the driver has them: cheaper, where there are very many."""
        cursor = self._execute(statement, values).cursor
        assert cursor is not None
        return cursor.fetchall()

    def one(self, statement: str, **values: Any) -> Row[Any] | None:
        return self._execute(statement, values).first()

    def value(self, statement: str, **values: Any) -> Any:
        """The first column of the first row, or None."""
        return self._execute(statement, values).scalar()

    def run(self, statement: str, **values: Any) -> int:
        """Execute one statement; the number of rows it touched."""
        return self._execute(statement, values).rowcount

    def many(self, statement: str, rows: Sequence[Parameters]) -> None:
        """Execute one statement for each row."""
        if rows:
            self.sql.exec_driver_sql(statement, list(rows))

    def _execute(self, statement: str, values: Parameters) -> CursorResult[Any]:
        """Statements go to the driver as they are, it knows ``:name`` itself: to have them compiled costs more than to run most of them."""
        lists = _lists(values)
        if lists:
            statement = _reading_lists(statement, lists)
            values = {**values, **{name: orjson.dumps(values[name]).decode() for name in lists}}
        return self.sql.exec_driver_sql(statement, values)


class Store(Database):
    """An open store. ``digest_key`` keys the ledger's digests, so that account holders cannot aim for equal ones."""

    def __init__(self, url: str, instance: str = "default", *, looking: bool = False) -> None:
        super().__init__(url, looking=looking)
        self._instance = instance
        self._enter(instance)

    def reopen(self) -> None:
        """Go on with the file that lies at the store's place by now. Raises Moved when there is none.

        What its log says goes into the file that was opened, wherever that is: left where it is, SQLite would put it into the new one.
        """
        with suppress(SQLAlchemyError):
            self.sql.exec_driver_sql("PRAGMA wal_checkpoint(TRUNCATE)")
        self._place.there()
        self.close()
        self._connect()
        self._enter(self._instance)

    def check(self, schema: str | None = None) -> None:
        """Raises Moved when the store does not lie at its place any more, Fatal when a newer syncd brought it up to date meanwhile.
        ``schema``: what was just read of it."""
        self._place.check()
        if (schema or self.value(SCHEMA)) > HEAD:
            _refuse_newer(self, "end this one, run that")

    def _enter(self, instance: str) -> None:
        with nullcontext() if self._place.reading else self.transaction():
            self.id = self._setting("store", secrets.token_hex(8))
            self.digest_key = bytes.fromhex(self._setting("digest_key", secrets.token_hex(16)))
            owner = self._setting("instance", instance)
        if owner != instance:
            self.close()
            raise Fatal(
                f"the store {_name(self.url)} belongs to instance {owner!r}, the configuration says {instance!r}\n"
                f"  set `instance: {owner}`, or give this instance a store of its own (store.url)"
            )

    @property
    def epoch(self) -> int:
        """Rises whenever the store was restored: what was planned under a lower one was planned from what it knows no more."""
        return int(self.value("SELECT value FROM setting WHERE name = 'epoch'") or 0)

    def _setting(self, name: str, default: str) -> str:
        if not self._place.reading:
            self.run("INSERT INTO setting (name, value) VALUES (:name, :value) ON CONFLICT (name) DO NOTHING", name=name, value=default)
        return str(self.value("SELECT value FROM setting WHERE name = :name", name=name))


def _lists(values: Parameters) -> tuple[str, ...]:
    return tuple(name for name, value in values.items() if isinstance(value, list | tuple))


@lru_cache(maxsize=512)
def _reading_lists(statement: str, lists: tuple[str, ...]) -> str:
    """A list travels as one JSON text, so that the statement stays the same however long it is: SQLite keeps it prepared."""
    for name in lists:
        statement = statement.replace(f"IN :{name}", f"IN (SELECT value FROM json_each(:{name}))")
    return statement


def _upgrade(database: Database) -> None:
    """Bring the schema to `HEAD`, all or nothing; Alembic is imported only when there is something to do."""
    if _version(database) == HEAD:
        return
    from syncd.store.migrations.upgrade import upgrade

    _refuse_newer(database, "upgrade syncd")  # also where nothing can be written
    with database.transaction():
        _refuse_newer(database, "upgrade syncd")
        upgrade(database.sql)


def _refuse_newer(database: Database, cure: str) -> None:
    version = _version(database)
    if version > HEAD:
        raise Fatal(f"the store {_name(database.url)} was written by a newer syncd (schema {version}, this one knows {HEAD}): {cure}")


def _version(database: Database) -> str:
    """The newest migration that the store has seen; "" for none."""
    known = database.sql.dialect.has_table(database.sql, "alembic_version")
    return str(database.value("SELECT version_num FROM alembic_version")) if known else ""


def _name(url: str) -> str:
    return url.partition("://")[2].removeprefix("/")
