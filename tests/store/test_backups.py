"""A backup is the store of one moment, whole and private; what is no backup is refused with its fault."""

from __future__ import annotations

import os
import sqlite3
import stat
from pathlib import Path

import pytest

from syncd.errors import SyncdError
from syncd.model import Effort
from syncd.store import Store, backups, journal
from syncd.store.backups import Damaged, Unusable
from tests.store.conftest import ONLY_SQLITE, Opener
from tests.store.rows import NOW, register, stage

MIB = 2**20


def effort() -> Effort:
    return Effort("copying", "bytes")


def names(place: Path | str) -> set[str]:
    store = Store(place if isinstance(place, str) else f"sqlite:///{place}")
    try:
        return {row.account for row in store.rows("SELECT account FROM account")}
    finally:
        store.close()


def test_what_was_committed_is_in_it_and_what_was_not_is_not(opened: Opener, tmp_path: Path) -> None:
    """In the middle of another process's transaction, which it neither waits for nor disturbs."""
    one, writer = opened(), opened()
    register(one, "app")
    stage(one, "app", "ann", "bob")
    seen = effort()
    with writer.transaction():
        stage(writer, "app", "cid")
        made = backups.backup(one.url, tmp_path / "copy.db", seen)
    assert names(tmp_path / "copy.db") == {"ann", "bob"} and names(one.url) == {"ann", "bob", "cid"}
    assert (made.accounts, made.identities, made.instance, made.last_run) == (2, 0, "default", None)
    assert seen.done > 0 if seen.of is None else seen.of > 0


def test_only_its_owner_may_read_it_whatever_the_umask(store: Store, tmp_path: Path) -> None:
    before = os.umask(0)
    try:
        backups.backup(store.url, tmp_path / "copy.db", effort())
    finally:
        os.umask(before)
    assert stat.S_IMODE((tmp_path / "copy.db").stat().st_mode) == 0o600


def test_nothing_is_overwritten(store: Store, tmp_path: Path) -> None:
    (tmp_path / "mine").write_text("mine")
    (tmp_path / "link").symlink_to(tmp_path / "nowhere")
    (tmp_path / "syncd.db").touch()
    for name in ("mine", "link", "syncd.db"):
        with pytest.raises(Unusable, match="exists already and is not overwritten"):
            backups.backup(store.url, tmp_path / name, effort())
    assert (tmp_path / "mine").read_text() == "mine"


def test_what_fails_leaves_nothing_behind(store: Store, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    with pytest.raises(Unusable, match="cannot be made: No such file or directory"):
        backups.backup(store.url, tmp_path / "none" / "copy.db", effort())
    with pytest.raises(Unusable, match="cannot be read"):
        backups.backup(f"sqlite:///{tmp_path}/gone.db", tmp_path / "copy.db", effort())

    def damaged(path: Path) -> None:
        raise Damaged("it is")

    monkeypatch.setattr(backups, "examine", damaged)
    with pytest.raises(Damaged):
        backups.backup(store.url, tmp_path / "copy.db", effort())
    assert not (tmp_path / "copy.db").exists()


def _text(path: Path) -> None:
    path.write_text("employeeNumber,email\n")


def _empty(path: Path) -> None:
    path.write_bytes(b"")


def _strange(path: Path) -> None:
    with sqlite3.connect(path) as database:
        database.execute("CREATE TABLE setting (x)")
    database.close()


def _newer(path: Path) -> None:
    Store(f"sqlite:///{path}").close()
    with sqlite3.connect(path) as database:
        database.execute("UPDATE alembic_version SET version_num = '9999'")
    database.close()


def _full(path: Path) -> None:
    store = Store(f"sqlite:///{path}")
    register(store, "app")
    stage(store, "app", *(f"{number:06}" for number in range(5000)))
    store.run("PRAGMA wal_checkpoint(TRUNCATE)")
    store.close()


def _torn(path: Path) -> None:
    """Half of it is lost, as after a copy that was cut short."""
    _full(path)
    os.truncate(path, path.stat().st_size // 8192 * 4096)


def _rotten(path: Path) -> None:
    """A page in the middle is another one's."""
    _full(path)
    data = bytearray(path.read_bytes())
    middle = len(data) // 8192 * 4096
    data[middle : middle + 4096] = os.urandom(4096)
    path.write_bytes(data)


def _twisted(path: Path) -> None:
    """Every page is a page, and yet the table and its index do not say the same."""
    _full(path)
    path.write_bytes(path.read_bytes().replace(b"004321", b"00432!", 1))


@pytest.mark.parametrize(
    ("make", "told"),
    [
        (_text, "not an SQLite database"), (_empty, "not an SQLite database"), (_strange, "none of syncd"),
        (_newer, r"written by a newer syncd \(schema 9999"), (_torn, "malformed|damaged"), (_rotten, "malformed|damaged"),
        (_twisted, "copy.db is damaged: "),
        (lambda path: None, "No such file"), (lambda path: path.mkdir(), "Is a directory"),
    ],
)  # fmt: skip
def test_what_is_no_backup_is_refused_with_its_fault(tmp_path: Path, make: object, told: str) -> None:
    path = tmp_path / "copy.db"
    make(path)  # type: ignore[operator]
    with pytest.raises(Unusable, match=told):
        backups.examine(path)


@ONLY_SQLITE
def test_a_store_that_cannot_be_read_is_not_taken_for_a_broken_one(store: Store, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    path = backups.place(store.url)
    assert backups.sound(path)
    _text(tmp_path / "text.db")
    assert not backups.sound(tmp_path / "text.db")

    def locked(*args: object, **more: object) -> sqlite3.Connection:
        error = sqlite3.OperationalError("database is locked")
        error.sqlite_errorcode = sqlite3.SQLITE_BUSY
        raise error

    monkeypatch.setattr(sqlite3, "connect", locked)
    with pytest.raises(Unusable, match="locked"):
        backups.sound(path)


def test_the_last_run_says_how_old_it_is(store: Store, tmp_path: Path) -> None:
    journal.start_run(store, "delta", NOW)
    assert backups.backup(store.url, tmp_path / "copy.db", effort()).last_run == "2026-01-01T00:00:00.000000Z"
    assert issubclass(Unusable, SyncdError)
