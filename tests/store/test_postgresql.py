"""PostgreSQL's own: what it is asked, who is told what when it refuses or is away, and what stays in it."""

from __future__ import annotations

from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from threading import Event

import psycopg
import pytest

from syncd.errors import Away, Fatal
from syncd.store import Store, backend
from syncd.store.postgresql import translated
from syncd.store.postgresql_errors import called
from tests import stores
from tests.store.conftest import Opener
from tests.store.rows import column, register, stage


@pytest.fixture
def kind() -> str:
    return "postgresql"


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


@pytest.mark.parametrize("password", ["se%zzcret", "se/cret", "se@cret", "se/cr@et", "se?cr/et", "se?cr@et", "se%zz/cret"])
def test_of_a_password_that_breaks_the_address_nothing_is_told(password: str) -> None:
    told = str(refused(f"postgresql://u:{password}@127.0.0.1:1/db"))
    assert "in the user and the password write % as %25" in told
    assert not any(part in told for part in ("se/", "se@", "se%", "cr@", "cret", "et@", "ret"))


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


def test_what_was_erased_stands_in_no_file_of_the_tables(store: Store) -> None:
    register(store, "app")
    secret = "somebody-who-was-forgotten"
    stage(store, "app", secret, "somebody else")

    def found() -> list[str]:
        """Here, and in the catalogs: what a table's values are like is stored with some of them."""
        return [file.name for file in stores.server().files(store.url) if secret.encode() in file.read_bytes()]

    before = found()
    store.run("ANALYZE")
    assert len(found()) > len(before) > 0
    store.run("DELETE FROM account WHERE account = :name", name=secret)
    assert found(), "deleted, and yet there"
    assert store.backend.purge() and not found()
    assert column(store, "account", "account") == ["somebody else"]


@pytest.mark.parametrize(
    ("begun", "read"),
    [
        ("BEGIN", "SELECT COUNT(*) FROM account"),  # keeps the table
        ("BEGIN ISOLATION LEVEL REPEATABLE READ", "SELECT 1"),  # keeps no table, and sees what was there
        ("BEGIN", "SELECT pg_current_xact_id()"),  # whoever begins as long as this lasts sees it, too
    ],
)
def test_as_long_as_somebody_sees_what_was_erased_it_is_not_said_to_be_gone(
    store: Store, monkeypatch: pytest.MonkeyPatch, begun: str, read: str
) -> None:
    """And nobody waits for it meanwhile."""
    monkeypatch.setattr(backend, "PATIENCE", 0.3)
    register(store, "app")
    secret = "somebody-who-was-forgotten"
    stage(store, "app", secret, "somebody else")

    def found() -> bool:
        return any(secret.encode() in file.read_bytes() for file in stores.server().files(store.url))

    with psycopg.connect(store.url, autocommit=True) as reader:
        reader.execute(begun.encode())
        reader.execute(read.encode())
        store.run("DELETE FROM account WHERE account = :name", name=secret)
        assert not store.backend.purge() and found()
        assert column(store, "account", "account") == ["somebody else"]
        reader.execute(b"ROLLBACK")
    assert store.backend.purge() and not found()


def test_what_is_erased_while_others_read_and_write_is_gone_all_the_same(store: Store, opened: Opener) -> None:
    """They begin and end all the time."""
    register(store, "app")
    secret, other = "somebody-who-was-forgotten", opened()
    stage(store, "app", secret, "somebody else")
    store.run("DELETE FROM account WHERE account = :name", name=secret)
    ended = Event()

    def busy() -> None:
        while not ended.is_set():
            with other.transaction():
                other.run("UPDATE account SET gone_at = NULL")

    with ThreadPoolExecutor(1) as pool:
        at_work = pool.submit(busy)
        try:
            assert store.backend.purge()
        finally:
            ended.set()
        at_work.result()
    assert not any(secret.encode() in file.read_bytes() for file in stores.server().files(store.url))


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
