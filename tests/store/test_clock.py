"""When runs began, and graces that are moved."""

from __future__ import annotations

from datetime import timedelta

from syncd.store import Store, clock
from tests.store.rows import NOW, link, people, register

WEEK = timedelta(days=7)


def test_the_last_run_is_remembered_with_its_step(store: Store) -> None:
    assert clock.last_run(store) is None
    clock.began(store, NOW, timedelta(0))
    clock.began(store, NOW + WEEK, WEEK)
    assert clock.last_run(store) == (NOW + WEEK, WEEK)


def test_only_graces_are_moved_and_judged_again(store: Store) -> None:
    register(store, "app")
    people(store, "a", "b", "c")
    link(store, "app", "a", b"x", b"y", state="grace", leaving_since=NOW, due_at=NOW + WEEK)
    link(store, "app", "b", b"x", b"y", due_at=NOW + WEEK)
    assert clock.postpone(store, -WEEK) == 1
    rows = {row.identity: row for row in store.rows("SELECT * FROM link")}
    assert (rows["a"].leaving_since[:10], rows["b"].leaving_since, rows["b"].due_at[:10]) == ("2025-12-25", None, "2026-01-08")
    assert [row.identity for row in store.rows("SELECT identity FROM dirty")] == ["a"]


def test_without_graces_nothing_is_moved(store: Store) -> None:
    assert clock.postpone(store, WEEK) == 0
