"""Transactions, and lists of any length."""

from __future__ import annotations

import sqlite3
import threading
from concurrent.futures import ThreadPoolExecutor
from contextlib import suppress

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from sqlalchemy import event
from sqlalchemy.engine import ExceptionContext

from syncd.errors import Busy, Fatal
from syncd.store import Store, backend, sqlite
from tests.store.conftest import ONLY_SQLITE, Opener

PUT = "INSERT INTO setting (name, value) VALUES (:name, 'x')"


def names(store: Store) -> set[str]:
    found = {row.name for row in store.rows("SELECT name FROM setting")}
    return found - {"store", "digest_key", "instance", "writes"}


class Broken(Exception):
    pass


@settings(deadline=None)
@given(writes=st.sets(st.sampled_from("abcdef")), fails=st.booleans())
def test_a_transaction_is_all_or_nothing(scratch: Store, writes: set[str], fails: bool) -> None:
    try:
        with scratch.transaction():
            for name in writes:
                scratch.run(PUT, name=name)
            if fails:
                raise Broken
    except Broken:
        pass
    assert names(scratch) == (set() if fails else writes)
    scratch.run("DELETE FROM setting WHERE name IN :names", names=list(writes))


def test_others_see_it_only_when_it_is_over(opened: Opener) -> None:
    one, other = opened(), opened()
    with one.transaction():
        one.run(PUT, name="a")
        assert names(other) == set()
    assert names(other) == {"a"}


def test_a_nested_transaction_joins_the_outer_one(opened: Opener) -> None:
    one, other = opened(), opened()
    with pytest.raises(Broken), one.transaction():
        with one.transaction():
            one.run(PUT, name="a")
        assert names(other) == set()
        raise Broken
    assert names(one) == set()


@ONLY_SQLITE
@pytest.mark.parametrize("fails", [False, True])
def test_only_what_can_be_read_again_is_not_synchronised(store: Store, fails: bool) -> None:
    full, normal = 2, 1
    with suppress(Broken), store.transaction(durable=False):
        store.run(PUT, name="a")
        assert store.value("PRAGMA synchronous") == normal
        if fails:
            raise Broken
    assert store.value("PRAGMA synchronous") == full
    assert names(store) == (set() if fails else {"a"})
    with store.transaction(), store.transaction(durable=False):
        assert store.value("PRAGMA synchronous") == full


def test_after_a_failure_the_next_transaction_works(store: Store) -> None:
    with pytest.raises(Broken), store.transaction():
        raise Broken
    with store.transaction():
        store.run(PUT, name="a")
    assert names(store) == {"a"}


@ONLY_SQLITE
def test_what_the_database_rolled_back_by_itself_is_told_and_not_in_the_way(store: Store) -> None:
    """As SQLite does when the disk is full or fails."""
    with pytest.raises(Exception, match="UNIQUE constraint failed"), store.transaction():
        store.run(PUT, name="a")
        store.run(PUT.replace("INSERT", "INSERT OR ROLLBACK"), name="a")
    with store.transaction():
        store.run(PUT, name="b")
    assert names(store) == {"b"}


@ONLY_SQLITE
def test_a_full_disk_writes_nothing_and_says_so(store: Store) -> None:
    pages = store.value("PRAGMA page_count")
    store.value(f"PRAGMA max_page_count = {pages}")
    with pytest.raises(Fatal, match=r"syncd.db cannot be written: its disk is full"), store.transaction():
        store.run(PUT, name="a")
        store.run(PUT, name="b" * 100_000)
    assert names(store) == set()
    store.value(f"PRAGMA max_page_count = {pages + 1000}")
    with store.transaction():
        store.run(PUT, name="a")
    assert names(store) == {"a"}


def test_a_commit_that_fails_is_undone(kind: str, store: Store) -> None:
    """A deferred constraint is only looked at when the transaction ends."""
    store.run("CREATE TABLE parent (id INTEGER PRIMARY KEY)")
    store.run("CREATE TABLE child (id INTEGER REFERENCES parent (id) DEFERRABLE INITIALLY DEFERRED)")
    if kind == "sqlite":
        store.run("PRAGMA foreign_keys = ON")
    with pytest.raises(Exception, match=r"(?i)foreign key constraint"), store.transaction():
        store.run("INSERT INTO child VALUES (1)")
    with store.transaction():
        store.run(PUT, name="a")
    assert (names(store), store.value("SELECT COUNT(*) FROM child")) == ({"a"}, 0)


def test_a_store_that_another_process_keeps_busy_is_waited_for_and_then_told_as_busy(
    kind: str, opened: Opener, monkeypatch: pytest.MonkeyPatch
) -> None:
    one, other = opened(), opened()
    if kind == "sqlite":
        other.run("PRAGMA busy_timeout = 1")
    monkeypatch.setattr(backend, "PATIENCE", 0.02)
    with one.transaction():
        with pytest.raises(Busy, match=r"the store .* is in use: another process keeps it locked") as caught, other.transaction():
            pass
        one.run(PUT, name="a")
    assert caught.value.exit_code == 75
    with other.transaction():
        other.run(PUT, name="b")
    assert names(one) == {"a", "b"}


@pytest.mark.parametrize("count", [0, 1, 2, 1000, 40_000])
def test_lists_may_be_longer_than_a_statement_can_name(store: Store, count: int) -> None:
    """SQLite takes 32,766 values (SQLite documentation, "Limits")."""
    with store.transaction():
        store.many(PUT, [{"name": f"n{number:05}"} for number in range(count + 1)])
    wanted = tuple(f"n{number:05}" for number in range(count))
    found = [row.name for row in store.rows("SELECT name FROM setting WHERE name IN :names AND value = :x", names=wanted, x="x")]
    assert sorted(found) == list(wanted)
    assert store.run("DELETE FROM setting WHERE name IN :names AND value = :x", names=list(wanted), x="x") == count
    assert names(store) == {f"n{count:05}"}


def test_a_list_finds_what_is_not_in_it_and_keeps_types_and_characters(store: Store) -> None:
    names = ["'", '"', "é\u2028", "7", " "]
    with store.transaction():
        store.many(PUT, [{"name": name} for name in names])
    for name in names:
        assert store.value("SELECT name FROM setting WHERE name IN :names AND value = 'x'", names=[name]) == name
        assert store.value("SELECT COUNT(*) FROM setting WHERE name NOT IN :names AND value = 'x'", names=[name]) == len(names) - 1
    assert store.value("SELECT COUNT(*) FROM setting WHERE name NOT IN :names AND value = 'x'", names=[]) == len(names)
    assert store.value("SELECT COUNT(*) FROM setting WHERE name IN :names AND value = 'x'", names=["07"]) == 0, "a text is no number"


def test_one_row_and_one_value(store: Store) -> None:
    store.run(PUT, name="a")
    row = store.one("SELECT name, value FROM setting WHERE name IN :names", names=["a"])
    assert row is not None
    assert tuple(row) == ("a", "x")
    assert store.one("SELECT 1 FROM setting WHERE name = :name", name="b") is None
    assert store.value("SELECT value FROM setting WHERE name IN :names", names=["a"]) == "x"
    assert store.value("SELECT value FROM setting WHERE name = :name", name="b") is None


def test_a_part_may_fail_by_itself(store: Store) -> None:
    with store.transaction():
        store.run(PUT, name="before")
        with store.savepoint():
            store.run(PUT, name="kept")
        with pytest.raises(Broken), store.savepoint():
            store.run(PUT, name="undone")
            raise Broken
        store.run(PUT, name="after")
    assert names(store) == {"before", "kept", "after"}


@ONLY_SQLITE
def test_a_part_that_takes_the_whole_with_it_says_why(store: Store) -> None:
    with pytest.raises(Exception, match="UNIQUE constraint failed"), store.transaction():
        store.run(PUT, name="a")
        with store.savepoint():
            store.run(PUT.replace("INSERT", "INSERT OR ROLLBACK"), name="a")
    assert names(store) == set()


@ONLY_SQLITE
def test_who_waits_for_another_process_goes_on_when_it_is_done(opened: Opener) -> None:
    """The other's transaction outlasts many timeouts of the database's own."""
    one, other = opened(), opened()
    other.run("PRAGMA busy_timeout = 1")
    with ThreadPoolExecutor(1) as pool:
        begun, tried = threading.Event(), threading.Event()

        def hold() -> None:
            held = sqlite3.connect(one.url.removeprefix("sqlite:///"), isolation_level=None)
            held.execute("BEGIN IMMEDIATE")
            begun.set()
            tried.wait(10)
            held.execute("COMMIT")
            held.close()

        holding = pool.submit(hold)
        begun.wait(10)
        attempts = 0

        def refused(context: ExceptionContext) -> None:
            nonlocal attempts
            attempts += 1
            if attempts == 3:
                tried.set()

        event.listen(other.sql.engine, "handle_error", refused)
        with other.transaction():
            other.run(PUT, name="a")
        holding.result()
    assert attempts >= 3
    assert names(one) == {"a"}


@ONLY_SQLITE
def test_a_store_that_is_locked_while_it_is_opened_is_busy(opened: Opener, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(backend, "PATIENCE", 0.0)
    monkeypatch.setattr(sqlite, "PRAGMAS", ("busy_timeout=1", "locking_mode=EXCLUSIVE", "journal_mode=DELETE"))
    one = opened()
    with one.transaction():
        one.run(PUT, name="a")
    with pytest.raises(Busy, match=r"syncd.db is in use"):
        opened()
