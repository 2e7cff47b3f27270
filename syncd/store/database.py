"""The door to SQL: open a store, bring its schema up to date, run statements in explicit transactions."""

from __future__ import annotations

import os
import secrets
from collections.abc import Iterable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from functools import lru_cache
from itertools import islice
from pathlib import Path
from typing import Any, TypeVar

from sqlalchemy import Connection as SqlConnection
from sqlalchemy import TextClause, bindparam, create_engine, event, text
from sqlalchemy.engine import Row
from sqlalchemy.exc import DBAPIError
from sqlalchemy.pool import NullPool

from syncd.errors import Fatal

T = TypeVar("T")
HEAD = "0001"
"""The newest migration; equal to Alembic's own head (tests/store/test_migrations.py)."""

PRAGMAS = ("journal_mode=WAL", "synchronous=FULL", "busy_timeout=5000", "cache_size=-32000", "temp_store=MEMORY")
Parameters = Mapping[str, Any]
BLOCK = 1000
"""Most values one statement names: far below what either database allows."""


class Database:
    """One SQL connection in autocommit; every write happens inside `transaction`. Rows come back as SQLAlchemy Rows."""

    def __init__(self, url: str) -> None:
        self.url = url
        self._engine = create_engine(url, poolclass=NullPool, isolation_level="AUTOCOMMIT")
        if self._engine.dialect.name == "sqlite":
            _protect(self._engine.url.database)
            event.listen(self._engine, "connect", _set_pragmas)
        self._depth = 0
        try:
            self.sql: SqlConnection = self._engine.connect()
            _upgrade(self)
        except DBAPIError as error:
            raise Fatal(f"the store {_name(url)} cannot be opened: {error.orig}") from None

    def close(self) -> None:
        self.sql.close()
        self._engine.dispose()

    @contextmanager
    def transaction(self) -> Iterator[None]:
        """All or nothing, durable when left; a nested use joins the outer one."""
        if self._depth:
            yield
            return
        self.sql.exec_driver_sql("BEGIN IMMEDIATE")
        self._depth = 1
        try:
            yield
        except BaseException:
            self.sql.exec_driver_sql("ROLLBACK")
            raise
        else:
            self.sql.exec_driver_sql("COMMIT")
        finally:
            self._depth = 0

    def rows(self, statement: str, **values: Any) -> Sequence[Row[Any]]:
        """All rows; a list or tuple value expands into ``IN :name``."""
        return self.sql.execute(_prepared(statement, _lists(values)), values).all()

    def one(self, statement: str, **values: Any) -> Row[Any] | None:
        return self.sql.execute(_prepared(statement, _lists(values)), values).first()

    def value(self, statement: str, **values: Any) -> Any:
        """The first column of the first row, or None."""
        return self.sql.execute(_prepared(statement, _lists(values)), values).scalar()

    def run(self, statement: str, **values: Any) -> int:
        """Execute one statement; the number of rows it touched."""
        return self.sql.execute(_prepared(statement, _lists(values)), values).rowcount

    def many(self, statement: str, rows: Sequence[Parameters]) -> None:
        """Execute one statement for each row."""
        if rows:
            self.sql.execute(_prepared(statement, ()), list(rows))


class Store(Database):
    """An open store. ``digest_key`` keys the ledger's digests, so that account holders cannot aim for equal ones."""

    def __init__(self, url: str, instance: str = "default") -> None:
        super().__init__(url)
        with self.transaction():
            self.id = self._setting("store", secrets.token_hex(8))
            self.digest_key = bytes.fromhex(self._setting("digest_key", secrets.token_hex(16)))
            owner = self._setting("instance", instance)
        if owner != instance:
            raise Fatal(
                f"the store {_name(url)} belongs to instance {owner!r}, the configuration says {instance!r}\n"
                f"  set `instance: {owner}`, or give this instance a store of its own (store.url)"
            )

    def _setting(self, name: str, default: str) -> str:
        self.run("INSERT INTO setting (name, value) VALUES (:name, :value) ON CONFLICT (name) DO NOTHING", name=name, value=default)
        return str(self.value("SELECT value FROM setting WHERE name = :name", name=name))


def blocks(values: Iterable[T]) -> Iterator[list[T]]:
    """``values`` in lists of at most `BLOCK`, in order."""
    rest = iter(values)
    while block := list(islice(rest, BLOCK)):
        yield block


def _lists(values: Parameters) -> tuple[str, ...]:
    return tuple(name for name, value in values.items() if isinstance(value, list | tuple))


@lru_cache(maxsize=512)
def _prepared(statement: str, lists: tuple[str, ...]) -> TextClause:
    return text(statement).bindparams(*(bindparam(name, expanding=True) for name in lists))


def _set_pragmas(connection: Any, _record: Any) -> None:
    for pragma in PRAGMAS:
        connection.execute(f"PRAGMA {pragma}")


def _protect(path: str | None) -> None:
    """A store holds personal data: only its owner may read it."""
    if path and path != ":memory:" and not Path(path).exists():
        try:
            Path(path).parent.mkdir(parents=True, exist_ok=True)
            os.close(os.open(path, os.O_CREAT | os.O_RDWR, 0o600))
        except OSError as error:
            raise Fatal(f"the store {path} cannot be made: {error.strerror}\n  choose a writable place with store.url") from None


def _upgrade(database: Database) -> None:
    """Bring the schema to `HEAD`; Alembic is imported only when there is something to do."""
    known = database.sql.dialect.has_table(database.sql, "alembic_version")
    version = database.value("SELECT version_num FROM alembic_version") if known else None
    if version == HEAD:
        return
    if version is not None and version > HEAD:
        raise Fatal(
            f"the store {_name(database.url)} was written by a newer syncd (schema {version}, this one knows {HEAD}): upgrade syncd"
        )
    from syncd.store.migrations.upgrade import upgrade

    upgrade(database.sql)


def _name(url: str) -> str:
    return url.split("///")[-1] if url.startswith("sqlite") else url.split("@")[-1]
