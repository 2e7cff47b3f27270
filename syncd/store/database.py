"""The door to SQL: open a store, bring its schema up to date, run statements in explicit transactions."""

from __future__ import annotations

import secrets
from collections.abc import Iterator, Sequence
from contextlib import contextmanager, nullcontext, suppress
from typing import Any

from sqlalchemy import Connection as SqlConnection
from sqlalchemy import CursorResult
from sqlalchemy.engine import Row
from sqlalchemy.exc import DBAPIError

from syncd.errors import Fatal
from syncd.store.apart import apart
from syncd.store.backend import Backend, Parameters

HEAD = "0003"
"""The newest migration; equal to Alembic's own head (tests/store/test_migrations.py)."""
SCHEMA = "SELECT MAX(version_num) FROM alembic_version"
POSTGRESQL = ("postgresql://", "postgres://")


class Database:
    """Statements in one connection; every write happens inside `transaction`. Rows come back as SQLAlchemy Rows.

    Opening raises Fatal for a place that cannot be used, for what is no database, and for the schema of a newer syncd; Busy for a
    store that another process keeps locked; Away for one that does not answer. ``looking``: nothing will be written, so that one that may
    not be written will do.
    """

    def __init__(self, url: str, *, looking: bool = False) -> None:
        self.url, self._open, self._durable = url, False, False
        self.backend = _backend(url, looking)
        self._prepare()

    def _prepare(self) -> None:
        """The schema; closed again when it cannot be used."""
        try:
            _upgrade(self)
        except DBAPIError as error:
            self.close()
            raise self.backend.failure(error, "opened") or error from None
        except BaseException:
            self.close()
            raise

    @property
    def sql(self) -> SqlConnection:
        return self.backend.sql

    def close(self) -> None:
        self.backend.close()

    @contextmanager
    def transaction(self, *, durable: bool = True) -> Iterator[None]:
        """All or nothing, durable when left; a nested use joins the outer one. What is not ``durable`` outlives the process, and may be
        lost with the machine until the next transaction that is (of whatever process: none outlasts one before it): for what can be read
        or decided again, as long as nothing left this machine and nobody was told.

        Raises Busy when another process writes for longer than `PATIENCE`, Away when the database does not answer (any more), Fatal when
        the store is full or failing.
        """
        if self._open:
            yield
            return
        try:
            self.backend.begin(durable=durable)
            self._open, self._durable = True, durable
            yield
            self.backend.commit()
        except DBAPIError as error:
            self.backend.roll_back()
            failure = self.backend.failure(error)
            if failure is None:
                raise
            raise failure from error
        except BaseException:
            self.backend.roll_back()
            raise
        finally:
            self._open = self._durable = False
            self.backend.ended(durable=durable)

    def insist(self) -> None:
        """Raises RuntimeError outside a transaction that is durable: what is written now is about to have left this machine."""
        if not self._durable:
            raise RuntimeError("a request would leave before its intent is on the disk")

    @contextmanager
    def savepoint(self) -> Iterator[None]:
        """A part of the open transaction that can fail by itself; gone when all of it was rolled back."""
        self.run("SAVEPOINT part")
        try:
            yield
        except BaseException:
            with suppress(DBAPIError):
                self.run("ROLLBACK TO part")
                self.run("RELEASE part")
            raise
        self.run("RELEASE part")

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
        """Execute one statement for each row: mappings of the same names, no two about one row of the table."""
        assert apart(statement, rows), f"two of these rows are about one of the table: {statement}"
        if rows and not self._open and self.backend.needs_transaction(statement):
            with self.transaction():
                self.backend.many(statement, rows)
        elif rows:
            self.backend.many(statement, rows)

    def _execute(self, statement: str, values: Parameters) -> CursorResult[Any]:
        if not self._open and self.backend.needs_transaction(statement):
            with self.transaction():
                return self.backend.execute(statement, values)
        return self.backend.execute(statement, values)


class Store(Database):
    """An open store. ``digest_key`` keys the ledger's digests, so that account holders cannot aim for equal ones."""

    def __init__(self, url: str, instance: str = "default", *, looking: bool = False) -> None:
        super().__init__(url, looking=looking)
        self._instance = instance
        self._enter(instance)

    def reopen(self) -> None:
        """Go on with the store that lies at its place by now. Raises Moved when there is none."""
        self.backend.reopen()
        self._prepare()
        self._enter(self._instance)

    def check(self, schema: str | None = None) -> None:
        """Raises Moved when the store does not lie at its place any more, Fatal when a newer syncd brought it up to date meanwhile.
        ``schema``: what was just read of it."""
        self.backend.check()
        if (schema or self.value(SCHEMA)) > HEAD:
            _refuse_newer(self, "end this one, run that")

    def _enter(self, instance: str) -> None:
        with nullcontext() if self.backend.reading else self.transaction():
            self.id = self._setting("store", secrets.token_hex(8))
            self.digest_key = bytes.fromhex(self._setting("digest_key", secrets.token_hex(16)))
            owner = self._setting("instance", instance)
        if owner != instance:
            self.close()
            raise Fatal(
                f"the store {self.backend.name} belongs to instance {owner!r}, the configuration says {instance!r}\n"
                f"  set `instance: {owner}`, or give this instance a store of its own (store.url)"
            )

    @property
    def epoch(self) -> int:
        """Rises whenever the store was restored: what was planned under a lower one was planned from what it knows no more."""
        return int(self.value("SELECT value FROM setting WHERE name = 'epoch'") or 0)

    def _setting(self, name: str, default: str) -> str:
        if not self.backend.reading:
            self.run("INSERT INTO setting (name, value) VALUES (:name, :value) ON CONFLICT (name) DO NOTHING", name=name, value=default)
        return str(self.value("SELECT value FROM setting WHERE name = :name", name=name))


def _backend(url: str, looking: bool) -> Backend:
    """Neither database needs the other's driver."""
    if url.startswith(POSTGRESQL):
        from syncd.store.postgresql import Postgresql

        return Postgresql(url, looking=looking)
    from syncd.store.sqlite import Sqlite

    return Sqlite(url, looking=looking)


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
        raise Fatal(f"the store {database.backend.name} was written by a newer syncd (schema {version}, this one knows {HEAD}): {cure}")


def _version(database: Database) -> str:
    """The newest migration that the store has seen; "" for none."""
    return str(database.value("SELECT version_num FROM alembic_version")) if database.backend.migrated() else ""
