"""What waits for a person."""

from __future__ import annotations

import pytest

from syncd.environment import stamp
from syncd.store import Store, identities, journal, outcomes, waiting
from tests.store.held import held, let_go, listed
from tests.store.rows import HOUR, NOW, applied, change, column, link, people, person, record, register


@pytest.fixture(autouse=True)
def ready(store: Store) -> None:
    register(store, "app")


def test_what_is_held_stays_with_the_run_that_first_held_it(store: Store) -> None:
    first = held(store, NOW, "a")
    second = held(store, NOW + HOUR, "a", "b", held="still too many")
    assert listed(store) == [("a", "held", first), ("b", "held", second)]
    assert column(store, "pending", "since") == [stamp(NOW), stamp(NOW + HOUR)]
    assert column(store, "pending", "reason", change="a") == ["still too many"]
    assert [row.change for row in waiting.of_run(store, first)] == ["a"]
    assert [row.change for row in waiting.of_run(store, second)] == ["b"]
    assert waiting.count(store, "app") == {"held": 2}


def test_what_no_longer_waits_goes(store: Store) -> None:
    held(store, NOW, "a", "b")
    link(store, "app", "a", b"1", b"1", account_id=1)
    last = held(store, NOW + HOUR, "b")
    assert [change for change, _, _ in listed(store)] == ["b"]
    run = journal.start_run(store, "delta", NOW)
    record(store, change(run, "b2", "b", state="passed", link_id=1))
    waiting.refresh(store, run, "app", NOW)
    assert listed(store) == [], "it is something else by now"
    assert last < run


def test_what_a_run_could_not_judge_stays(store: Store) -> None:
    """No evidence, or a target that refuses: nothing was planned for a link that is out of step still."""
    first = held(store, NOW, "a")
    let_go(store, "a")
    held(store, NOW + HOUR)
    assert listed(store) == [("a", "held", first)]
    assert waiting.released(store, "app", ["a"], NOW + HOUR) == {"a": "limit"}


def test_connections_are_kept_apart(store: Store) -> None:
    held(store, NOW, "a", "b")
    run = journal.start_run(store, "delta", NOW)
    record(store, change(run, "c", "c", state="held", hold="limit", connection="chat"))
    waiting.refresh(store, run, "chat", NOW)
    assert {change for change, _, _ in listed(store)} == {"a", "b", "c"}
    assert [change for change, _, _ in listed(store, connections=["chat"])] == ["c"]
    assert [change for change, _, _ in listed(store, connections=[])] == []
    assert [change for change, _, _ in listed(store, connections=["app", "chat"], state="held")] == ["a", "b", "c"]
    assert listed(store, state="in_doubt") == []
    assert waiting.count(store, "chat") == {"held": 1}


def test_one_run_may_hold_at_several_connections(store: Store) -> None:
    run = journal.start_run(store, "delta", NOW)
    record(store, *(change(run, name, name, state="held", hold="limit", connection=name) for name in ("app", "chat")))
    waiting.refresh(store, run, "app", NOW)
    assert [change for change, _, _ in listed(store)] == ["app"]


# ---- the other states ----


def test_a_create_without_an_answer_is_in_doubt_until_it_is_settled(store: Store) -> None:
    people(store, "a")
    link(store, "app", "a", b"1", None)
    run = journal.start_run(store, "delta", NOW)
    (row,) = record(store, change(run, "a", "a", kind="create", state="passed"))
    store.run("INSERT INTO lease (connection, token, holder, until) VALUES ('app', 1, '', :until)", until=stamp(NOW + HOUR))
    step = journal.intend(store, row, 1, True, "POST /Users", 1, NOW)
    journal.mark_doubt(store, step, "timeout", NOW, NOW)
    journal.settle_change(store, row, "in_doubt", "timeout", NOW)
    for _ in range(2):
        waiting.refresh(store, run, "app", NOW)
        assert listed(store) == [("a", "in_doubt", run)]
        assert column(store, "pending", "reason") == ["timeout"]
        later = journal.start_run(store, "delta", NOW + HOUR)
        waiting.refresh(store, later, "app", NOW + HOUR)
        assert listed(store) == [("a", "in_doubt", run)], "found by an earlier run, and open still"
    assert waiting.count(store, "app") == {"in_doubt": 1}
    journal.settle_step(store, step, "applied", None, NOW)
    waiting.refresh(store, journal.start_run(store, "delta", NOW), "app", NOW)
    assert listed(store) == []


def test_a_step_left_by_a_crash_says_that_no_answer_came(store: Store) -> None:
    run = journal.start_run(store, "delta", NOW)
    (row,) = record(store, change(run, "a", "a", kind="create", state="passed"))
    store.run("INSERT INTO lease (connection, token, holder, until) VALUES ('app', 1, '', :until)", until=stamp(NOW + HOUR))
    intent = journal.intend(store, row, 1, True, "POST /Users", 1, NOW)
    store.run("UPDATE step SET state = 'in_doubt' WHERE id = :id", id=intent.step)
    waiting.refresh(store, run, "app", NOW)
    assert column(store, "pending", "reason") == ["no answer came"]


def test_a_refused_change_is_rejected_then_quarantined_then_gone(store: Store) -> None:
    people(store, "a")
    link(store, "app", "a", b"1", b"2", account_id=1)
    seen = []
    for number in range(3):
        run = journal.start_run(store, "delta", NOW)
        (row,) = record(store, change(run, "c", "a", kind="update"))
        journal.settle_change(store, row, "rejected", f"no {number}", NOW)
        outcomes.refused(store, "app", "a", f"no {number}", NOW)
        waiting.refresh(store, run, "app", NOW)
        (one,) = waiting.listing(store)
        seen.append((one.change, one.state, one.reason, one.kind, one.who))
    assert seen == [
        ("c", "rejected", "no 0", "update", "a"),
        ("c", "rejected", "no 1", "update", "a"),
        ("c", "quarantined", "no 2", "update", "a"),
    ]
    assert waiting.count(store, "app") == {"quarantined": 1}
    link(store, "app", "a", b"2", b"2", account_id=1)
    waiting.refresh(store, journal.start_run(store, "delta", NOW), "app", NOW)
    assert listed(store) == []


def test_a_refusal_is_told_by_the_persons_own_last_one_there(store: Store) -> None:
    people(store, "a", "b")
    link(store, "app", "a", b"1", b"2", account_id=1)
    run = journal.start_run(store, "delta", NOW)
    refusals = [change(run, "old", "a"), change(run, "last", "a"), change(run, "other", "b"), change(run, "chat", "a", connection="chat")]
    for row in record(store, *refusals):
        journal.settle_change(store, row, "rejected", f"no {row.id}", NOW)
    (done,) = record(store, change(run, "done", "a"))
    applied(store, done)
    outcomes.refused(store, "app", "a", "no", NOW)
    waiting.refresh(store, run, "app", NOW)
    assert [(row.change, row.reason) for row in waiting.listing(store)] == [("last", "no last")]
    link(store, "app", "a", b"9", b"9", account_id=1, state="rejected", reason="phone: too long")
    waiting.refresh(store, journal.start_run(store, "delta", NOW), "app", NOW)
    assert [(row.change, row.reason) for row in waiting.listing(store)] == [("link:1", "phone: too long")], "that is another matter"


def test_what_cannot_be_mapped_is_rejected_with_the_name_of_the_person(store: Store) -> None:
    identities.save(store, [person("a", ("userName", "ann")), person("b")], [])
    link(store, "app", "a", None, None, state="rejected", reason="phone: too long")
    link(store, "app", "b", None, None, state="rejected", reason="phone: too long")
    link(store, "chat", "a", None, None, state="rejected")
    run = journal.start_run(store, "delta", NOW)
    waiting.refresh(store, run, "app", NOW)
    found = [(row.state, row.who, row.reason, row.account, row.kind) for row in waiting.listing(store)]
    assert found == [("rejected", "ann", "phone: too long", None, ""), ("rejected", "b", "phone: too long", None, "")]
    link(store, "app", "a", b"1", None)
    link(store, "app", "b", b"1", None)
    waiting.refresh(store, journal.start_run(store, "delta", NOW), "app", NOW)
    assert listed(store) == []


def test_records_that_could_not_be_read_wait_as_long_as_they_are_found(store: Store) -> None:
    flaws: list[dict[str, str | None]] = [
        {"where": "line 3", "reason": "no id", "id": None},
        {"where": "line 4", "reason": "bad date", "id": "e4"},
    ]
    first = journal.start_run(store, "delta", NOW)
    waiting.flaw(store, first, "app", flaws, NOW)
    waiting.refresh(store, first, "app", NOW)
    found = {(row.who, row.account, row.reason, row.state) for row in waiting.listing(store)}
    assert found == {("line 3", None, "line 3: no id", "rejected"), ("e4", "e4", "line 4: bad date", "rejected")}
    second = journal.start_run(store, "delta", NOW + HOUR)
    waiting.flaw(store, second, "app", flaws[1:], NOW + HOUR)
    waiting.refresh(store, second, "app", NOW + HOUR)
    assert [(row.who, row.run, row.since) for row in waiting.listing(store)] == [("e4", first, stamp(NOW))]
    waiting.refuse(store, [row.id for row in waiting.listing(store)])
    assert len(listed(store)) == 1, "there is nothing to say no to"
