"""Plans and their outcomes: planned, sent, settled."""

from __future__ import annotations

from typing import Any

import pytest

from syncd.environment import stamp
from syncd.errors import Quarantined
from syncd.store import Store, connections, identities, journal, lease, staging
from tests.store.rows import DAY, HOUR, NOW, applied, change, column, link, people, person, record, register, stage

LEAVING = ["delete", "disable"]


@pytest.fixture
def run(store: Store) -> int:
    register(store, "app")
    return journal.start_run(store, "delta", NOW)


def states(store: Store) -> dict[str, str]:
    return {row.id: row.state for row in store.rows("SELECT id, state FROM change")}


def test_runs_are_numbered_in_order_and_know_their_times(store: Store) -> None:
    first, second = (journal.start_run(store, mode, NOW) for mode in ("delta", "plan"))
    assert second > first
    journal.finish_run(store, first, "converged", NOW + HOUR)
    rows = [tuple(row) for row in store.rows("SELECT mode, started, finished, report FROM run ORDER BY id")]
    assert rows == [("delta", stamp(NOW), stamp(NOW + HOUR), "converged"), ("plan", stamp(NOW), None, None)]


def test_changes_are_streamed_in_order_of_planning(store: Store, run: int) -> None:
    with store.transaction():
        record(store, *(change(run, f"c{number}", "p") for number in range(1001)), change(run + 1, "other", "p"))
    assert [row.id for row in journal.changes(store, run)] == [f"c{number}" for number in range(1001)]
    assert list(journal.changes(store, 99)) == []


def test_changes_of_one_state_come_in_blocks(store: Store, run: int) -> None:
    a, _, c = record(store, change(run, "a", "p"), change(run, "b", "p", state="held"), change(run, "c", "p"))
    record(store, change(run, "d", "p", connection="chat"), change(run + 1, "e", "p"))
    (first,) = journal.in_state(store, run, "app", "planned", 0, 1)
    (second,) = journal.in_state(store, run, "app", "planned", first.seq)
    assert (first.seq, second.seq) == (a.seq, c.seq)


# ---- limits ----


def test_accounts_are_counted_once_however_often_they_change(store: Store, run: int) -> None:
    for row in record(
        store, change(run, "1", "p", kind="delete"), change(run, "2", "p", kind="disable"), change(run, "3", "q", kind="update")
    ):
        applied(store, row, NOW)
    now = journal.start_run(store, "delta", NOW)
    record(store, change(now, "4", "p", kind="delete"), change(now, "5", "r", kind="disable"), change(now, "6", "r", kind="delete"))
    assert journal.affected(store, now, "app", LEAVING, NOW - HOUR) == (2, 2)
    assert journal.affected(store, now, "app", ["update"], NOW - HOUR) == (1, 0)
    assert journal.affected(store, now, "app", ["create"], NOW - HOUR) == (0, 0)


def test_the_24_hours_slide(store: Store, run: int) -> None:
    (row,) = record(store, change(run, "1", "p", kind="delete"))
    applied(store, row, NOW)
    for at, count in ((NOW + HOUR, 1), (NOW + DAY, 0)):
        assert journal.affected(store, run, "app", LEAVING, at - DAY) == (count, 0)


@pytest.mark.parametrize(
    "but", [{"counted": False}, {"released": True}, {"object": "tenant"}, {"connection": "chat"}, {"state": "held"}, {"run": 99}]
)
def test_what_does_not_count_against_a_limit(store: Store, run: int, but: dict[str, Any]) -> None:
    record(store, change(run, "1", "p", kind="delete") | but, change(run, "2", "q", kind="delete"))
    assert journal.affected(store, run, "app", LEAVING, NOW) == (1, 1)


@pytest.mark.parametrize("but", [{"counted": False}, {"released": True}, {"object": "tenant"}, {"connection": "chat"}])
def test_what_did_not_count_when_it_was_sent(store: Store, run: int, but: dict[str, Any]) -> None:
    for row in record(store, change(run, "1", "p", kind="delete") | but, change(run, "2", "q", kind="delete")):
        applied(store, row)
    assert journal.affected(store, 99, "app", LEAVING, NOW - HOUR) == (1, 0)


def test_what_was_not_done_does_not_count(store: Store, run: int) -> None:
    for state in ("rejected", "retry", "in_doubt", "skipped"):
        (row,) = record(store, change(run, state, state, kind="delete"))
        journal.settle_change(store, row.seq, state, None, NOW)
    assert journal.affected(store, 99, "app", LEAVING, NOW - HOUR) == (0, 0)


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
    found = {(row.seq, row.identity, row.cleared) for row in journal.cleared(store, now, "app", NOW - HOUR)}
    assert found == {(planned.seq, "s", '["email"]'), (0, "p", '["phone"]')}
    assert {row.identity for row in journal.cleared(store, now, "app", NOW)} == {"s"}


def test_the_likeliest_cause_is_where_most_vanished_at_once(store: Store, run: int) -> None:
    rows = stage(store, "people", *"abcde")
    identities.claim(store, {rows[name]: name for name in "abcde"})
    for names, at in (("abc", NOW), ("d", NOW - HOUR)):
        staging.gone(store, [rows[name] for name in names], at)
        identities.save(store, [person(name, live="departed", departed_at=at) for name in names], [])
    people(store, "e")
    record(store, *(change(run, name, name, kind="disable") for name in "abde"), change(run, "c", "c", kind="disable", state="held"))
    worst = journal.vanished(store, run, "app")
    assert worst is not None
    assert (worst.connection, worst.departed_at, worst.n, worst.total) == ("people", stamp(NOW), 2, 4)
    assert journal.vanished(store, run, "chat") is None


def test_a_kind_is_held_whole_but_for_what_was_released(store: Store, run: int) -> None:
    record(
        store, change(run, "a", "p", kind="delete"), change(run, "b", "q", kind="disable", counted=False),
        change(run, "c", "r", kind="delete", released=True), change(run, "d", "s", kind="create"),
    )  # fmt: skip
    record(
        store, change(run, "e", "t", kind="delete", state="held", hold="config"), change(run, "f", "u", kind="delete", connection="chat")
    )
    assert journal.hold(store, run, "app", LEAVING, "limit", "too many", uncounted=False) == 1
    assert states(store) == {"a": "held", "b": "planned", "c": "planned", "d": "planned", "e": "held", "f": "planned"}
    assert journal.hold(store, run, "app", LEAVING, "first_contact", "first") == 1
    assert [tuple(row) for row in store.rows("SELECT hold, held FROM change WHERE id IN ('a', 'b', 'e') ORDER BY id")] == [
        ("limit", "too many"), ("first_contact", "first"), ("config", None)
    ]  # fmt: skip
    journal.pass_rest(store, run, "app")
    assert states(store) == {"a": "held", "b": "held", "c": "passed", "d": "passed", "e": "held", "f": "planned"}


def test_single_changes_are_held(store: Store, run: int) -> None:
    a, _ = record(store, change(run, "a", "p"), change(run, "b", "q"))
    journal.hold_rows(store, [a.seq], "limit", "phone would be emptied")
    assert states(store) == {"a": "held", "b": "planned"}
    assert column(store, "change", "held", id="a") == ["phone would be emptied"]


def test_what_is_held_is_kept_of_the_last_time_only(store: Store, run: int) -> None:
    """Nothing that was sent is ever forgotten."""
    old = [change(run, state, "p", state=state) for state in ("held", "passed", "sent", "applied", "rejected", "skipped", "in_doubt")]
    record(store, *old, change(run, "chat", "p", state="held", connection="chat"), change(run + 1, "new", "p", state="held"))
    journal.drop_held(store, run + 1, "app")
    assert set(states(store)) == {"passed", "sent", "applied", "rejected", "skipped", "in_doubt", "chat", "new"}


# ---- sending ----


def test_an_intent_is_written_with_its_fence_and_forgets_the_known_bytes(store: Store, run: int) -> None:
    rows = stage(store, "app", "a", "b")
    (row,) = record(store, change(run, "a", "p", account_id=rows["a"], state="passed"))
    token = _token(store)
    step = journal.intend(store, row, 1, False, "POST /Users/a", token, NOW)
    assert states(store) == {"a": "sent"}
    (opened,) = journal.open_steps(store, "app")
    assert (opened.id, opened.state, opened.creates, opened.sent_at, opened.seq) == (step, "sent", 0, stamp(NOW), row.seq)
    accounts = {one.account: (one.digest, one.touched_at) for one in store.rows("SELECT account, digest, touched_at FROM account")}
    assert accounts == {"a": (None, stamp(NOW)), "b": (b"b", None)}


def test_without_the_lease_there_is_no_intent(store: Store, run: int) -> None:
    rows = stage(store, "app", "a")
    (row,) = record(store, change(run, "a", "p", account_id=rows["a"], state="passed"))
    _token(store)
    with pytest.raises(Quarantined), store.transaction():
        journal.intend(store, row, 1, True, "POST /Users", 99, NOW)
    assert (states(store), journal.open_steps(store, "app")) == ({"a": "passed"}, [])
    assert column(store, "account", "digest") == [b"a"]


def test_a_create_is_in_doubt_from_its_intent_to_its_answer(store: Store, run: int) -> None:
    people(store, "p")
    link(store, "app", "p", b"1", None)
    create, update = record(store, change(run, "a", "p", kind="create"), change(run, "b", "p"))
    token = _token(store)
    journal.intend(store, update, 1, False, "POST /Users/a", token, NOW)
    assert column(store, "link", "doubt") == [None]
    step = journal.intend(store, create, 1, True, "POST /Users", token, NOW)
    assert column(store, "link", "doubt") == [step]


def test_a_step_is_open_until_its_outcome_is_known(store: Store, run: int) -> None:
    row, other = record(store, change(run, "a", "p", kind="create"), change(run, "b", "q", connection="chat"))
    token = _token(store)
    step = journal.intend(store, row, 1, True, "POST /Users", token, NOW)
    assert journal.open_steps(store, "app")[0].doubted_at is None
    journal.mark_doubt(store, step, "timeout", NOW + HOUR)
    (opened,) = journal.open_steps(store, "app")
    assert (opened.state, opened.creates, opened.change_id, opened.who) == ("in_doubt", 1, "a", "p")
    assert (opened.sent_at, opened.doubted_at) == (stamp(NOW), stamp(NOW + HOUR))
    assert journal.open_steps(store, other.connection) == []
    journal.settle_step(store, step, "applied", None, NOW + HOUR)
    assert journal.open_steps(store, "app") == []
    assert column(store, "step", "settled_at") == [stamp(NOW + HOUR)]


def test_only_a_change_that_wrote_something_ends_the_first_contact(store: Store, run: int) -> None:
    """Contract: taking back ownership "does not by itself end first contact"."""

    def settled() -> int:
        row = connections.row(store, "app")
        assert row is not None
        return int(row.settled)

    adopted, refused, written = record(
        store, change(run, "a", "p", kind="adopt", requests=0), change(run, "b", "q"), change(run, "c", "r", kind="create")
    )  # fmt: skip
    journal.settle_change(store, adopted.seq, "applied", None, NOW)
    assert (settled(), states(store)["a"]) == (0, "applied")
    token = _token(store)
    step = journal.intend(store, refused, 1, False, "POST /Users/a", token, NOW)
    journal.settle_step(store, step, "rejected", "no", NOW)
    journal.settle_change(store, refused.seq, "rejected", "no", NOW)
    assert settled() == 0
    applied(store, written)
    assert settled() == 1
    assert [tuple(row) for row in store.rows("SELECT state, error, settled_at FROM change WHERE id = 'b'")] == [
        ("rejected", "no", stamp(NOW))
    ]


def test_what_passed_and_was_not_sent_is_skipped(store: Store, run: int) -> None:
    record(store, change(run, "a", "p", state="passed"), change(run, "b", "q", state="held"), change(run + 1, "c", "r", state="passed"))
    journal.skip(store, run, "app", "credentials refused")
    assert states(store) == {"a": "skipped", "b": "held", "c": "passed"}
    assert column(store, "change", "error", id="a") == ["credentials refused"]


# ---- what a plan looks like ----


def test_a_plan_in_numbers(store: Store, run: int) -> None:
    record(
        store, change(run, "a", "p", kind="create", state="passed", requests=1), change(run, "b", "q", state="passed", requests=2),
        change(run, "c", "r", state="held", held="because"), change(run, "d", "s", kind="adopt", hold="untrusted", state="held", held="x"),
        change(run, "e", "t", kind="adopt", state="applied"), change(run, "f", "u", object="tenant", kind="create", state="applied"),
        change(run, "g", "v", kind="create", hold="ambiguous", state="held", held="because"), change(run, "h", "w", connection="chat"),
        change(run, "i", "x", kind="adopt", hold="first_contact", state="held", held="because"),
    )  # fmt: skip
    assert journal.tally(store, run, "app") == {"create": 2, "update": 2, "adopt": 3}
    assert journal.tally(store, run, "app", "state") == {"passed": 2, "held": 4, "applied": 1}
    assert journal.applied(store, run, "app") == {"adopt": 1}
    assert journal.requests(store, run, "app") == 3
    assert journal.requests(store, run, "nowhere") == 0
    assert journal.first_reason(store, run, "app") == "because"
    assert journal.first_reason(store, run, "chat") == ""
    assert (journal.adoptions(store, run, "app", held=False), journal.adoptions(store, run, "app", held=True)) == (2, 2)
    assert journal.state_of(store, run, "e") == "applied"
    assert journal.state_of(store, run, "zz") is None


def _token(store: Store) -> int:
    got = lease.acquire(store, ["app"], "me", NOW, HOUR)
    assert isinstance(got, dict)
    return got["app"]
