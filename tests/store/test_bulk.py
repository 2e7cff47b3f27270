"""Many rows that travel as one to PostgreSQL, and the order of what is stored there."""

from __future__ import annotations

import psycopg
import pytest

from syncd.store import Store, bulk, staging
from tests.store.conftest import Opener
from tests.store.rows import PUT, column, register, stage, staged


@pytest.fixture
def kind() -> str:
    return "postgresql"


ODD = ["", " ", "'", '"', "\\", "\\x41", "%", "%(a)s", ":x", "\u00e9\u2028\U0001f600", "\t\n\r", "null", "NULL", "\\N", "\\.", "{}", "a,b"]


@pytest.mark.parametrize("more", [0, bulk.MANY], ids=["some", "copied"])
def test_many_rows_as_one_are_what_they_are_one_by_one(opened: Opener, more: int) -> None:
    store = opened()
    register(store, "app", "one")
    odd = [*ODD, *map(str, range(more))]
    rows = [staged(name, place, ("email", name, place % 2 == 0), digest=bytes([place % 256, 0, 255])) for place, name in enumerate(odd)]
    staging.upsert(store, "app", [*rows, staged("unplaced", 0)])
    for one in rows:
        staging.upsert(store, "one", [one])
    text = "SELECT account, ordinal, digest, document, ignored, run FROM account WHERE connection = :connection AND account <> 'unplaced'"
    keys = "SELECT attribute, key, trusted FROM account_key WHERE connection = :connection ORDER BY account_id"
    for question in (text, keys):
        assert sorted(map(tuple, store.rows(question, connection="app"))) == sorted(map(tuple, store.rows(question, connection="one")))
    staging.upsert(store, "app", [staged("", 0, digest=b"new"), staged("'", 77)])
    assert column(store, "account", "digest", connection="app", account="") == [b"new"]
    assert column(store, "account", "ordinal", connection="app", account="'") == [77]


def test_rows_of_one_column_are_copied_whole(store: Store) -> None:
    names = [f"name {number}" for number in range(bulk.MANY)]
    with store.transaction():
        store.run("CREATE TABLE plain (name TEXT)")
        store.many("INSERT INTO plain (name) VALUES (:name)", [{"name": name} for name in names])
    assert sorted(column(store, "plain", "name")) == sorted(names)


def test_what_is_there_is_not_copied_over(store: Store) -> None:
    names = list(map(str, range(bulk.MANY)))
    store.many(PUT, [{"name": name} for name in names])
    with pytest.raises(psycopg.errors.UniqueViolation):
        store.many(PUT, [{"name": name} for name in [*names, "new"]])
    assert "new" not in column(store, "setting", "name", value="x")


def test_a_list_is_compared_member_by_member(store: Store) -> None:
    store.many(PUT, [{"name": name} for name in ODD])
    assert sorted(row.name for row in store.rows("SELECT name FROM setting WHERE name IN :names", names=ODD)) == sorted(ODD)
    assert [row.name for row in store.rows("SELECT name FROM setting WHERE value = 'x' AND name NOT IN :names", names=ODD[1:])] == [""]
    numbers = [-(2**63), -1, 0, 2**63 - 1]
    assert store.rows("SELECT 1 WHERE 0 IN :numbers AND 1 NOT IN :numbers AND -1 IN :numbers", numbers=numbers)


def test_rows_are_numbered_in_their_order(store: Store) -> None:
    register(store, "app")
    ids = stage(store, "app", *(f"{number:05}" for number in range(3000)))
    assert [name for name, _ in sorted(ids.items(), key=lambda one: one[1])] == sorted(ids)


def test_texts_are_in_the_order_of_their_bytes(store: Store) -> None:
    names = ["B", "a", "_", "\u00e9", "Z", "-", "\U0001f600", "\uffff"]
    store.many(PUT, [{"name": name} for name in names])
    assert column(store, "setting", "name", value="x") == sorted(names)
