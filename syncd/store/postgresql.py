"""A store in a PostgreSQL database: a schema of its own, one connection, one writer at a time.

Whoever writes holds an advisory lock from the beginning of the transaction to its end, so that transactions follow one another as they
do in an SQLite file. Nothing outlives a transaction in the connection (no prepared statement, no setting, no temporary table): a pooler
may give each transaction another one.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator, Sequence
from contextlib import contextmanager, suppress
from functools import lru_cache
from typing import Any, cast

import psycopg
from psycopg import Connection as Driver
from psycopg.types.string import StrDumper
from sqlalchemy import CursorResult, Engine, create_engine
from sqlalchemy.exc import DBAPIError, SQLAlchemyError
from sqlalchemy.pool import NullPool

from syncd.errors import Away, Fatal
from syncd.store import arrays, backend, bulk, postgresql_purge
from syncd.store.backend import Backend, Parameters
from syncd.store.postgresql_errors import called, failure, lost, unopened

_LOCK = 0x73796E63
"""Beside the schema's own number: syncd's part of the advisory locks of a database ("sync")."""
STILL = 10.0
"""Seconds after which the transaction of a process that asks nothing more is undone: it stands still, or its machine is gone, and others
wait for its turn to end."""
_WROTE = (
    "INSERT INTO setting (name, value) SELECT 'writes', '1' WHERE pg_current_xact_id_if_assigned() IS NOT NULL"
    " ON CONFLICT (name) DO UPDATE SET value = CAST(CAST(setting.value AS bigint) + 1 AS text)"
)
"""Counts the transactions that wrote something, within each."""
_READS = re.compile(r"\s*(SELECT|WITH|SHOW|EXPLAIN)\b", re.IGNORECASE)


class Postgresql(Backend):
    """Raises Fatal for an address, a name or a password that is wrong, Away where nobody answers."""

    place, outlived = "id", True

    def __init__(self, url: str, *, looking: bool = False) -> None:
        self.name = called(url)
        self._url = url
        self._wrote = 0
        self._engine: Engine = create_engine(
            "postgresql+psycopg://", creator=self._connected, poolclass=NullPool, isolation_level="AUTOCOMMIT", use_native_hstore=False
        )  # fmt: skip
        self._connect()
        self.reading = looking and self.execute("SHOW transaction_read_only", {}).scalar() == "on"

    def _connected(self) -> Driver[Any]:
        try:
            made = psycopg.connect(self._url, prepare_threshold=None, autocommit=True, fallback_application_name="syncd")
        except psycopg.Error as error:
            raise unopened(error, self.name) from None
        made.adapters.register_dumper(str, StrDumper)
        arrays.register(made.adapters)
        return made

    def _connect(self) -> None:
        self.sql = self._engine.connect()
        self._driver = cast("Driver[Any]", self.sql.connection.dbapi_connection)
        self._open = False
        self._wrote = 0

    def close(self) -> None:
        with suppress(psycopg.Error, SQLAlchemyError):
            self.sql.invalidate()
            self.sql.close()
        self._engine.dispose()

    def _ready(self) -> None:
        """A connection that was lost is made anew where nothing was under way."""
        if self._driver.closed and self._open:
            raise lost(self.name)
        if self._driver.closed:
            self._reconnect()

    def execute(self, statement: str, values: Parameters) -> CursorResult[Any]:
        """Where nothing was under way, a question that got no answer is asked again."""
        self._ready()
        text = translated(statement)
        given = {name: arrays.listed(value) if isinstance(value, list | tuple) else value for name, value in values.items()}
        try:
            return self.sql.exec_driver_sql(text, given)
        except DBAPIError as error:
            if self._open:
                raise
            if not isinstance(self.failure(error), Away):
                raise
            self._reconnect()
            return self.sql.exec_driver_sql(text, given)

    def many(self, statement: str, rows: Sequence[Parameters]) -> None:
        self._ready()
        try:
            bulk.many(self._driver, translated(statement), rows)
        except psycopg.Error as error:
            raise failure(error, self.name) or error from error

    def begin(self, *, durable: bool) -> None:
        """One round trip. A connection that was lost meanwhile is made anew."""
        text = (
            f"BEGIN; SET LOCAL lock_timeout = {_milliseconds(backend.PATIENCE)};"
            f" SET LOCAL idle_in_transaction_session_timeout = {_milliseconds(STILL)};"
            f"{'' if durable else ' SET LOCAL synchronous_commit = off;'} SELECT pg_advisory_xact_lock({_LOCK}, hashtext(current_schema()))"
        )
        self._ready()
        try:
            self._said(text)
        except Away:
            self._reconnect()
            self._said(text)
        self._open = True

    def commit(self) -> None:
        self._wrote += self._said(f"{_WROTE}; COMMIT")

    def _said(self, text: str) -> int:
        """Several statements at once, by the simple protocol; the rows that the first one touched."""
        try:
            return self._driver.execute(text.encode()).rowcount
        except psycopg.Error as error:
            raise failure(error, self.name) or error from error

    def _reconnect(self) -> None:
        with suppress(psycopg.Error, SQLAlchemyError):
            self.sql.invalidate()
            self.sql.close()
        self._connect()

    def roll_back(self) -> None:
        with suppress(psycopg.Error):
            self._driver.execute(b"ROLLBACK")

    def ended(self, *, durable: bool) -> None:
        self._open = False

    def needs_transaction(self, statement: str) -> bool:
        return not _READS.match(statement)

    def check(self) -> None:
        """A database is not moved while somebody is in it."""

    def reopen(self) -> None:
        self._reconnect()

    def failure(self, error: DBAPIError, verb: str = "written") -> Fatal | None:
        return failure(error.orig, self.name) if isinstance(error.orig, psycopg.Error) else None

    def migrated(self) -> bool:
        return self.execute("SELECT to_regclass('alembic_version') IS NOT NULL", {}).scalar() is True

    def writes(self) -> int:
        """A connection's own do not count."""
        return int(self.execute("SELECT value FROM setting WHERE name = 'writes'", {}).scalar() or 0) - self._wrote

    @contextmanager
    def snapshot(self) -> Iterator[Driver[Any]]:
        """All that is asked within shows one moment; nobody waits for it."""
        self._said("BEGIN ISOLATION LEVEL REPEATABLE READ READ ONLY")
        try:
            yield self._driver
        except psycopg.Error as error:
            raise failure(error, self.name) or error from error
        finally:
            self.roll_back()

    def copy(self, table: str, columns: Sequence[str], rows: Iterable[Sequence[Any]]) -> None:
        """In the open transaction."""
        listed = ", ".join(f'"{column}"' for column in columns)
        try:
            with self._driver.cursor() as cursor, cursor.copy(f'COPY "{table}" ({listed}) FROM STDIN'.encode()) as copying:
                for row in rows:
                    copying.write_row(row)
        except psycopg.Error as error:
            raise failure(error, self.name) or error from error

    def script(self, text: str) -> None:
        """Statements that others wrote for PostgreSQL, in the open transaction."""
        self._said(text)

    def purge(self) -> bool:
        return postgresql_purge.purge(self.execute, self._said)

    def numbered(self) -> Sequence[tuple[str, str]]:
        """(table, column) wherever the database gives out the numbers."""
        text = "SELECT table_name, column_name FROM information_schema.columns WHERE table_schema = current_schema()"
        found = self.execute(f"{text} AND (is_identity = 'YES' OR column_default LIKE 'nextval%')", {})
        return [(row.table_name, row.column_name) for row in found]

    def behind(self, table: str, column: str, last: int) -> None:
        """A sequence does not see what was numbered by hand."""
        self.execute(
            "SELECT setval(sequence, GREATEST(:last + 1, nextval(sequence)), FALSE)"
            " FROM CAST(pg_get_serial_sequence(:table, :column) AS regclass) AS sequence",
            {"table": table, "column": column, "last": last},
        )


def _milliseconds(seconds: float) -> int:
    return max(1, round(seconds * 1000))


_VALUE = re.compile(r"('(?:[^']|'')*')|\bNOT IN :(\w+)|\bIN :(\w+)|(?<!:):([A-Za-z_]\w*)|(%)")
_WORDS = (
    (re.compile(r"json_each\(([\w.]+)\) AS (\w+)"), r"json_array_elements_text(CAST(\1 AS json)) AS \2 (value)"),
    (re.compile(r"\b([\w.]+) ->> '(\w+)'"), r"(CAST(\1 AS json) ->> '\2')"),
    (re.compile(r"\b([\w.]+) -> '(\w+)'"), r"CAST(CAST(\1 AS json) -> '\2' AS text)"),
)
"""What SQLite says -> what PostgreSQL says."""


@lru_cache(maxsize=1024)
def translated(statement: str) -> str:
    """As the driver reads it: ``:name`` is ``%(name)s``, a list is an array."""

    def said(found: re.Match[str]) -> str:
        text, outside, inside, name, percent = found.groups()
        if text:
            return text.replace("%", "%%")
        if percent:
            return "%%"
        return f"<> ALL(%({outside})s)" if outside else f"= ANY(%({inside})s)" if inside else f"%({name})s"

    for pattern, words in _WORDS:
        statement = pattern.sub(words, statement)
    return _VALUE.sub(said, statement)
