"""What takes a change back: exactly the values before it, and only where the account still holds what it wrote."""

from __future__ import annotations

from typing import Any

import pytest
from core_targets import BARE, OVERLAY, PLAIN, SWITCH, policy
from hypothesis import given
from hypothesis import strategies as st

from syncd.core.mapping import found
from syncd.core.paths import with_value
from syncd.core.policy import Policy
from syncd.core.reverting import inverse
from syncd.model import Kind

TEXTS = st.sampled_from([None, "", "x", "y", "Z@X"])
DONE = st.dictionaries(st.sampled_from(["name", "email", "meta.title", "meta.off", "login", "pin"]), st.tuples(TEXTS, TEXTS))
NOW = st.dictionaries(st.sampled_from(["name", "email", "login"]), TEXTS)


def document(values: Any) -> dict[str, Any]:
    made: dict[str, Any] = {}
    for path, value in values.items():
        made = with_value(made, path, value)
    return made


def same(rules: Policy, path: str, one: Any, other: Any) -> bool:
    seen = [found(document({path: value}), [path], rules.capability)[path] for value in (one, other)]
    return bool(seen[0] == seen[1])


@given(DONE, NOW, st.sampled_from([Kind.UPDATE, Kind.DISABLE, Kind.ADOPT]))
def test_only_what_still_holds_what_was_written_is_written_and_with_what_was_there(done: Any, moved: Any, kind: Kind) -> None:
    rules = policy()
    now = document({path: after for path, (_, after) in done.items()} | moved)
    made = inverse(rules, kind, done, now)
    holds = found(now, done, rules.capability)
    for path, (before, after) in done.items():
        if path in ("login", "pin") or not same(rules, path, holds[path], after):
            assert path in made.stays and path not in made.delta
        else:
            assert path not in made.stays
            assert (path in made.delta) is (not same(rules, path, before, holds[path]))
    assert set(made.delta) <= set(done)
    for path, (_, back) in made.delta.items():
        assert same(rules, path, back, done[path][0])
    assert made.gives_up is (kind is Kind.ADOPT) and not made.revoke
    assert made.does or made.stays or made.why_not


def test_our_marker_goes_only_with_the_account() -> None:
    done, now = {"meta.syncd": (None, "default:1"), "name": ("A", "B")}, {"meta": {"syncd": "default:1"}, "name": "B"}
    assert inverse(policy(), Kind.UPDATE, done, now).delta == {"name": ("B", "A")}
    assert inverse(policy(), Kind.ADOPT, done, now).delta == {"name": ("B", "A"), "meta.syncd": ("default:1", None)}


def test_who_was_disabled_is_enabled() -> None:
    made = inverse(policy(), Kind.DISABLE, {"active": (True, False)}, {"active": False})
    assert (made.kind, made.delta, made.stays) == (Kind.UPDATE, {"active": (False, True)}, {})


@pytest.mark.parametrize(
    ("rules", "delta"),
    [
        (policy(SWITCH), {"active": (None, False)}),
        (policy(PLAIN, disabled=OVERLAY), {"meta.off": (None, True), "name": ("Ann", "left")}),
    ],
)
def test_who_was_created_is_disabled_and_never_deleted(rules: Policy, delta: Any) -> None:
    made = inverse(rules, Kind.CREATE, {"login": (None, "ann"), "name": (None, "Ann"), "pin": (None, "1")}, {"login": "ann", "name": "Ann"})
    assert (made.kind, made.delta, made.revoke) == (Kind.DISABLE, delta, rules.revokes)


@pytest.mark.parametrize(
    ("rules", "kind", "now", "why"),
    [
        (policy(BARE), Kind.CREATE, {"login": "ann"}, "accounts cannot be disabled here"),
        (policy(), Kind.CREATE, {"login": "ann", "active": False}, "it is disabled already"),
        (policy(), Kind.CREATE, {"login": "eve"}, "login changed since"),
        (policy(), Kind.DELETE, {}, "does not come back"),
    ],
)
def test_what_cannot_be_taken_back_says_why(rules: Policy, kind: Kind, now: Any, why: str) -> None:
    made = inverse(rules, kind, {"login": (None, "ann")}, now)
    assert not made.does and why in made.why_not
