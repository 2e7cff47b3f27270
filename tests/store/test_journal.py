"""Plans and their outcomes: planned, sent, settled."""

from __future__ import annotations

import pytest

from syncd.environment import stamp
from syncd.errors import Quarantined
from syncd.store import Store, connections, journal, lease, runs, verdicts
from tests.store.rows import HOUR, NOW, applied, change, column, link, people, record, stage, states


def test_runs_are_numbered_in_order_and_know_their_times(store: Store) -> None:
    first, second = (journal.start_run(store, mode, NOW) for mode in ("delta", "plan"))
    assert second > first
    runs.finish(store, first, "converged", NOW + HOUR)
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


# ---- sending ----


def test_an_intent_is_written_with_its_fence_and_forgets_the_known_bytes(store: Store, run: int) -> None:
    rows = stage(store, "app", "a", "b")
    (row,) = record(store, change(run, "a", "p", account_id=rows["a"], state="passed"))
    token = _token(store)
    intent = journal.intend(store, row, 1, False, "POST /Users/a", token, NOW)
    assert states(store) == {"a": "sent"}
    (opened,) = journal.open_steps(store, "app")
    assert (opened.step, opened.step_state, opened.creates, opened.sent_at, opened.seq) == (intent.step, "sent", 0, stamp(NOW), row.seq)
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
    intent = journal.intend(store, create, 1, True, "POST /Users", token, NOW)
    assert column(store, "link", "doubt") == [intent.step]


def test_a_step_is_open_until_its_outcome_is_known(store: Store, run: int) -> None:
    row, other = record(store, change(run, "a", "p", kind="create"), change(run, "b", "q", connection="chat"))
    token = _token(store)
    step = journal.intend(store, row, 1, True, "POST /Users", token, NOW)
    assert journal.open_steps(store, "app")[0].doubted_at is None
    journal.mark_doubt(store, step, "timeout", NOW + HOUR, NOW + HOUR)
    (opened,) = journal.open_steps(store, "app")
    assert (opened.step_state, opened.creates, opened.id, opened.who) == ("in_doubt", 1, "a", "p")
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
    journal.settle_change(store, adopted, "applied", None, NOW)
    assert (settled(), states(store)["a"]) == (0, "applied")
    token = _token(store)
    step = journal.intend(store, refused, 1, False, "POST /Users/a", token, NOW)
    journal.settle_step(store, step, "rejected", "no", NOW)
    journal.settle_change(store, refused, "rejected", "no", NOW)
    assert settled() == 0
    applied(store, written)
    assert settled() == 1
    assert [tuple(row) for row in store.rows("SELECT state, error, settled_at FROM change WHERE id = 'b'")] == [
        ("rejected", "no", stamp(NOW))
    ]


def test_what_passed_and_was_not_sent_is_skipped(store: Store, run: int) -> None:
    record(store, change(run, "a", "p", state="passed"), change(run, "b", "q", state="held"), change(run + 1, "c", "r", state="passed"))
    verdicts.skip(store, run, "app", "credentials refused", NOW)
    assert states(store) == {"a": "skipped", "b": "held", "c": "passed"}
    assert column(store, "change", "error", id="a") == ["credentials refused"]


# ---- what a plan looks like ----


def test_accounts_that_are_somebodys_are_counted_once_each_and_for_sure_before_else(store: Store, run: int) -> None:
    ids = stage(store, "app", *"abcdefgh")
    people(store, "z")
    link(store, "app", "z", b"1", b"1", account_id=ids["h"])
    made = [
        ("a", ""), ("b", "first_contact"), ("c", "untrusted"), ("d", "contradicted"), ("a", "untrusted"), ("e", "never"), ("h", "rehire"),
        ("h", ""),
    ]  # fmt: skip
    rows = [change(run, str(n), str(n), kind="adopt", hold=hold, account_id=ids[name]) for n, (name, hold) in enumerate(made)]
    choices = [
        change(run, f"c{n}", f"c{n}", kind="create", hold=hold, choices=text)
        for n, (hold, text) in enumerate([("ambiguous", '["f","g","h"]'), ("ambiguous", '["g","a"]'), ("unlinked", '["e"]')])
    ]
    record(store, *rows, *choices)
    assert journal.adoptions(store, run, "app") == (2, 4), "a and b; c, d, f and g"
    assert journal.adoptions(store, run, "chat") == (0, 0)


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
    assert journal.state_of(store, run, "e") == "applied"
    assert journal.state_of(store, run, "zz") is None


def _token(store: Store) -> int:
    got = lease.acquire(store, ["app"], "me", NOW, HOUR)
    assert isinstance(got, dict)
    return got["app"]
