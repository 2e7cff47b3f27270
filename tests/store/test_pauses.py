"""A pause holds from its instant to its end, at one connection or everywhere, and every intent asks for it."""

from __future__ import annotations

import json
from datetime import datetime, timedelta

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from syncd.environment import stamp
from syncd.errors import Paused
from syncd.store import Store, chain, connections, lease, pauses
from tests.store.rows import NOW

HOUR = timedelta(hours=1)


def paused(store: Store, name: str, at: datetime = NOW) -> str:
    """What an intent is told, "" where it may go."""
    tokens = lease.acquire(store, [name], "me", at, HOUR)
    assert isinstance(tokens, dict)
    try:
        lease.fence(store, name, tokens[name], at)
    except Paused as error:
        return str(error)
    finally:
        lease.alone(store, name, tokens[name], at)  # a pause takes no lease away
        lease.release(store, tokens)
    return ""


def test_what_is_told_names_since_when_why_and_the_cure(store: Store) -> None:
    assert not pauses.pause(store, "chat", "an audit", None, NOW, {})
    assert paused(store, "chat") == f"paused since {NOW:%Y-%m-%d %H:%M} UTC by a person: an audit; resume: syncd resume -c chat"
    assert paused(store, "app") == ""
    pauses.pause(store, "", "all of it", NOW + HOUR, NOW, {})
    told = f"paused since {NOW:%Y-%m-%d %H:%M} UTC until {NOW + HOUR:%Y-%m-%d %H:%M} UTC by a person: all of it; resume: syncd resume"
    assert paused(store, "app") == told
    assert paused(store, "chat").endswith("resume -c chat"), "its own pause says more than that of everywhere"


def test_twice_is_once_with_the_later_words(store: Store) -> None:
    pauses.pause(store, "chat", "first", None, NOW, {})
    assert pauses.pause(store, "chat", "second", NOW + 2 * HOUR, NOW + HOUR, {})
    row = pauses.at(store, "chat", NOW + HOUR)
    assert row is not None and (row.reason, row.since[:13]) == ("second", f"{NOW:%Y-%m-%dT%H}")
    assert not pauses.pause(store, "chat", "third", None, NOW + 3 * HOUR, {}), "that one had ended by itself"
    row = pauses.at(store, "chat", NOW + 3 * HOUR)
    assert row is not None and row.since[:13] == f"{NOW + 3 * HOUR:%Y-%m-%dT%H}"


def test_what_had_ended_was_not_paused(store: Store) -> None:
    pauses.pause(store, "chat", "short", NOW + HOUR, NOW, {})
    assert not pauses.resume(store, "chat", NOW + HOUR, {})
    assert not pauses.resume(store, "chat", NOW, {}), "its row is gone, too"


def test_what_a_person_said_is_in_the_journal(store: Store) -> None:
    pauses.pause(store, "chat", "why", None, NOW, {"command": "syncd pause"})
    pauses.resume(store, "chat", NOW, {"command": "syncd resume"})
    pauses.resume(store, "chat", NOW, {"command": "again, in vain"})
    said = store.rows("SELECT e.what, e.connection, p.body FROM entry AS e JOIN payload AS p ON p.entry = e.seq ORDER BY e.seq")
    assert [(row.what, row.connection, json.loads(row.body)["command"]) for row in said] == [
        (chain.DECIDED, "chat", "syncd pause"), (chain.DECIDED, "chat", "syncd resume"),
    ]  # fmt: skip
    assert list(chain.broken(store)) == []


@settings(deadline=None)
@given(
    steps=st.lists(
        st.tuples(st.sampled_from(["pause", "resume"]), st.sampled_from(["", "a", "b"]), st.none() | st.integers(1, 5), st.integers(0, 3)),
        max_size=12,
    )
)
def test_the_fence_says_no_exactly_while_a_pause_holds(
    scratch: Store, steps: list[tuple[str, str, int | None, int]]
) -> None:  # fmt: skip
    """Against a model: name -> end, or None for no end."""
    at, held = NOW, dict[str, datetime | None]()
    for action, name, hours, passes in steps:
        if action == "pause":
            held[name] = None if hours is None else at + hours * HOUR
            pauses.pause(scratch, name, "why", held[name], at, {})
        else:
            pauses.resume(scratch, name, at, {})
            held.pop(name, None)
        at += passes * HOUR
        for one in ("a", "b"):
            holds = any(each in held and ((end := held[each]) is None or end > at) for each in ("", one))
            assert bool(paused(scratch, one, at)) is holds
    scratch.run("DELETE FROM pause")
    scratch.run("DELETE FROM lease")


def test_nothing_of_an_intent_stays_where_a_pause_holds(store: Store) -> None:
    tokens = lease.acquire(store, ["a"], "me", NOW, HOUR)
    assert isinstance(tokens, dict)
    pauses.pause(store, "a", "why", None, NOW, {})
    with pytest.raises(Paused), store.transaction():
        store.run("INSERT INTO setting (name, value) VALUES ('intent', '')")
        lease.fence(store, "a", tokens["a"], NOW)
    assert store.value("SELECT COUNT(*) FROM setting WHERE name = 'intent'") == 0


@pytest.mark.parametrize(("old", "new", "left"), [(None, HOUR, None), (HOUR, None, None), (2 * HOUR, HOUR, 2 * HOUR), (HOUR, HOUR, HOUR)])
def test_a_connection_that_is_renamed_stays_paused_under_whichever_name_it_was(
    store: Store, old: timedelta | None, new: timedelta | None, left: timedelta | None
) -> None:
    connections.register(store, "old", "twilio", {"root": "r"}, "old", authoritative=False, target=True)
    for name, until in (("old", old), ("new", new)):
        pauses.pause(store, name, name, until and NOW + until, NOW, {})
    connections.rename(store, "old", "new")
    (row,) = store.rows("SELECT connection, until FROM pause")
    assert (row.connection, row.until) == ("new", left and stamp(NOW + left))


def test_a_connection_that_is_forgotten_leaves_no_pause_to_the_next_of_its_name(store: Store) -> None:
    connections.register(store, "chat", "twilio", {"root": "r"}, "chat", authoritative=False, target=True)
    for name in ("", "chat", "other"):
        pauses.pause(store, name, "why", None, NOW, {})
    connections.forget(store, "chat")
    assert [row.connection for row in store.rows("SELECT connection FROM pause ORDER BY connection")] == ["", "other"]
