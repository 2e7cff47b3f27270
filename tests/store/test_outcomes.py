"""What a settled step leaves on its link."""

from __future__ import annotations

from collections.abc import Callable
from datetime import timedelta
from typing import Any

from hypothesis import given, settings
from hypothesis import strategies as st

from syncd.environment import instant, stamp
from syncd.store import Store, journal, links, outcomes, staging, tombstones
from tests.store.rows import HOUR, NOW, applied, change, column, link, people, record, register, stage


def row(store: Store, identity: str = "p") -> Any:
    found = store.one("SELECT * FROM link WHERE identity = :who", who=identity)
    assert found is not None
    return found


def test_an_account_that_arrived_is_its_persons_and_ours(store: Store) -> None:
    people(store, "p")
    rows = stage(store, "app", "a")
    link(store, "app", "p", b"1", None, hold="config")
    store.run("UPDATE link SET owned = FALSE, doubt = 7, failures = 3, retry_at = 'x'")
    outcomes.attach(store, "app", "p", rows["a"], NOW)
    found = row(store)
    assert (found.account_id, found.owned, found.generation, found.hold) == (rows["a"], 1, 1, "")
    assert (found.doubt, found.failures, found.retry_at) == (None, 0, None)
    assert column(store, "account", "touched_at") == [stamp(NOW)]


def test_an_account_may_arrive_for_a_link_that_was_forgotten(store: Store) -> None:
    people(store, "p")
    rows = stage(store, "app", "a")
    outcomes.attach(store, "app", "p", rows["a"], NOW)
    assert (row(store).account_id, row(store).owned, row(store).state, row(store).counted) == (rows["a"], 1, "live", 0)


def test_whoever_had_the_account_has_it_no_more(store: Store) -> None:
    people(store, "p", "leaver", "other")
    rows = stage(store, "app", "a", "b")
    link(store, "app", "leaver", b"1", b"1", account_id=rows["a"])
    link(store, "app", "other", b"1", b"1", account_id=rows["b"])
    outcomes.attach(store, "app", "p", rows["a"], NOW)
    assert {who: row(store, who).account_id for who in ("p", "leaver", "other")} == {"p": rows["a"], "leaver": None, "other": rows["b"]}
    assert [one.identity for one in links.dirty(store, "app")] == ["leaver"]


def test_after_a_deletion_the_link_has_no_account_and_nothing_of_it(store: Store) -> None:
    people(store, "p")
    rows = stage(store, "app", "a")
    link(store, "app", "p", None, b"1", account_id=rows["a"], hold="limit")
    store.run("UPDATE link SET settled = 'x', doubt = 7, failures = 3, retry_at = 'x', generation = 4")
    outcomes.detach(store, "app", "p", rows["a"], NOW)
    found = row(store)
    assert (found.account_id, found.generation, found.settled, found.hold) == (None, 5, None, "")
    assert (found.doubt, found.failures, found.retry_at) == (None, 0, None)
    assert column(store, "account", "touched_at") == [stamp(NOW)]
    outcomes.detach(store, "app", "p", None, NOW)
    assert row(store).generation == 6


def test_what_took_is_settled_and_what_was_written_is_known(store: Store) -> None:
    people(store, "p")
    link(store, "app", "p", b"1", b"1")
    store.run("UPDATE link SET tried_desired = 'x', tried_actual = 'y'")
    outcomes.wrote(store, "app", "p", '{"labels":["a"]}')
    outcomes.took(store, "app", "p")
    found = row(store)
    assert (found.settled, found.written, found.tried_desired, found.tried_actual) == (b"1", '{"labels":["a"]}', None, None)


def test_only_the_disabling_that_begins_a_grace_counts_for_its_end(store: Store) -> None:
    people(store, "p")
    for state, counted in (("live", 0), ("grace", 1), ("disabled", 0)):
        link(store, "app", "p", b"1", b"1", state=state)
        outcomes.took(store, "app", "p")
        assert row(store).counted == counted


def test_what_was_written_lately(store: Store) -> None:
    register(store, "app", "chat")
    but: list[dict[str, Any]] = [{}, {"kind": "create"}, {"connection": "chat"}, {"identity": "q"}, {"identity": "r"}]
    for row in record(store, *(change(1, "c", "p", delta='{"x":[1,2]}') | more for more in but)):
        applied(store, row)
    (refused,) = record(store, change(1, "c", "p"))
    journal.settle_change(store, refused, "rejected", "no", NOW)
    found = outcomes.wrote_lately(store, "app", ["p", "q"], NOW - HOUR)
    assert [tuple(row) for row in found] == [("p", '{"x":[1,2]}'), ("q", '{"x":[1,2]}')]
    assert outcomes.wrote_lately(store, "app", ["p", "q"], NOW) == []


def test_what_was_in_vain_is_not_tried_again_and_reported(store: Store) -> None:
    people(store, "p", "q")
    link(store, "app", "p", b"1", b"2", account_id=1)
    link(store, "app", "q", b"1", b"2", account_id=2)
    outcomes.in_vain(store, "app", "p", "app kept 'x'")
    assert [one.identity for one in links.out_of_step(store, "app", 0)] == ["q"]
    assert (row(store).state, row(store).reason, row(store).settled) == ("rejected", "app kept 'x'", b"1")
    link(store, "app", "p", b"1", b"3", account_id=1)
    assert [one.identity for one in links.out_of_step(store, "app", 0)] == ["p", "q"]


def test_from_the_third_refusal_in_a_row_it_rests_ever_longer_up_to_a_day(store: Store) -> None:
    people(store, "p", "q")
    for connection, who in (("chat", "p"), ("app", "q"), ("app", "p")):
        link(store, connection, who, b"1", b"2")
    store.run("UPDATE link SET failures = 9 WHERE NOT (connection = 'app' AND identity = 'p')")
    rests = []
    for _ in range(60):
        outcomes.refused(store, "app", "p", "no", NOW)
        (retry_at,) = column(store, "link", "retry_at", connection="app", identity="p")
        rests.append(retry_at)
    assert rests[:2] == [None, None]
    hours = [(instant(text) - NOW) / HOUR for text in rests[2:]]
    assert hours == [1, 2, 4, 8, 16] + [24] * 53
    assert column(store, "link", "failures", connection="app", identity="p") == [60]


@settings(deadline=None, max_examples=30)
@given(failures=st.integers(0, 10**6))
def test_no_number_of_refusals_is_too_many(scratch: Store, failures: int) -> None:
    people(scratch, "p")
    link(scratch, "app", "p", b"1", b"2")
    scratch.run("UPDATE link SET failures = :n", n=failures)
    outcomes.refused(scratch, "app", "p", "no", NOW)
    retry = row(scratch).retry_at
    assert (retry is None) == (failures < 2)
    assert retry is None or NOW + HOUR <= instant(retry) <= NOW + timedelta(days=1)
    scratch.run("DELETE FROM link")
    scratch.run("DELETE FROM identity")


def acts(store: Store, account: int) -> list[Callable[[], None]]:
    """Everything that can become of the link of p at app."""
    return [
        lambda: outcomes.attach(store, "app", "p", account, NOW),
        lambda: outcomes.wrote(store, "app", "p", "{}"),
        lambda: outcomes.took(store, "app", "p"),
        lambda: outcomes.in_vain(store, "app", "p", "kept"),
        lambda: outcomes.refused(store, "app", "p", "no", NOW),
        lambda: outcomes.doubt(store, "app", "p", 9),
        lambda: outcomes.detach(store, "app", "p", account, NOW),
    ]


def test_what_becomes_of_one_link_concerns_no_other(store: Store) -> None:
    people(store, "p", "q")
    rows = stage(store, "app", "a", "b")
    for connection, who, account in (("app", "p", rows["a"]), ("app", "q", rows["b"]), ("chat", "p", None)):
        link(store, connection, who, b"1", b"2", account_id=account, state="grace")
    other = "identity = 'q' OR connection = 'chat'"
    store.run(f"UPDATE link SET failures = 4, doubt = 7, written = 'w', settled = 's', tried_desired = 't' WHERE {other}")
    before = store.rows(f"SELECT * FROM link WHERE {other} ORDER BY id")
    for act in acts(store, rows["a"]):
        mine = row_of(store)
        act()
        assert row_of(store) != mine
        assert store.rows(f"SELECT * FROM link WHERE {other} ORDER BY id") == before
    assert column(store, "account", "touched_at", account="b") == [None]


def row_of(store: Store) -> tuple[Any, ...]:
    found = store.one("SELECT * FROM link WHERE connection = 'app' AND identity = 'p'")
    assert found is not None
    return tuple(found)


def test_a_refusal_ends_the_doubt(store: Store) -> None:
    people(store, "p")
    link(store, "app", "p", b"1", None)
    outcomes.doubt(store, "app", "p", 7)
    assert row(store).doubt == 7
    outcomes.refused(store, "app", "p", "no", NOW)
    assert row(store).doubt is None
    outcomes.refused(store, "app", "nobody", "no", NOW)


def test_an_account_found_gone_remembers_whose_it_was_if_it_was_ours(store: Store) -> None:
    people(store, "p", "q")
    rows = stage(store, "app", "a", "b", "c")
    link(store, "app", "p", b"1", b"1", account_id=rows["a"])
    link(store, "app", "q", b"1", b"1", account_id=rows["b"])
    store.run("UPDATE link SET owned = FALSE WHERE identity = 'q'")
    staging.gone(store, list(rows.values()), NOW)
    assert tombstones.disowned(store, list(rows.values())) == {rows["a"]: "p"}
    assert staging.documents(store, "app", ["a", "b", "c"]) == {}


def test_an_account_of_ours_goes_back_to_its_person_unless_there_is_another(store: Store) -> None:
    people(store, "forgotten", "waiting", "settled")
    rows = stage(store, "app", "f", "w", "s", "new", "stranger")
    for who in ("forgotten", "waiting", "settled"):
        link(store, "app", who, b"1", b"1", account_id=rows[who[0]])
    staging.gone(store, [rows["f"], rows["w"], rows["s"]], NOW)
    store.run("DELETE FROM link WHERE identity = 'forgotten'")
    store.run("UPDATE link SET account_id = NULL WHERE identity = 'waiting'")
    outcomes.attach(store, "app", "settled", rows["new"], NOW)
    outcomes.reattach(store, "app", list(rows.values()))
    assert {who: row(store, who).account_id for who in ("forgotten", "waiting", "settled")} == {
        "forgotten": rows["f"], "waiting": rows["w"], "settled": rows["new"]
    }  # fmt: skip
    assert row(store, "forgotten").owned
    assert tombstones.disowned(store, list(rows.values())) == {}


def test_nobody_who_was_erased_gets_an_account_back(store: Store) -> None:
    people(store, "p")
    rows = stage(store, "app", "a")
    link(store, "app", "p", b"1", b"1", account_id=rows["a"])
    staging.gone(store, [rows["a"]], NOW)
    store.run("DELETE FROM link")
    store.run("DELETE FROM identity")
    outcomes.reattach(store, "app", [rows["a"]])
    assert store.rows("SELECT * FROM link") == []
