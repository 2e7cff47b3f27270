"""What people said about accounts outlives everything but the account, and another word."""

from __future__ import annotations

import pytest

from syncd.store import Store, answering, links, outcomes, staging, words
from tests.store.rows import NOW, column, found, link, people, put, register, stage, staged


@pytest.fixture
def app(store: Store) -> dict[str, int]:
    """Accounts a, b and c at app; p has a."""
    register(store, "app")
    people(store, "p", "q", "r")
    rows = stage(store, "app", *"abc")
    link(store, "app", "p", b"1", b"2", account_id=rows["a"])
    link(store, "app", "q", b"1", None)
    return rows


def said(store: Store) -> list[tuple[int, str, int]]:
    return [tuple(row) for row in store.rows("SELECT account_id, identity, yes FROM word ORDER BY account_id, identity")]


def apart(store: Store, identity: str) -> str | None:
    return links.standing(store, "app", [identity])[0].apart


def test_a_yes_is_of_one_account_and_of_one_person(store: Store, app: dict[str, int]) -> None:
    words.give(store, "app", app["b"], "q", NOW)
    assert set(words.given(store, "app", ["p", "q"])) == {"q"} and words.given(store, "other", ["q"]) == {}
    words.give(store, "app", app["c"], "q", NOW)
    assert said(store) == [(app["c"], "q", 1)]
    words.give(store, "app", app["c"], "r", NOW)
    assert said(store) == [(app["c"], "r", 1)]
    owner = words.owner(store, "app", app["c"])
    assert owner is not None and (owner.identity, owner.live, owner.linked) == ("r", "live", 0)
    assert words.owner(store, "app", app["b"]) is None


def test_a_yes_takes_the_no_back_and_with_it_every_refusal(store: Store, app: dict[str, int]) -> None:
    put(store, "q", refused_desired=b"1", tried_desired=b"1", failures=4, retry_at="2030")
    assert "q" not in found(store)
    words.take(store, "app", app["b"], "q", NOW)
    words.give(store, "app", app["b"], "q", NOW)
    assert said(store) == [(app["b"], "q", 1)] and found(store) == ["p", "q"]
    assert column(store, "link", "failures", identity="q") == [0] and column(store, "link", "retry_at", identity="q") == [None]


def test_a_no_releases_the_link_and_all_that_was_decided_about_it(store: Store, app: dict[str, int]) -> None:
    put(store, "p", leaving_since="x", counted=True, hold="config", state="grace", settled=b"1", written="{}", due_at="x")
    words.take(store, "app", app["a"], "p", NOW)
    (row,) = store.rows("SELECT * FROM link WHERE identity = 'p'")
    assert (row.account_id, row.desired, row.actual, row.state, row.hold, row.generation) == (None, None, None, "unlinked", "", 1)
    assert (row.leaving_since, row.counted, row.settled, row.written, row.due_at) == (None, 0, None, None, None)
    assert words.refused(store, "app", ["p", "q"]) == {("p", app["a"])}
    assert words.owner(store, "app", app["a"]) is None
    assert column(store, "dirty", "identity") == ["p"]
    words.take(store, "app", app["b"], "q", NOW)
    assert column(store, "link", "state", identity="q") == ["live"], "what is not theirs is not released"


def test_who_is_kept_apart(store: Store, app: dict[str, int]) -> None:
    assert apart(store, "p") is None
    words.take(store, "app", app["a"], "p", NOW)
    assert apart(store, "p") == "a" and apart(store, "q") is None
    words.give(store, "app", app["b"], "p", NOW)
    assert apart(store, "p") is None, "they are given another"
    staging.gone(store, [app["b"]], NOW)
    assert apart(store, "p") == "a"
    words.give(store, "app", app["a"], "q", NOW)
    assert apart(store, "p") is None, "it is another's"
    words.take(store, "app", app["a"], "q", NOW)
    assert apart(store, "p") == "a" == apart(store, "q")
    outcomes.attach(store, "app", "r", app["a"], NOW)
    assert apart(store, "p") is None
    outcomes.detach(store, "app", "r", app["a"], NOW)
    staging.gone(store, [app["a"]], NOW)
    assert apart(store, "p") is None, "it is gone"


def test_who_is_kept_apart_from_one_account_gets_no_third_when_theirs_is_gone(store: Store, app: dict[str, int]) -> None:
    words.take(store, "app", app["b"], "p", NOW)
    assert apart(store, "p") is None, "they have one"
    staging.gone(store, [app["a"]], NOW)
    assert column(store, "link", "account_id", identity="p") == [app["a"]] and apart(store, "p") == "b"


@pytest.mark.parametrize("event", ["gone", "back", "attached", "given"])
def test_whoever_a_no_is_about_is_projected_again_when_the_account_moves(store: Store, app: dict[str, int], event: str) -> None:
    words.take(store, "app", app["a"], "p", NOW)
    store.run("DELETE FROM dirty")
    if event == "gone":
        staging.gone(store, [app["a"]], NOW)
    elif event == "back":
        staging.mark_linked(store, [app["a"]])
    elif event == "attached":
        outcomes.attach(store, "app", "q", app["a"], NOW)
    else:
        words.give(store, "app", app["a"], "q", NOW)
    assert "p" in column(store, "dirty", "identity")


def test_an_account_given_to_somebody_is_theirs_for_everybody_else(store: Store, app: dict[str, int]) -> None:
    staging.upsert(store, "app", [staged("c", 2, ("email", "x", True))])
    words.give(store, "app", app["c"], "q", NOW)
    (row,) = answering.candidates(store, "app", [("email", "x")])["email", "x"]
    assert (row.linked, row.linked_live) == ("q", "live")


def test_the_word_outlives_its_person_and_marks_nobody(store: Store, app: dict[str, int]) -> None:
    words.give(store, "app", app["b"], "nobody", NOW)
    store.run("DELETE FROM dirty")
    words.mark(store, [app["b"]])
    assert column(store, "dirty", "identity") == [] and words.owner(store, "app", app["b"]) is None
