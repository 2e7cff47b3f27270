"""Everybody counted by what they have, whatever it holds, wherever in the table they are."""

from __future__ import annotations

from collections import Counter
from typing import Any

import orjson
import pytest

from syncd.store import Store, census
from syncd.store.census import Block

PEOPLE: list[dict[str, Any]] = [
    {"department": "Support", "roles": ["a", "b"]}, {"department": "Support"}, {"department": 'the "other" one\\', "active": False},
    {"roles": ["a", "b"], "department": "Support"}, {}, {"department": "é", "title": "department"},
]  # fmt: skip


@pytest.fixture
def filled(store: Store) -> Store:
    rows = [{"id": f"p{number}", "attributes": orjson.dumps(one).decode(), "live": "live"} for number, one in enumerate(PEOPLE)]
    rows.append({"id": "gone", "attributes": '{"department":"Support"}', "live": "departed"})
    with store.transaction():
        store.many("INSERT INTO identity (id, attributes, live, ignored, forgotten) VALUES (:id, :attributes, :live, FALSE, FALSE)", rows)
    return store


def counted(store: Store, *names: str, after: Any = None) -> Counter[tuple[str, ...]]:
    found: Counter[tuple[str, ...]] = Counter()
    (whole,) = census.blocks(store, 1, 1)
    for _, rows in census.census(store, names, Block(after or whole.after, whole.last)):
        for *texts, people in rows:
            found[tuple(orjson.dumps(None if text is None else orjson.loads(text)).decode() for text in texts)] += people
    return found


@pytest.mark.parametrize("block", [1, 2, 1000])
def test_people_are_counted_by_the_values_they_have(filled: Store, monkeypatch: pytest.MonkeyPatch, block: int) -> None:
    monkeypatch.setattr(census, "BLOCK", block)
    expected = Counter(tuple(orjson.dumps(one.get(name)).decode() for name in ("department", "roles")) for one in PEOPLE)
    assert counted(filled, "department", "roles") == expected
    assert counted(filled).total() == len(PEOPLE), "without an attribute, everybody is alike"


def test_only_the_rows_asked_for_are_counted(filled: Store) -> None:
    second = filled.value(f"SELECT {filled.backend.place} FROM identity WHERE id = 'p1'")
    assert counted(filled, after=second).total() == len(PEOPLE) - 2


@pytest.mark.parametrize("most", [1, 2, 3, 100])
def test_the_parts_are_the_whole_and_share_nobody(filled: Store, most: int) -> None:
    parts = census.blocks(filled, most, 2)
    assert len(parts) == min(most, (len(PEOPLE) + 1) // 2)
    found = [sum(row[-1] for row in rows) for part in parts for _, rows in census.census(filled, [], part)]
    assert sum(found) == len(PEOPLE)


def test_some_of_those_who_are_alike_are_named(filled: Store) -> None:
    ((block, rows),) = census.census(filled, ["department", "roles"], *census.blocks(filled, 1, 1))
    alike = next(row for row in rows if row[0] == '"Support"' and row[1] is not None)
    assert [id for id, _ in census.some(filled, ["department", "roles"], block, alike, 5)] == ["p0", "p3"]
    assert [id for id, _ in census.some(filled, ["department", "roles"], block, alike, 1)] == ["p0"]
    nothing = next(row for row in rows if row[0] is None)
    assert census.some(filled, ["department", "roles"], block, nothing, 5) == [("p4", {})]


def test_an_empty_store_has_nobody(store: Store) -> None:
    assert counted(store, "department") == Counter()
