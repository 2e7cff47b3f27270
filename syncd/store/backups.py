"""A copy of the store as it is at one moment, made while others write; and what a file has to be to take the store's place."""

from __future__ import annotations

import os
import sqlite3
from collections.abc import Iterator
from contextlib import closing, contextmanager, suppress
from dataclasses import dataclass
from pathlib import Path

from syncd.errors import SyncdError
from syncd.model import Effort
from syncd.store import crossing
from syncd.store.database import HEAD
from syncd.store.places import look

MAGIC = b"SQLite format 3\0"
"""SQLite documentation, "Database File Format", section 1.3.1."""
SQLITE = "sqlite:///"


class Unusable(SyncdError):
    """A file cannot be made, or is none that a store can be restored from."""


class Damaged(Unusable):
    """... whatever else is tried: it is no database, or a broken one."""


@dataclass(frozen=True, slots=True)
class Contents:
    """What a store file holds. ``last_run``: when its last run began; ``size`` in bytes."""

    path: Path
    size: int
    instance: str
    identities: int
    accounts: int
    last_run: str | None


def place(url: str) -> Path | None:
    """The file of a store; None where it is in PostgreSQL."""
    return Path(url.removeprefix(SQLITE)) if url.startswith(SQLITE) else None


def backup(url: str, target: Path, effort: Effort) -> Contents:
    """Copy the store to ``target``, which must not exist; only its owner may read it. The copy is checked before it counts.

    ``effort``: bytes. Raises Unusable, and leaves nothing behind then.
    """
    take(url, target, effort)
    try:
        return examine(target)
    except BaseException:
        target.unlink()
        raise


def take(url: str, target: Path, effort: Effort) -> None:
    """`copy` of any store: a file of the same schema, of whatever database."""
    if (path := place(url)) is not None:
        return copy(path, target, effort)
    with _new(target):
        crossing.dump(url, target, effort)
    _to_disk(target)
    _to_disk(target.parent)


def copy(source: Path, target: Path, effort: Effort) -> None:
    """All that was committed when it begins, on disk when it returns. Raises Unusable, and leaves nothing behind then."""
    with _new(target), _opened(source) as database, _watched(database, target, effort):
        database.execute("VACUUM INTO ?", (str(target),))
    _to_disk(target)
    _to_disk(target.parent)


def examine(path: Path) -> Contents:
    """Raises Unusable for a file that is none of a store, is broken, or was written by a newer syncd."""
    with _opened(path) as database:
        problems = [row[0] for row in database.execute("PRAGMA integrity_check(3)")]
        if problems != ["ok"]:
            raise Damaged(f"{path} is damaged: {'; '.join(problems)}")
        tables = {row[0] for row in database.execute("SELECT name FROM sqlite_master WHERE type = 'table'")}
        if not {"alembic_version", "setting", "identity", "account"} <= tables:
            raise Unusable(f"{path} is a database, and none of syncd")
        (version,) = database.execute("SELECT version_num FROM alembic_version").fetchone()
        if version > HEAD:
            raise Unusable(f"{path} was written by a newer syncd (schema {version}, this one knows {HEAD}): upgrade syncd")
        settings = dict(database.execute("SELECT name, value FROM setting"))
        (identities,) = database.execute("SELECT COUNT(*) FROM identity").fetchone()
        (accounts,) = database.execute("SELECT COUNT(*) FROM account").fetchone()
        (last_run,) = database.execute("SELECT MAX(started) FROM run").fetchone()
    return Contents(path, path.stat().st_size, settings.get("instance", ""), identities, accounts, last_run)


def sound(path: Path) -> bool:
    """Whether the file is a whole database. Raises Unusable where that cannot be found out."""
    try:
        with _opened(path) as database:
            return [row[0] for row in database.execute("PRAGMA quick_check(1)")] == ["ok"]
    except Damaged:
        return False


@contextmanager
def _opened(path: Path) -> Iterator[sqlite3.Connection]:
    """To be read only. Raises Unusable for what cannot be read, or is no database."""
    try:
        with path.open("rb") as file:
            if file.read(len(MAGIC)) != MAGIC:
                raise Damaged(f"{path} is no store of syncd: not an SQLite database")
        with closing(look(path, timeout=30)) as database:
            yield database
    except OSError as error:
        raise Unusable(f"{path} cannot be read: {error.strerror}") from None
    except sqlite3.Error as error:
        broken = getattr(error, "sqlite_errorcode", 0) & 0xFF in (sqlite3.SQLITE_CORRUPT, sqlite3.SQLITE_NOTADB)
        raise (Damaged if broken else Unusable)(f"{path}: {error}") from None


@contextmanager
def _new(path: Path) -> Iterator[None]:
    """An empty file that only its owner may read, gone again when what fills it fails. Raises Unusable where there is one."""
    try:
        os.close(os.open(path, os.O_CREAT | os.O_EXCL | os.O_WRONLY, 0o600))
    except FileExistsError:
        raise Unusable(f"{path} exists already and is not overwritten: say another name") from None
    except OSError as error:
        raise Unusable(f"{path} cannot be made: {error.strerror}") from None
    try:
        yield
    except BaseException:
        with suppress(OSError):
            path.unlink()
        raise


@contextmanager
def _watched(database: sqlite3.Connection, target: Path, effort: Effort) -> Iterator[None]:
    """Every so many steps of SQLite's machine, how large the copy is by now."""
    (pages,), (size,) = database.execute("PRAGMA page_count").fetchone(), database.execute("PRAGMA page_size").fetchone()
    effort.of = pages * size

    def look() -> int:
        with suppress(OSError):
            effort.done = target.stat().st_size
        return 0

    database.set_progress_handler(look, 100_000)
    yield
    database.set_progress_handler(None, 0)


def _to_disk(path: Path) -> None:
    handle = os.open(path, os.O_RDONLY)
    try:
        os.fsync(handle)
    finally:
        os.close(handle)
