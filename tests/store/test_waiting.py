"""What waits for a person."""

from __future__ import annotations

from typing import Any

import pytest

from syncd.environment import stamp
from syncd.store import Store, identities, journal, links, outcomes, waiting
from tests.store.rows import DAY, HOUR, NOW, applied, change, column, link, people, person, record, register


@pytest.fixture(autouse=True)
def ready(store: Store) -> None:
    register(store, "app")


def held(store: Store, at: Any, *ids: str, **more: Any) -> int:
    """A run that holds these changes, one a person of the same name, then says what waits; its number."""
    run = journal.start_run(store, "delta", at)
    rows = [change(run, id, id, state="held", hold="limit", held="too many", link_id=_link(store, id)) | more for id in ids]
    record(store, *rows)
    waiting.refresh(store, run, "app", at)
    return run


def _link(store: Store, who: str) -> int:
    people(store, who)
    return link(store, "app", who, b"1", b"2", account_id=1)


def listed(store: Store, **by: Any) -> list[tuple[str, str, int]]:
    return [(row.change, row.state, row.run) for row in waiting.listing(store, **by)]


def let_go(store: Store, *ids: str, at: Any = NOW) -> None:
    waiting.release(store, [row.id for row in waiting.listing(store) if row.change in ids], at)


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
    assert waiting.released(store, "app", ["a"], NOW + HOUR) == {"a"}


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


# ---- releases ----


def test_a_release_moves_exactly_those_and_is_not_counted_as_held(store: Store) -> None:
    held(store, NOW, "a", "b")
    let_go(store, "a")
    assert waiting.released(store, "app", ["a", "b", "c"], NOW) == {"a"}
    assert waiting.released(store, "chat", ["a"], NOW) == set()
    assert waiting.count(store, "app") == {"held": 1}


def test_a_release_is_void_after_24_hours(store: Store) -> None:
    held(store, NOW, "a")
    let_go(store, "a")
    almost = NOW + DAY - HOUR
    assert waiting.released(store, "app", ["a"], almost) == {"a"}
    assert waiting.released(store, "app", ["a"], NOW + DAY) == set()
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
    assert waiting.released(store, "app", ["a"], NOW + HOUR) == {"a"}
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
    assert waiting.released(store, "app", ["a"], NOW + 2 * HOUR) == set()
    assert waiting.count(store, "app") == {"held": 1}


def test_a_release_given_while_a_run_was_under_way_is_kept_for_the_next(store: Store) -> None:
    first = held(store, NOW, "a")
    run = journal.start_run(store, "delta", NOW + HOUR)
    record(store, change(run, "a", "a", state="held", hold="limit", link_id=1))
    let_go(store, "a", at=NOW + 2 * HOUR)
    waiting.refresh(store, run, "app", NOW + 3 * HOUR)
    assert waiting.released(store, "app", ["a"], NOW + 3 * HOUR) == {"a"}
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
        waiting.let_go(store, run, "app", ["create", "update", "adopt"], NOW)
        passed = {row.id: (row.hold, row.held, bool(row.released)) for row in store.rows("SELECT * FROM change WHERE state = 'passed'")}
        assert passed == {"a": ("", None, True)}
        assert waiting.released(store, "app", ["a", "b", "c", "d"], NOW) == {"a"}


def test_a_first_contact_that_was_already_pending_is_released_too(store: Store) -> None:
    first = held(store, NOW, "a", hold="first_contact")
    run = journal.start_run(store, "delta", NOW + HOUR)
    record(store, change(run, "a", "a", state="held", hold="first_contact", held="first", link_id=1))
    waiting.let_go(store, run, "app", ["update"], NOW + HOUR)
    assert waiting.released(store, "app", ["a"], NOW + HOUR) == {"a"}
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


# ---- the other states ----


def test_a_create_without_an_answer_is_in_doubt_until_it_is_settled(store: Store) -> None:
    people(store, "a")
    link(store, "app", "a", b"1", None)
    run = journal.start_run(store, "delta", NOW)
    (row,) = record(store, change(run, "a", "a", kind="create", state="passed"))
    store.run("INSERT INTO lease (connection, token, holder, until) VALUES ('app', 1, '', :until)", until=stamp(NOW + HOUR))
    step = journal.intend(store, row, 1, True, "POST /Users", 1, NOW)
    journal.mark_doubt(store, step, "timeout", NOW)
    journal.settle_change(store, row.seq, "in_doubt", "timeout", NOW)
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
    step = journal.intend(store, row, 1, True, "POST /Users", 1, NOW)
    store.run("UPDATE step SET state = 'in_doubt' WHERE id = :id", id=step)
    waiting.refresh(store, run, "app", NOW)
    assert column(store, "pending", "reason") == ["no answer came"]


def test_a_refused_change_is_rejected_then_quarantined_then_gone(store: Store) -> None:
    people(store, "a")
    link(store, "app", "a", b"1", b"2", account_id=1)
    seen = []
    for number in range(3):
        run = journal.start_run(store, "delta", NOW)
        (row,) = record(store, change(run, "c", "a", kind="update"))
        journal.settle_change(store, row.seq, "rejected", f"no {number}", NOW)
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
        journal.settle_change(store, row.seq, "rejected", f"no {row.id}", NOW)
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
    assert listed(store) == []
