"""No two rows of a batch about one row of the table."""

from __future__ import annotations

import pytest

from syncd.store import Store, staging, waiting
from syncd.store.apart import apart
from tests.store.rows import NOW, column, register, stage, staged

SAME = [{"id": 1, "value": "a", "kind": "x"}, {"id": 1, "value": "b", "kind": "x"}]


@pytest.mark.parametrize(
    ("statement", "may"),
    [
        ("UPDATE t SET a = :value WHERE id = :id", False),
        ("UPDATE t SET a = :value WHERE id = :id AND a <> :value", True),
        ("INSERT INTO t (id, a) VALUES (:id, :value) ON CONFLICT (id) DO UPDATE SET a = excluded.a", False),
        ("INSERT INTO t (kind, id, a) VALUES (:kind, :id, :value)\nON CONFLICT (kind, id) DO UPDATE SET a = 1", False),
        ("INSERT INTO t (id, a) VALUES (:id, :value) ON CONFLICT (id, value) DO UPDATE SET a = 1", True),
        ("INSERT INTO t (id, a) VALUES (:id, :value) ON CONFLICT DO NOTHING", True),
        ("INSERT INTO t (id, a) VALUES (:id, :value)", True),
    ],
)
def test_which_rows_may_travel_together(statement: str, may: bool) -> None:
    assert apart(statement, SAME) is may
    assert apart(statement, SAME[:1]) and apart(statement, [])


def test_two_about_one_are_refused_whatever_the_database(store: Store) -> None:
    register(store, "app")
    rows = stage(store, "app", "a")
    with pytest.raises(AssertionError, match="two of these rows"):
        store.many("UPDATE account SET ordinal = :ordinal WHERE id = :id", [{"id": rows["a"], "ordinal": place} for place in (1, 2)])


def test_an_account_that_a_page_shows_twice_is_as_it_was_last(store: Store) -> None:
    register(store, "app")
    staging.upsert(store, "app", [staged("a", 0, digest=b"1"), staged("b", 1), staged("a", 2, digest=b"3")])
    assert column(store, "account", "digest", account="a") == [b"3"]


def test_two_records_of_one_account_that_cannot_be_read_wait_as_one(store: Store, run: int) -> None:
    told = [{"where": f"line {line}", "reason": "no userName", "id": who} for line, who in ((2, "e1"), (3, None), (4, "e1"))]
    waiting.flaw(store, run, "app", told, NOW)
    waiting.flaw(store, run, "app", told, NOW)
    found = [(row.change, row.who, row.reason) for row in waiting.listing(store)]
    assert found == [("record:e1", "e1", "line 4: no userName"), ("record:line 3", "line 3", "line 3: no userName")]
