"""The set questions about links."""

from __future__ import annotations

import re
from collections.abc import Callable
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from syncd.environment import stamp
from syncd.store import Store, answering, identities, links, outcomes, staging
from syncd.store.conditions import out_of_step
from syncd.store.links import Standing
from tests.store.conftest import ONLY_SQLITE
from tests.store.rows import HOUR, NOW, column, found, link, people, person, plans, put, stage, staged, standing

sides = st.sampled_from([None, b"1", b"2"])


@ONLY_SQLITE
def test_what_is_out_of_step_is_found_by_its_index_alone(store: Store) -> None:
    with store.transaction():
        people(store, *(f"p{number:04}" for number in range(2000)))
        links.save(store, "app", [standing(f"p{number:04}", b"1", b"2" if number % 100 == 0 else b"1") for number in range(2000)])
    questions: list[Callable[[], int]] = [
        lambda: len(links.out_of_step(store, "app", 0)), lambda: links.count_out_of_step(store, "app")
    ]  # fmt: skip
    for ask in questions:
        assert ask() == 20
        first, *rest = [step for step in plans(store, ask) if "block" not in step]
        assert re.match(r"SEARCH l USING (COVERING )?INDEX link_out_of_step \(connection=\?", first)
        known = ("PRIMARY KEY", "sqlite_autoindex_", "USING INDEX word_by_identity", "USING COVERING INDEX link_by_account", "SUBQUERY")
        assert all(any(way in step for way in known) for step in rest), "then its person, its account, and what a person said"


def test_out_of_step_comes_in_blocks_in_order_and_of_one_connection(store: Store) -> None:
    people(store, "a", "b", "c")
    for who in ("c", "a", "b"):
        link(store, "app", who, b"1", None)
        link(store, "chat", who, b"1", b"1")
    first = links.out_of_step(store, "app", 0, 2)
    rest = links.out_of_step(store, "app", first[-1].link_id, 2)
    assert [row.identity for row in (*first, *rest)] == ["c", "a", "b"]
    assert found(store, "chat") == []


@settings(deadline=None, max_examples=200)
@given(desired=sides, actual=sides, tried=st.tuples(sides, sides), refused=st.tuples(sides, sides))
def test_out_of_step_is_a_difference_that_was_neither_tried_nor_refused(
    scratch: Store, desired: bytes | None, actual: bytes | None, tried: tuple[Any, Any], refused: tuple[Any, Any]
) -> None:
    scratch.run(
        "INSERT INTO link (connection, identity, desired, actual, tried_desired, tried_actual, refused_desired, refused_actual, owned,"
        " generation, state, reason, counted, hold, failures)"
        " VALUES ('app', 'p', :desired, :actual, :td, :ta, :rd, :ra, TRUE, 0, 'live', '', FALSE, '', 0)",
        desired=desired, actual=actual, td=tried[0], ta=tried[1], rd=refused[0], ra=refused[1],
    )  # fmt: skip
    count = scratch.value(f"SELECT COUNT(*) FROM link WHERE {out_of_step()}")
    assert count == links.count_out_of_step(scratch, "app") == int(desired != actual and (desired, actual) not in (tried, refused))
    scratch.run("DELETE FROM link")


def test_dirty_identities_come_with_their_link_and_account(store: Store) -> None:
    people(store, "p", "q", targets=["app", "chat"])
    rows = stage(store, "app", "a")
    link(store, "app", "q", b"1", b"2", account_id=rows["a"], state="grace", leaving_since=NOW, due_at=NOW + HOUR)
    first, second = links.dirty(store, "app")
    assert (first.identity, first.link_id, first.account) == ("p", None, None)
    assert (second.identity, second.account, second.state, second.leaving_since) == ("q", "a", "grace", stamp(NOW))
    assert second.due_at == stamp(NOW + HOUR)
    assert [row.identity for row in links.dirty(store, "app", 1)] == ["p"]
    assert links.waiting_for_projection(store, "app", ["q", "x"]) == {"q"}
    links.clean(store, "app", ["q"])
    assert [row.identity for row in links.dirty(store, "app")] == ["p"]
    assert [row.identity for row in links.dirty(store, "chat")] == ["p", "q"], "another target's are its own"
    assert links.waiting_for_projection(store, "app", ["p", "q"]) == {"p"}
    (again,) = links.standing(store, "app", ["q"])
    assert tuple(again) == tuple(second)
    (bare,) = links.standing(store, "chat", ["q"])
    assert (bare.identity, bare.link_id) == ("q", None)


@pytest.mark.parametrize(
    ("one", "kept"),
    [(standing("p", b"1", None), True), (standing("p", None, None, account_id=1), True), (standing("p", None, None, state="frozen"), True),
     (standing("p", None, None, state="rejected"), True), (standing("p", None, None), False)],
)  # fmt: skip
def test_a_link_that_is_nothing_any_more_is_forgotten(store: Store, one: Standing, kept: bool) -> None:
    people(store, "p", "q")
    link(store, "app", "p", b"1", b"1")
    link(store, "app", "q", b"1", b"1")
    link(store, "chat", "p", b"1", b"1")
    links.save(store, "app", [one])
    assert column(store, "link", "identity", connection="app") == (["p"] if kept else []) + ["q"]
    assert column(store, "link", "identity", connection="chat") == ["p"]


def test_a_link_in_doubt_is_never_forgotten(store: Store) -> None:
    people(store, "p")
    link(store, "app", "p", b"1", None)
    outcomes.doubt(store, "app", "p", 7)
    links.save(store, "app", [standing("p", None, None)])
    assert column(store, "link", "doubt") == [7]


def test_what_projection_found_replaces_what_it_found_before(store: Store) -> None:
    people(store, "p")
    link(store, "app", "p", b"1", b"2", key="k", hold="config", leaving_since=NOW, due_at=NOW, counted=True, reason="r", state="grace")
    link(store, "app", "p", b"3", b"4", account_id=9)
    row = store.one("SELECT * FROM link")
    assert row is not None
    assert (row.desired, row.actual, row.account_id, row.state, row.reason, row.key) == (b"3", b"4", 9, "live", "", None)
    assert (row.hold, row.leaving_since, row.due_at, row.counted, row.owned) == ("", None, None, 0, 1)


# ---- who could be whose ----


def test_candidates_are_the_accounts_that_answer_to_a_key(store: Store) -> None:
    people(store, "living")
    people(store, "gone", live="departed")
    rows = staging.upsert(
        store,
        "app",
        [
            staged("free", 0, ("email", "x", True), ("@marker", "default:1", False)),
            staged("hers", 1, ("email", "x", False), ignored=True),
            staged("late", 2, ("userName", "x", True)),
            staged("dead", 3, ("email", "x", True)),
            staged("else", 4, ("email", "z", True)),
        ],
    )
    staging.upsert(store, "chat", [staged("chat", 0, ("email", "x", True))])
    staging.gone(store, [rows["dead"]], NOW)
    link(store, "app", "living", b"1", b"1", account_id=rows["hers"])
    link(store, "app", "gone", b"1", b"1", account_id=rows["late"])
    answers = answering.candidates(store, "app", [("email", "x"), ("userName", "x"), ("email", "y")])
    told = {
        pair: [(row.account, bool(row.trusted), bool(row.ignored), row.linked, row.linked_live, row.marker) for row in sorted(rows)]
        for pair, rows in answers.items()
    }
    assert told == {
        ("email", "x"): [("hers", False, True, "living", "live", None), ("free", True, False, None, None, "default:1")],
        ("userName", "x"): [("late", True, False, "gone", "departed", None)],
    } or told == {
        ("email", "x"): [("free", True, False, None, None, "default:1"), ("hers", False, True, "living", "live", None)],
        ("userName", "x"): [("late", True, False, "gone", "departed", None)],
    }
    assert answering.trusted_keys(store, [rows["free"], rows["hers"]]) == {rows["free"]: {"email": "x"}}


def test_newcomers_are_living_people_who_want_an_account_and_have_none(store: Store) -> None:
    keys = ("email", "x")
    identities.save(store, [person("new", keys), person("also", keys), person("has", keys), person("nobody", keys)], [])
    identities.save(store, [person("left", keys, live="departed"), person("other", ("email", "y")), person("out", keys)], [])
    for who in ("new", "also", "left", "other"):
        link(store, "app", who, b"1", None)
    link(store, "app", "has", b"1", b"1", account_id=1)
    link(store, "app", "out", None, None, state="rejected")
    link(store, "chat", "nobody", b"1", None)
    assert answering.newcomers(store, "app", "email", ["x", "z"]) == {"x": {"new", "also"}}


def test_a_provider_key_that_two_living_people_want_collides(store: Store) -> None:
    people(store, "a", "b", "c", "d")
    people(store, "left", live="departed")
    link(store, "app", "a", b"1", b"1", key="k")
    link(store, "app", "b", b"1", None, key="k")
    link(store, "app", "c", b"1", None, key="single")
    link(store, "app", "left", b"1", None, key="single")
    link(store, "chat", "d", b"1", None, key="single")
    assert {key: sorted(who) for key, who in answering.collisions(store, "app", ["k", "single", "none"]).items()} == {"k": ["a", "b"]}
    assert answering.collisions(store, "app", ["single"]) == {}


def test_accounts_and_links_are_counted(store: Store) -> None:
    people(store, "p", "q", "r", "s")
    rows = staging.upsert(
        store,
        "app",
        [staged("ours", 0), staged("frozen", 1, ignored=True), staged("theirs", 2), staged("ignored", 3, ignored=True), staged("dead", 4)],
    )
    stage(store, "chat", "x")
    staging.gone(store, [rows["dead"]], NOW)
    link(store, "app", "p", b"1", b"1", account_id=rows["ours"])
    link(store, "app", "q", b"1", b"1", account_id=rows["frozen"], state="frozen")
    link(store, "app", "r", b"1", None)
    link(store, "chat", "s", b"1", None)
    assert links.counts(store, "app") == {"known": 4, "ignored": 1, "linked": 2, "unlinked": 1}
    assert links.counts(store, "nowhere") == {"known": 0, "ignored": 0, "linked": 0, "unlinked": 0}
    assert links.states(store, "app") == {"frozen": 1}, "those that live need no counting"
    assert links.owned(store, "app") == 2
    put(store, "q", owned=False)
    assert links.owned(store, "app") == 1
