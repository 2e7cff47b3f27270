"""What counts against a limit, what it holds, and the likeliest cause."""

from __future__ import annotations

from typing import Any

import pytest

from syncd.environment import stamp
from syncd.store import Store, identities, journal, limits, staging, verdicts
from tests.store.rows import DAY, HOUR, NOW, applied, change, claim, column, intended, people, person, record, stage, states

LEAVING = ["delete", "disable"]


def test_accounts_are_counted_once_however_often_they_change(store: Store, run: int) -> None:
    for row in record(
        store, change(run, "1", "p", kind="delete"), change(run, "2", "p", kind="disable"), change(run, "3", "q", kind="update")
    ):
        applied(store, row, NOW)
    now = journal.start_run(store, "delta", NOW)
    record(store, change(now, "4", "p", kind="delete"), change(now, "5", "r", kind="disable"), change(now, "6", "r", kind="delete"))
    assert limits.affected(store, now, "app", LEAVING, NOW - HOUR) == (2, 2)
    assert limits.affected(store, now, "app", ["update"], NOW - HOUR) == (1, 0)
    assert limits.affected(store, now, "app", ["create"], NOW - HOUR) == (0, 0)


def test_the_24_hours_slide(store: Store, run: int) -> None:
    (row,) = record(store, change(run, "1", "p", kind="delete"))
    applied(store, row, NOW)
    for at, count in ((NOW + HOUR, 1), (NOW + DAY, 0)):
        assert limits.affected(store, run, "app", LEAVING, at - DAY) == (count, 0)


@pytest.mark.parametrize(
    "but", [{"counted": False}, {"released": True}, {"object": "tenant"}, {"connection": "chat"}, {"state": "held"}, {"run": 99}]
)
def test_what_does_not_count_against_a_limit(store: Store, run: int, but: dict[str, Any]) -> None:
    record(store, change(run, "1", "p", kind="delete") | but, change(run, "2", "q", kind="delete"))
    assert limits.affected(store, run, "app", LEAVING, NOW) == (1, 1)


@pytest.mark.parametrize("but", [{"counted": False}, {"released": True}, {"object": "tenant"}, {"connection": "chat"}])
def test_what_did_not_count_when_it_was_sent(store: Store, run: int, but: dict[str, Any]) -> None:
    for row in record(store, change(run, "1", "p", kind="delete") | but, change(run, "2", "q", kind="delete")):
        applied(store, row)
    assert limits.affected(store, 99, "app", LEAVING, NOW - HOUR) == (1, 0)


@pytest.mark.parametrize(("state", "counts"), [("rejected", 0), ("retry", 0), ("applied", 1), ("lost", 1), ("in_doubt", 1), ("sent", 1)])
def test_every_request_counts_that_was_sent_and_not_surely_undone(store: Store, run: int, state: str, counts: int) -> None:
    (row,) = record(store, change(run, "1", "p", kind="delete", cleared='["phone"]'))
    journal.settle_step(store, intended(store, row), state, None, NOW)
    assert limits.affected(store, 99, "app", LEAVING, NOW - HOUR) == (counts, 0)
    assert len(limits.cleared(store, 99, "app", NOW - HOUR)) == counts


def test_what_was_never_sent_does_not_count(store: Store, run: int) -> None:
    (row,) = record(store, change(run, "1", "p", kind="delete"))
    journal.settle_change(store, row, "skipped", "changed since", NOW)
    assert limits.affected(store, 99, "app", LEAVING, NOW - HOUR) == (0, 0)


def test_a_change_of_which_one_request_was_done_counts_once(store: Store, run: int) -> None:
    (row,) = record(store, change(run, "1", "p", kind="disable"))
    for state in ("applied", "lost", "rejected"):
        journal.settle_step(store, intended(store, row), state, None, NOW)
    journal.settle_change(store, row, "rejected", "no", NOW)
    assert limits.affected(store, 99, "app", LEAVING, NOW - HOUR) == (1, 0)


def test_cleared_attributes_are_those_of_this_plan_and_of_the_last_hours(store: Store, run: int) -> None:
    for row in record(
        store, change(run, "1", "p", cleared='["phone"]'), change(run, "2", "q"), change(run, "3", "r", cleared='["x"]', released=True)
    ):
        applied(store, row)
    now = journal.start_run(store, "delta", NOW)
    (planned, *_) = record(
        store, change(now, "4", "s", cleared='["email"]'), change(now, "5", "t", cleared="[]", released=True),
        change(now, "6", "u", cleared="[]", state="held"), change(now, "7", "v", cleared="[]", connection="chat"),
    )  # fmt: skip
    found = {(row.seq, row.identity, row.cleared) for row in limits.cleared(store, now, "app", NOW - HOUR)}
    assert found == {(planned.seq, "s", '["email"]'), (0, "p", '["phone"]')}
    assert {row.identity for row in limits.cleared(store, now, "app", NOW)} == {"s"}


def test_the_likeliest_cause_is_where_most_vanished_at_once(store: Store, run: int) -> None:
    rows = stage(store, "people", *"abcde")
    claim(store, {rows[name]: name for name in "abcde"})
    for names, at in (("abc", NOW), ("d", NOW - HOUR)):
        staging.gone(store, [rows[name] for name in names], at)
        identities.save(store, [person(name, live="departed", departed_at=at) for name in names], [])
    people(store, "e")
    record(store, *(change(run, name, name, kind="disable") for name in "abde"), change(run, "c", "c", kind="disable", state="held"))
    worst = limits.vanished(store, run, "app")
    assert worst is not None
    assert (worst.connection, worst.departed_at, worst.n, worst.total) == ("people", stamp(NOW), 2, 4)
    assert limits.vanished(store, run, "chat") is None


def test_a_kind_is_held_whole_but_for_what_was_released(store: Store, run: int) -> None:
    record(
        store, change(run, "a", "p", kind="delete"), change(run, "b", "q", kind="disable", counted=False),
        change(run, "c", "r", kind="delete", released=True), change(run, "d", "s", kind="create"),
    )  # fmt: skip
    record(
        store, change(run, "e", "t", kind="delete", state="held", hold="config"), change(run, "f", "u", kind="delete", connection="chat")
    )
    assert verdicts.hold(store, run, "app", LEAVING, "limit", "too many", uncounted=False) == 1
    assert states(store) == {"a": "held", "b": "planned", "c": "planned", "d": "planned", "e": "held", "f": "planned"}
    assert verdicts.hold(store, run, "app", LEAVING, "first_contact", "first") == 1
    assert [tuple(row) for row in store.rows("SELECT hold, held FROM change WHERE id IN ('a', 'b', 'e') ORDER BY id")] == [
        ("limit", "too many"), ("first_contact", "first"), ("config", None)
    ]  # fmt: skip
    verdicts.pass_rest(store, run, "app")
    assert states(store) == {"a": "held", "b": "held", "c": "passed", "d": "passed", "e": "held", "f": "planned"}


def test_single_changes_are_held(store: Store, run: int) -> None:
    a, _ = record(store, change(run, "a", "p"), change(run, "b", "q"))
    verdicts.hold_rows(store, [a.seq], "limit", "phone would be emptied")
    assert states(store) == {"a": "held", "b": "planned"}
    assert column(store, "change", "held", id="a") == ["phone would be emptied"]


def test_what_was_not_sent_is_kept_of_the_last_time_only(store: Store, run: int) -> None:
    """Nothing that was sent is ever forgotten."""
    every = ("planned", "held", "passed", "sent", "applied", "rejected", "skipped", "in_doubt")
    old = [change(run, state, "p", state=state) for state in every]
    record(store, *old, change(run, "chat", "p", state="held", connection="chat"), change(run + 1, "new", "p", state="held"))
    verdicts.drop_unsent(store, run + 1, "app")
    assert set(states(store)) == {"sent", "applied", "rejected", "skipped", "in_doubt", "chat", "new"}
