"""What people ask the store."""

from __future__ import annotations

from syncd.store import Store, answers, journal, staging, waiting
from tests.store.rows import HOUR, NOW, change, claim, link, people, record, register, stage


def held(run: int, id: str, **more: object) -> dict[str, object]:
    return change(run, id, id, state="held", hold="limit", held="too many") | more


def test_the_shape_of_a_plan_is_of_its_users(store: Store) -> None:
    record(
        store, held(1, "a"), held(1, "b"), change(1, "c", "c", kind="create"), change(1, "d", "d", object="tenant"), held(2, "e"),
        held(1, "f", connection="chat"), held(1, "g", hold="config"),
    )  # fmt: skip
    shape = {(row.connection, row.kind, row.state, row.hold): row.n for row in answers.shape(store, 1)}
    assert shape == {
        ("app", "update", "held", "limit"): 2, ("app", "create", "planned", ""): 1, ("chat", "update", "held", "limit"): 1,
        ("app", "update", "held", "config"): 1,
    }  # fmt: skip


def test_what_is_held_is_told_by_reason_and_by_the_run_that_first_held_it(store: Store) -> None:
    register(store, "app")
    first = journal.start_run(store, "delta", NOW)
    record(store, held(first, "a"), held(first, "b"))
    waiting.refresh(store, first, "app", NOW)
    second = journal.start_run(store, "delta", NOW + HOUR)
    seqs = {row.id: row.seq for row in record(
        store, held(second, "c", kind="delete"), held(second, "a"), held(second, "b"), held(second, "d"), held(second, "e", held="else"),
        change(second, "f", "f"), held(second, "g", held="more"),
    )}  # fmt: skip
    groups = answers.held(store, second)
    assert [(row.connection, row.hold, row.held, row.kind, row.first, row.n, row.seq) for row in groups] == [
        ("app", "limit", "too many", "delete", second, 1, seqs["c"]),
        ("app", "limit", "too many", "update", first, 2, seqs["a"]),
        ("app", "limit", None, "update", second, 3, seqs["d"]),
    ], "those with a reason of their own are one row"
    assert [[row.id for row in answers.held_for(store, second, group, 9)] for group in groups] == [["c"], ["a", "b"], ["d", "e", "g"]]
    assert [row.id for row in answers.held_for(store, second, groups[2], 2)] == ["d", "e"]
    assert [row.id for row in answers.held_for(store, second, groups[1], 1)] == ["a"]


def test_the_runs_that_hold_something(store: Store) -> None:
    register(store, "app")
    people(store, "a", "b", "c")
    runs = [journal.start_run(store, "delta", NOW) for _ in "ab"]
    for run, ids in ((runs[1], "bc"), (runs[0], "a")):
        record(store, *(held(run, id, link_id=link(store, "app", id, b"1", b"2")) for id in ids))
        waiting.refresh(store, run, "app", NOW)
    assert answers.runs_that_hold(store) == runs
    waiting.flaw(store, runs[0], "app", [{"where": "line 1", "reason": "x", "id": None}], NOW)
    waiting.refuse(store, [row.id for row in waiting.of_run(store, runs[0])])
    assert answers.runs_that_hold(store) == runs[1:]


def test_everybody_with_their_accounts_in_order(store: Store) -> None:
    with store.transaction():
        people(store, *(f"p{number:04}" for number in range(1001)))
        sources = stage(store, "people", "s2", "s1", "gone")
        claim(store, {row: "p0001" for row in sources.values()})
        rows = stage(store, "app", "t", "unlinked", "deleted")
        link(store, "app", "p0001", b"1", b"1", account_id=rows["t"], state="grace")
        link(store, "chat", "p0001", b"1", None)
        link(store, "app", "p0002", b"1", b"1", account_id=rows["deleted"])
        staging.gone(store, [sources["gone"], rows["deleted"]], NOW)
    found = list(answers.people(store))
    assert [row.id for row, _ in found] == [f"p{number:04}" for number in range(1001)]
    accounts = {row.id: [(one.connection, one.account, one.state) for one in held] for row, held in found}
    assert accounts.pop("p0001") == [("app", "t", "grace"), ("people", "s1", "source"), ("people", "s2", "source")]
    assert set(map(tuple, accounts.values())) == {()}


def test_the_living_are_all_but_the_departed(store: Store) -> None:
    people(store, "a")
    people(store, "b", live="frozen")
    people(store, "c", live="departed")
    assert answers.living(store) == 2


def test_people_are_found_by_id_by_key_and_by_account(store: Store) -> None:
    register(store, "people", "app")
    rows = {**stage(store, "people", "E1"), **stage(store, "app", "u1")}
    people(store, "p", "q")
    claim(store, {rows["E1"]: "p"})
    link(store, "app", "q", b"1", b"1", account_id=rows["u1"])
    store.run(
        "INSERT INTO identity_key (identity, attribute, key) VALUES ('p', 'userName', 'ann'), ('q', 'email', 'ann'), ('q', '@id', 'ann')"
    )
    assert [answers.named(store, who, who) for who in ("p", "ann", "nobody")] == [["p"], ["p", "q"], []]
    assert [answers.holders(store, *who) for who in (("people", "E1"), ("app", "u1"), ("app", "E1"))] == [["p"], ["q"], []]
    assert answers.called(store, ["p", "q"]) == [("p", "ann"), ("q", "q")]
    assert [answers.beginning(store, start) for start in ("a", "an", "b")] == [["ann"], ["ann"], []]
