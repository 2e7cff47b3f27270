"""One writer a connection: acquired, fenced, renewed, given back."""

from __future__ import annotations

from datetime import datetime, timedelta

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from syncd.errors import Quarantined
from syncd.store import Store, lease
from tests.store.conftest import Opener
from tests.store.rows import NOW

LASTING = timedelta(seconds=10)
LATER = NOW + LASTING
EARLIER = LATER - timedelta(microseconds=1)


def take(store: Store, *names: str, at: datetime = NOW, holder: str = "me") -> dict[str, int]:
    got = lease.acquire(store, names, holder, at, LASTING)
    assert isinstance(got, dict)
    return got


def holds(store: Store, name: str, token: int, at: datetime) -> bool:
    """What every intent asks in its transaction."""
    try:
        with store.transaction():
            lease.fence(store, name, token, at)
    except Quarantined:
        return False
    return True


def test_acquire_takes_all_or_none(opened: Opener) -> None:
    one, other = opened(), opened()
    take(one, "b")
    assert lease.acquire(other, ["c", "b", "a"], "other", NOW, LASTING) == "b"
    assert take(one, "a", "c").keys() == {"a", "c"}
    assert lease.acquire(other, ["c", "b", "a"], "other", NOW, LASTING) == "a", "the first by name, always the same"


def test_a_held_lease_is_nobodys_else_until_it_expires(opened: Opener) -> None:
    one, other = opened(), opened()
    first = take(one, "a")
    assert lease.acquire(other, ["a"], "other", EARLIER, LASTING) == "a"
    second = take(other, "a", at=LATER)
    assert second["a"] > first["a"]
    assert not holds(one, "a", first["a"], LATER)
    assert holds(other, "a", second["a"], LATER)


@pytest.mark.parametrize(("back", "taken"), [(lease.LONGEST - LASTING, False), (lease.LONGEST, True), (timedelta(days=365), True)])
def test_a_clock_that_was_set_back_blocks_nobody_for_long(opened: Opener, back: timedelta, taken: bool) -> None:
    """A lease that ends later than any lease can was taken before."""
    one, other = opened(), opened()
    old = take(one, "a")["a"]
    got = lease.acquire(other, ["a"], "other", NOW - back, LASTING)
    assert isinstance(got, dict) is taken
    assert holds(one, "a", old, NOW - back) is not taken


def test_a_lease_may_be_configured_longer_than_the_longest(store: Store) -> None:
    lasting = 2 * lease.LONGEST
    lease.acquire(store, ["a"], "me", NOW, lasting)
    assert lease.acquire(store, ["a"], "other", NOW, lasting) == "a"


def test_the_fence_refuses_who_never_held_it_and_who_held_it_too_long(store: Store) -> None:
    assert not holds(store, "a", 1, NOW)
    token = take(store, "a")["a"]
    assert [holds(store, "a", token, at) for at in (NOW, EARLIER, LATER)] == [True, True, False]
    assert not holds(store, "a", token + 1, NOW)
    assert not holds(store, "b", token, NOW)


def test_the_fence_says_why(store: Store) -> None:
    with pytest.raises(Quarantined, match=r"^a: the lease was lost to another run, nothing more is sent from here$"):
        lease.fence(store, "a", 1, NOW)


def test_a_fence_that_refuses_takes_the_intent_with_it(store: Store) -> None:
    with pytest.raises(Quarantined), store.transaction():
        store.run("INSERT INTO setting (name, value) VALUES ('intent', '')")
        lease.fence(store, "a", 1, NOW)
    assert store.value("SELECT COUNT(*) FROM setting WHERE name = 'intent'") == 0


def test_renewing_holds_on(store: Store) -> None:
    tokens = take(store, "a", "b")
    lease.renew(store, tokens, EARLIER, LASTING)
    assert holds(store, "a", tokens["a"], LATER)
    assert holds(store, "b", tokens["b"], LATER)


def test_leases_of_equal_tokens_are_apart(store: Store) -> None:
    tokens = take(store, "a", "b")
    assert tokens["a"] == tokens["b"]
    lease.renew(store, {"a": tokens["a"]}, EARLIER, LASTING)
    assert [holds(store, name, tokens[name], LATER) for name in "ab"] == [True, False]
    lease.release(store, {"b": tokens["b"]})
    assert [holds(store, name, tokens[name], EARLIER) for name in "ab"] == [True, False]


def test_renewing_brings_back_no_lease_that_another_took(opened: Opener) -> None:
    one, other = opened(), opened()
    old = take(one, "a")
    new = take(other, "a", at=LATER)
    lease.release(other, new)
    lease.renew(one, old, LATER, LASTING)
    assert not holds(one, "a", old["a"], LATER)
    assert take(other, "a", at=LATER)["a"] == new["a"] + 1


def test_renewing_brings_back_no_lease_that_was_given_back(store: Store) -> None:
    tokens = take(store, "a")
    lease.release(store, tokens)
    lease.renew(store, tokens, NOW, LASTING)
    assert not holds(store, "a", tokens["a"], NOW)


def test_a_lease_given_back_is_free_at_once_and_its_token_spent(opened: Opener) -> None:
    one, other = opened(), opened()
    old = take(one, "a")
    lease.release(one, old)
    new = take(other, "a")
    lease.release(one, old)
    assert new["a"] == old["a"] + 1
    assert holds(other, "a", new["a"], NOW)


def test_a_lease_that_is_not_given_back_runs_out_and_says_so(opened: Opener) -> None:
    """Who died, stands still, or was asked to end, leaves what others take up."""
    one, other = opened(), opened()
    tokens = take(one, "a", "b", "c")
    lease.release(one, {"c": tokens["c"]})
    assert (lease.run_out(other, EARLIER), lease.runs_out(other, EARLIER)) == (set(), LATER)
    assert (lease.run_out(other, LATER), lease.runs_out(other, LATER)) == ({"a", "b"}, None)
    take(other, "a", at=LATER)
    assert lease.run_out(other, LATER) == {"b"}
    lease.abandon(one, {"a": tokens["a"]}, LATER)
    assert lease.run_out(other, LATER) == {"b"}, "what another took is not ours to let go"


def test_a_lease_that_is_abandoned_is_free_at_once_and_has_run_out(opened: Opener) -> None:
    one, other = opened(), opened()
    tokens = take(one, "a")
    lease.abandon(one, tokens, EARLIER)
    assert not holds(one, "a", tokens["a"], EARLIER) and lease.run_out(other, EARLIER) == {"a"}
    lease.release(other, take(other, "a", at=EARLIER))
    assert lease.run_out(other, LATER) == set()


def test_who_holds_what_besides_oneself(store: Store) -> None:
    take(store, "a", holder="me")
    take(store, "b", holder="other")
    assert [row.connection for row in lease.held(store, NOW, LASTING)] == ["a", "b"]
    assert [row.connection for row in lease.held(store, NOW, LASTING, besides="me")] == ["b"]
    assert not lease.held(store, LATER, LASTING)


@settings(deadline=None)
@given(steps=st.lists(st.tuples(st.sampled_from(["take", "renew", "release"]), st.integers(0, 2), st.integers(0, 15)), max_size=12))
def test_never_two_holders_and_tokens_only_rise(scratch: Store, steps: list[tuple[str, int, int]]) -> None:
    """Three runs, each with its latest token, over any course of events."""
    store, at, newest = scratch, NOW, 0
    tokens: dict[int, int] = {}
    for action, run, seconds in steps:
        at += timedelta(seconds=seconds)
        if action == "take":
            got = lease.acquire(store, ["a"], str(run), at, LASTING)
            if isinstance(got, dict):
                assert got["a"] > newest
                newest = tokens[run] = got["a"]
        elif run in tokens and action == "renew":
            lease.renew(store, {"a": tokens[run]}, at, LASTING)
        elif run in tokens:
            lease.release(store, {"a": tokens[run]})
        assert sum(holds(store, "a", token, at) for token in tokens.values()) <= 1
    store.run("DELETE FROM lease")
