"""A person's yes and no to what is held."""

from __future__ import annotations

from typing import Any

import pytest

from syncd.store import Store, journal, links, waiting
from tests.store.held import held, let_go, listed
from tests.store.rows import DAY, HOUR, NOW, applied, change, link, people, record, register


@pytest.fixture(autouse=True)
def ready(store: Store) -> None:
    register(store, "app")


# ---- releases ----


def test_a_release_moves_exactly_those_and_is_not_counted_as_held(store: Store) -> None:
    held(store, NOW, "a", "b")
    let_go(store, "a")
    assert waiting.released(store, "app", ["a", "b", "c"], NOW) == {"a": "limit"}
    assert waiting.released(store, "chat", ["a"], NOW) == {}
    assert waiting.count(store, "app") == {"held": 1}


def test_a_release_is_void_after_24_hours(store: Store) -> None:
    held(store, NOW, "a")
    let_go(store, "a")
    almost = NOW + DAY - HOUR
    assert waiting.released(store, "app", ["a"], almost) == {"a": "limit"}
    assert waiting.released(store, "app", ["a"], NOW + DAY) == {}
    held(store, almost)
    assert waiting.count(store, "app") == {}
    held(store, NOW + DAY, "a")
    assert waiting.count(store, "app") == {"held": 1}


def test_a_release_lasts_until_its_change_has_settled(store: Store) -> None:
    first = held(store, NOW, "a")
    let_go(store, "a")
    run = journal.start_run(store, "delta", NOW + HOUR)
    (row,) = record(store, change(run, "a", "a", released=True, state="skipped", link_id=1))
    waiting.refresh(store, run, "app", NOW + HOUR)
    assert listed(store) == [("a", "held", first)]
    assert waiting.released(store, "app", ["a"], NOW + HOUR) == {"a": "limit"}
    applied(store, row, NOW + HOUR)
    run = journal.start_run(store, "delta", NOW + HOUR)
    link(store, "app", "a", b"1", b"1", account_id=1)
    waiting.refresh(store, run, "app", NOW + HOUR)
    assert listed(store) == []


def test_a_release_that_could_not_help_is_void(store: Store) -> None:
    """The next run held it all the same, for a reason no release can cure."""
    held(store, NOW, "a")
    let_go(store, "a", at=NOW + HOUR)
    held(store, NOW + 2 * HOUR, "a", hold="ambiguous")
    assert waiting.released(store, "app", ["a"], NOW + 2 * HOUR) == {}
    assert waiting.count(store, "app") == {"held": 1}


def test_a_release_given_while_a_run_was_under_way_is_kept_for_the_next(store: Store) -> None:
    first = held(store, NOW, "a")
    run = journal.start_run(store, "delta", NOW + HOUR)
    record(store, change(run, "a", "a", state="held", hold="limit", link_id=1))
    let_go(store, "a", at=NOW + 2 * HOUR)
    waiting.refresh(store, run, "app", NOW + 3 * HOUR)
    assert waiting.released(store, "app", ["a"], NOW + 3 * HOUR) == {"a": "limit"}
    assert listed(store) == [("a", "held", first)]


def test_agreeing_to_the_first_contact_passes_its_changes_for_this_and_the_next_runs(store: Store) -> None:
    run = journal.start_run(store, "delta", NOW)
    one = {"state": "held", "hold": "first_contact", "held": "first"}
    elsewhere = change(run, "d", "d", kind="create", connection="chat", **one)
    record(
        store, change(run, "a", "a", kind="create", **one), change(run, "b", "b", kind="delete", **one), elsewhere,
        change(run, "c", "c", kind="create", state="held", hold="ambiguous"),
    )  # fmt: skip
    for _ in range(2):
        waiting.let_go(store, run, "app", "first_contact", ["create", "update", "adopt"], NOW)
        passed = {row.id: (row.hold, row.held, bool(row.released)) for row in store.rows("SELECT * FROM change WHERE state = 'passed'")}
        assert passed == {"a": ("", None, True)}
        assert waiting.released(store, "app", ["a", "b", "c", "d"], NOW) == {"a": "first_contact"}


def test_a_first_contact_that_was_already_pending_is_released_too(store: Store) -> None:
    first = held(store, NOW, "a", hold="first_contact")
    run = journal.start_run(store, "delta", NOW + HOUR)
    record(store, change(run, "a", "a", state="held", hold="first_contact", held="first", link_id=1))
    waiting.let_go(store, run, "app", "first_contact", ["update"], NOW + HOUR)
    assert waiting.released(store, "app", ["a"], NOW + HOUR) == {"a": "first_contact"}
    assert listed(store) == [("a", "held", first)]


# ---- a person's no ----


def test_a_no_is_remembered_with_the_pair_until_either_side_moves(store: Store) -> None:
    first = held(store, NOW, "a", "b")
    waiting.refuse(store, [row.id for row in waiting.of_run(store, first) if row.change == "a"])
    assert [change for change, _, _ in listed(store)] == ["b"]
    assert [row.identity for row in links.out_of_step(store, "app", 0)] == ["b"]
    assert waiting.kept_by_person(store, "app") == 1
    assert waiting.kept_by_person(store, "chat") == 0
    link(store, "app", "a", b"3", b"2", account_id=1)
    assert [row.identity for row in links.out_of_step(store, "app", 0)] == ["a", "b"]
    assert waiting.kept_by_person(store, "app") == 0


@pytest.mark.parametrize("pair", [(None, b"2"), (b"1", None)])
def test_a_no_to_a_leaver_or_a_newcomer_is_remembered_too(store: Store, pair: tuple[Any, Any]) -> None:
    people(store, "a")
    link(store, "app", "a", *pair, account_id=1)
    run = journal.start_run(store, "delta", NOW)
    record(store, change(run, "a", "a", state="held", hold="limit", link_id=1))
    waiting.refresh(store, run, "app", NOW)
    waiting.refuse(store, [row.id for row in waiting.listing(store)])
    assert waiting.kept_by_person(store, "app") == 1
    assert links.count_out_of_step(store, "app") == 0


def test_a_no_is_taken_back_by_a_release(store: Store) -> None:
    first = held(store, NOW, "a", "b")
    waiting.refuse(store, [row.id for row in waiting.of_run(store, first)])
    assert (listed(store), waiting.count(store, "app"), waiting.of_run(store, first)) == ([], {}, [])
    later = journal.start_run(store, "delta", NOW + HOUR)
    waiting.refresh(store, later, "app", NOW + HOUR)
    kept = waiting.of_run(store, first, kept=True)
    assert [(row.change, row.state) for row in kept] == [("a", "kept"), ("b", "kept")]
    waiting.release(store, [kept[0].id], NOW + HOUR)
    waiting.take_back(store, [kept[1].id])
    assert [row.identity for row in links.out_of_step(store, "app", 0)] == ["a", "b"]
    assert waiting.released(store, "app", ["a", "b"], NOW + HOUR) == {"a": "limit"}
    assert listed(store) == [("a", "held", first), ("b", "held", first)]
    assert waiting.kept_by_person(store, "app") == 0


def test_a_no_that_is_over_cannot_be_taken_back(store: Store) -> None:
    first = held(store, NOW, "a", "b")
    waiting.refuse(store, [row.id for row in waiting.of_run(store, first)])
    link(store, "app", "a", b"3", b"2", account_id=1)
    link(store, "app", "b", b"2", b"2", account_id=1, state="frozen")
    waiting.refresh(store, journal.start_run(store, "delta", NOW), "app", NOW)
    assert [row.change for row in waiting.of_run(store, first, kept=True)] == ["b"], "who is only frozen has not moved"
