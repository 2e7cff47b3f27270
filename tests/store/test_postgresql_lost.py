"""A connection to PostgreSQL that was lost: nothing of what was under way is taken for done, or done twice."""

from __future__ import annotations

import time

import psycopg
import pytest
from sqlalchemy.exc import DBAPIError

from syncd.errors import Away
from syncd.store import Store
from tests.store.conftest import Opener
from tests.store.rows import PUT, column


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
