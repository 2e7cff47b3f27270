"""Where a listing stands, and whom it showed: stored in parts, forgotten at once."""

from __future__ import annotations

from syncd.store import Store, connections, erasing, stretches
from tests.store.rows import NOW, register


def add(store: Store, name: str, part: int, *seen: int) -> None:
    stretches.add(store, name, part, NOW, passport="p", state=f"state {part}", seen=seen)


def test_the_last_part_is_the_place_and_all_parts_say_whom_was_seen(store: Store) -> None:
    assert stretches.last(store, "app") is None
    add(store, "app", 0, 3, 2**40)
    add(store, "app", 1)
    add(store, "chat", 7, 5)
    row = stretches.last(store, "app")
    assert row is not None and (row.part, row.passport, row.state) == (1, "p", "state 1")
    assert [*stretches.seen(store, "app")] == [(3, 2**40), ()]
    assert stretches.states(store, "app") == ["state 0", "state 1"]


def test_many_parts_are_read_to_the_last(store: Store) -> None:
    for part in range(250):
        add(store, "app", part, part)
    assert [row for rows in stretches.seen(store, "app") for row in rows] == [*range(250)]


def test_a_place_goes_with_its_connection(store: Store) -> None:
    register(store, "app")
    add(store, "app", 0, 1)
    connections.rename(store, "app", "new")
    assert stretches.last(store, "app") is None and stretches.last(store, "new") is not None
    connections.forget(store, "new")
    assert stretches.last(store, "new") is None


def test_to_forget_one_is_not_to_forget_others(store: Store) -> None:
    add(store, "app", 0, 1)
    add(store, "chat", 0, 1)
    stretches.forget(store, "app")
    assert stretches.last(store, "app") is None and stretches.last(store, "chat") is not None
    stretches.forget_all(store)
    assert stretches.last(store, "chat") is None


def test_who_is_forgotten_is_in_no_place(store: Store) -> None:
    """Its cursor may be an account's id, its flaws may name somebody."""
    register(store, "app")
    add(store, "app", 0, 1)
    with store.transaction():
        erasing.erase(store, "7d3c-somebody", NOW)
    assert stretches.last(store, "app") is None
