"""PostgreSQL's own: who is told what when it refuses or is away, and that nothing of a connection is missed when it was lost."""

from __future__ import annotations

import time
from collections.abc import Iterator
from threading import Thread

import psycopg
import pytest
from sqlalchemy.exc import DBAPIError

from syncd.errors import Away, Busy, Fatal
from syncd.store import Store, backend, duty
from syncd.store.postgresql import translated
from syncd.store.postgresql_errors import called
from tests import stores
from tests.store.conftest import Opener
from tests.store.rows import column, register, stage

PUT = "INSERT INTO setting (name, value) VALUES (:name, 'x')"


@pytest.fixture
def kind() -> str:
    return "postgresql"


def cut(store: Store) -> None:
    """The server ends the store's connection, as it does when it is restarted."""
    pid = store.value("SELECT pg_backend_pid()")
    with psycopg.connect(store.url, autocommit=True) as other:
        other.execute("SELECT pg_terminate_backend(%s)", [pid])
        deadline = time.monotonic() + 30
        while other.execute("SELECT 1 FROM pg_stat_activity WHERE pid = %s", [pid]).fetchone():
            assert time.monotonic() < deadline


@pytest.mark.parametrize(
    ("statement", "said"),
    [
        ("SELECT a FROM t WHERE b = :b AND c IN :c", "SELECT a FROM t WHERE b = %(b)s AND c = ANY(%(c)s)"),
        ("c NOT IN :c AND d LIKE 'x:%' AND e IN (:a, '')", "c <> ALL(%(c)s) AND d LIKE 'x:%%' AND e IN (%(a)s, '')"),
        ("SELECT 'it''s :no' || x % 2, CAST(:n AS text)", "SELECT 'it''s :no' || x %% 2, CAST(%(n)s AS text)"),
        ("json_each(c.choices) AS choice", "json_array_elements_text(CAST(c.choices AS json)) AS choice (value)"),
        ("attributes -> 'a'", "CAST(CAST(attributes AS json) -> 'a' AS text)"),
    ],
)
def test_what_the_driver_reads(statement: str, said: str) -> None:
    assert translated(statement) == said


@pytest.mark.parametrize(
    ("url", "name"),
    [
        ("postgresql://u:secret@db.example/people", "people at db.example:5432"),
        ("postgres://u@/people?host=/run/pg&port=5433&password=secret", "people at /run/pg:5433"),
        ("postgresql://u@[::1]:1/people?sslmode=require", "people at ::1:1"),
    ],
)
def test_what_people_call_it(url: str, name: str) -> None:
    assert called(url) == name


def refused(url: str, instance: str = "default") -> Fatal:
    with pytest.raises(Fatal) as caught:
        Store(url, instance)
    told = str(caught.value)
    assert stores.PASSWORD not in told and "%20" not in told and "wrong" not in told
    return caught.value


@pytest.mark.parametrize(
    ("made", "told", "cure"),
    [
        (lambda one: one.address("postgres", "wrong"), "password authentication failed", "check the user and the password in store.url"),
        (lambda one: one.address("nothere"), 'database "nothere" does not exist', "create it"),
        (lambda one: one.url("postgres").replace("syncd@", "nobody@"), 'role "nobody" does not exist', "create the role"),
        (lambda one: one.url("postgres") + "&nonsense=1", "invalid URI query parameter", "write postgresql://USER@HOST:PORT/NAME"),
    ],
)
def test_what_no_waiting_helps_is_refused_with_its_cure(made: object, told: str, cure: str) -> None:
    error = refused(made(stores.server()))  # type: ignore[operator]
    assert error.exit_code == 78 and told in str(error) and f"\n  {cure}" in str(error)


def test_where_nobody_answers_it_may_be_back(monkeypatch: pytest.MonkeyPatch) -> None:
    one = stores.server()
    error = refused(one.address("people").replace(f":{one.port}", ":1"))
    assert isinstance(error, Away) and error.exit_code == 1
    assert "the store people at 127.0.0.1:1 does not answer: " in str(error) and "is PostgreSQL running there?" in str(error)


@pytest.fixture
def limited(place: str) -> Iterator[str]:
    """The store seen by a role that may connect and nothing else."""
    one = stores.server()
    one.run("CREATE ROLE guest LOGIN")
    yield place.replace("syncd@", "guest@")
    one.run("DROP ROLE guest")


def test_who_may_not_make_tables_is_told_what_it_takes(limited: str) -> None:
    error = refused(limited)
    assert error.exit_code == 78 and "refuses: permission denied" in str(error) and "own the schema" in str(error)


def test_a_standby_is_named_as_one(place: str) -> None:
    error = refused(place + "&options=-c%20default_transaction_read_only%3Don")
    assert error.exit_code == 78 and "can only be read" in str(error) and "name the primary" in str(error)


def test_what_can_only_be_read_can_be_looked_at(place: str) -> None:
    first = Store(place)
    store = Store(place + "&options=-c%20default_transaction_read_only%3Don", looking=True)
    assert store.backend.reading and store.id == first.id and store.value("SELECT COUNT(*) FROM account") == 0
    first.close()
    store.close()


def test_a_question_finds_the_way_back_by_itself(store: Store) -> None:
    cut(store)
    assert store.value("SELECT COUNT(*) FROM account") == 0


def test_a_transaction_that_begins_finds_the_way_back_by_itself(store: Store) -> None:
    cut(store)
    with store.transaction():
        store.run(PUT, name="a")
    assert column(store, "setting", "name", value="x") == ["a"]


@pytest.mark.parametrize("rows", [1, 100])
def test_a_transaction_that_lost_its_connection_never_happened(opened: Opener, rows: int) -> None:
    """And says so at the statement; the store goes on with the next."""
    one, other = opened(), opened()
    with pytest.raises(Away, match="does not answer any more"), one.transaction():
        one.run(PUT, name="before")
        cut(one)
        one.many(PUT, [{"name": f"lost {number}"} for number in range(rows)])
    with one.transaction():
        one.run(PUT, name="after")
    assert column(other, "setting", "name", value="x") == ["after"]


def test_whatever_is_done_after_the_loss_is_refused_until_the_transaction_is_over(store: Store) -> None:
    with pytest.raises(Away), store.transaction():
        cut(store)
        for again in range(3):
            with pytest.raises((Away, DBAPIError)):
                store.run(PUT, name="a")
            with pytest.raises(Away):
                store.many(PUT, [{"name": f"b{again}"}])
        store.value("SELECT 1")
    assert column(store, "setting", "name", value="x") == []


def test_a_commit_that_nobody_answered_is_an_error(store: Store) -> None:
    with pytest.raises(Away), store.transaction():
        store.run(PUT, name="a")
        cut(store)
    assert column(store, "setting", "name", value="x") == []


def test_another_ones_writing_is_seen_and_ones_own_is_not(opened: Opener) -> None:
    one, other, elsewhere = opened(), opened(), Store(stores.empty())
    before = duty.version(one)
    with one.transaction():
        one.run(PUT, name="a")
    with other.transaction():
        other.value("SELECT 1")
    elsewhere.run(PUT, name="a")
    with pytest.raises(RuntimeError), other.transaction():
        other.run(PUT, name="b")
        raise RuntimeError
    assert duty.version(one) == before, "own, empty, of another database, undone"
    other.run(PUT, name="b")
    assert duty.version(one) != before
    elsewhere.close()
    stores.server().drop(elsewhere.url)


def test_a_statement_by_itself_waits_for_its_turn(opened: Opener, monkeypatch: pytest.MonkeyPatch) -> None:
    one, other = opened(), opened()
    monkeypatch.setattr(backend, "PATIENCE", 0.02)
    with one.transaction():
        for write in (lambda: other.run(PUT, name="a"), lambda: other.many(PUT, [{"name": "a"}, {"name": "b"}])):
            with pytest.raises(Busy):
                write()
        assert other.value("SELECT COUNT(*) FROM account") == 0, "who reads does not wait"
    assert column(one, "setting", "name", value="x") == []


def test_who_waits_goes_on_when_the_other_is_done(opened: Opener) -> None:
    one, other = opened(), opened()
    with one.transaction():
        waiting = Thread(target=lambda: other.run(PUT, name="second"))
        waiting.start()
        deadline = time.monotonic() + 30
        while not one.value("SELECT COUNT(*) FROM pg_locks WHERE locktype = 'advisory' AND NOT granted"):
            assert time.monotonic() < deadline
        one.run(PUT, name="first")
    waiting.join()
    assert column(one, "setting", "name", value="x") == ["first", "second"]


def test_two_schemas_of_a_database_are_two_stores(place: str, monkeypatch: pytest.MonkeyPatch) -> None:
    one = Store(place)
    one.run("CREATE SCHEMA second")
    other = Store(place + "&options=-c%20search_path%3Dsecond")
    monkeypatch.setattr(backend, "PATIENCE", 0.02)
    with one.transaction(), other.transaction():
        one.run(PUT, name="a")
        other.run(PUT, name="b")
    assert (one.id != other.id, column(one, "setting", "name", value="x")) == (True, ["a"])
    one.close()
    other.close()


def test_what_was_erased_stands_in_no_file_of_the_tables(store: Store) -> None:
    register(store, "app")
    secret = "somebody-who-was-forgotten"
    stage(store, "app", secret, "somebody else")
    files = stores.server().data / "base"

    def found() -> bool:
        store.rows("SELECT 1")
        stores.server().run("CHECKPOINT")
        own = store.value("SELECT oid FROM pg_database WHERE datname = current_database()")
        return any(secret.encode() in file.read_bytes() for file in (files / str(own)).iterdir())

    assert found()
    store.run("DELETE FROM account WHERE account = :name", name=secret)
    assert found(), "deleted, and yet there"
    assert store.backend.purge() and not found()
    assert column(store, "account", "account") == ["somebody else"]


def test_nothing_of_a_transaction_stays_in_the_connection(store: Store) -> None:
    """A pooler gives the next one another."""
    register(store, "app")
    for _ in range(8):
        with store.transaction(durable=False):
            stage(store, "app", "a", "b", "c")
    for setting, value in (("synchronous_commit", "on"), ("lock_timeout", "0")):
        assert store.value("SELECT current_setting(:name)", name=setting) == value
    assert store.value("SELECT COUNT(*) FROM pg_prepared_statements") == 0
    assert store.value("SELECT COUNT(*) FROM pg_locks WHERE locktype = 'advisory'") == 0
    assert store.value("SELECT COUNT(*) FROM pg_class WHERE relpersistence = 't'") == 0


def test_what_can_be_read_again_is_not_waited_for(store: Store) -> None:
    with store.transaction(durable=False):
        assert store.value("SELECT current_setting('synchronous_commit')") == "off"
    with store.transaction(), store.transaction(durable=False):
        assert store.value("SELECT current_setting('synchronous_commit')") == "on"
