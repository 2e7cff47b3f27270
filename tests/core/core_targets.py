"""Targets, people and accounts for the tests of what is decided about them."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import UTC, datetime, timedelta
from typing import Any

from core_strategies import texts
from hypothesis import strategies as st

from syncd.core.paths import with_value
from syncd.core.policy import Policy
from syncd.core.project import Holding, Person, Projection, project
from syncd.model import CANONICAL, AttributeSpec, Capability, Connection, Deprovision, MapEntry, Mutability, Target

NOW = datetime(2026, 1, 1, tzinfo=UTC)
HOUR = timedelta(hours=1)
DAY = timedelta(days=1)
SPECS = (
    AttributeSpec("login", mutability=Mutability.IMMUTABLE, trusted=True),
    AttributeSpec("name", limit=12),
    AttributeSpec("email", normalize=str.lower),
    AttributeSpec("labels", "set"),
    AttributeSpec("meta", "object", limit=400),
    AttributeSpec("active", "boolean"),
    AttributeSpec("pin", mutability=Mutability.WRITE_ONLY),
)
MAP = (
    MapEntry("login", "name", "userName"),
    MapEntry("name", "name", "displayName"),
    MapEntry("email", "name", "email"),
    MapEntry("labels", "name", "roles"),
    MapEntry("meta.title", "name", "title"),
    MapEntry("meta.teams", "name", "labels"),
    MapEntry("pin", "name", "phone"),
)
SWITCH = Capability({spec.name: spec for spec in SPECS}, key="login", marker="meta.syncd", switch=("active", True, False))
PLAIN = Capability({spec.name: spec for spec in SPECS}, key="login", marker="meta.syncd")
BARE = Capability({spec.name: spec for spec in SPECS}, key="login")
OVERLAY = {"meta.off": True, "name": "left"}
"""An unmapped member, and a mapped attribute."""


def policy(capability: Capability = SWITCH, *, attributes: tuple[MapEntry, ...] = MAP, **target: Any) -> Policy:
    """``target``: fields of Target; those of Deprovision may be given beside them."""
    rules = {name: target.pop(name) for name in ("inactive", "out_of_scope", "departed", "grace", "retain") if name in target}
    write = Target(attributes=attributes, deprovision=Deprovision(**rules), **target)
    return Policy(Connection("app", "memory", {}, "app", write=write), capability, "default", CANONICAL)


def person(live: str = "live", **attributes: Any) -> Person:
    return Person("00000000-0000-5000-8000-000000000001", {"userName": "ann", "displayName": "Ann", **attributes}, live)


def applied(document: Mapping[str, Any] | None, wanted: Mapping[str, Any]) -> dict[str, Any]:
    """What a faithful provider keeps of a write."""
    kept = dict(document or {})
    for path in sorted(wanted):
        if path != "pin":
            kept = with_value(kept, path, wanted[path])
    return kept


def account(rules: Policy, who: Person) -> dict[str, Any]:
    """The account that syncd would have made for this person."""
    return applied(None, project(rules, who, None, NOW).wanted or {})


def held(before: Holding, found: Projection, document: Mapping[str, Any] | None, rules: Policy, who: Person, *, wrote: bool) -> Holding:
    """What the store remembers after ``found`` was saved, and, where syncd ``wrote``, after its write took."""
    return Holding(
        document, before.owned, before.ignored, found.state, found.leaving_since,
        found.state == "grace" if wrote else found.counted, "" if wrote else found.hold,
        rules.ours(who.attributes) if wrote and found.event is None else before.written,
    )  # fmt: skip


attributes = st.fixed_dictionaries(
    {"userName": st.sampled_from(["ann", "bob"])},
    optional={
        "displayName": st.sampled_from(["Ann", "Bob", "much too long a name"]), "email": st.sampled_from(["A@x", "b@x"]),
        "roles": st.lists(st.sampled_from("abc"), unique=True).map(sorted), "title": texts.filter(bool),
        "labels": st.lists(st.sampled_from("xyz"), unique=True).map(sorted), "phone": st.just("1"), "active": st.booleans(),
        "department": st.sampled_from(["Sales", "Support"]), "organization": st.just("keep"),
    },
)  # fmt: skip
documents = st.fixed_dictionaries(
    {"login": st.sampled_from(["ann", "bob"])},
    optional={
        "name": st.sampled_from(["Ann", "left", "theirs"]), "email": st.sampled_from(["a@x", "B@X"]), "active": st.booleans(),
        "labels": st.lists(st.sampled_from("abcdef"), unique=True),
        "meta": st.dictionaries(st.sampled_from(["off", "title", "theirs", "syncd", "teams"]), st.booleans() | texts, max_size=4),
    },
)  # fmt: skip
persons = st.builds(
    Person, st.just("00000000-0000-5000-8000-000000000001"), attributes, st.sampled_from(["live", "departed", "frozen"]), st.booleans(),
    st.sampled_from([None, NOW - DAY, NOW, NOW + DAY]), st.sampled_from([None, NOW - DAY, NOW, NOW + DAY]),
)  # fmt: skip
actions = st.sampled_from(["disable", "delete", "keep"])
policies = st.builds(
    policy,
    capability=st.sampled_from([SWITCH, PLAIN]),
    disabled=st.sampled_from([{}, OVERLAY]),
    inactive=st.sampled_from(["disable", "keep"]),
    out_of_scope=actions,
    departed=actions,
    grace=st.sampled_from([timedelta(0), DAY]),
    retain=st.sampled_from([None, "organization", 'organization == "keep"']),
    scope=st.sampled_from([None, 'department == "Sales"', "int(title) > 0"]),
    on_key_change=st.sampled_from(["keep", "hold", "replace"]),
)
holdings = st.builds(
    Holding,
    documents,
    owned=st.sampled_from([True, True, False]),
    ignored=st.sampled_from([False, False, True]),
    state=st.sampled_from(["live", "disabled", "grace", "kept", "retained", "frozen", "leaving", "rejected"]),
    leaving_since=st.sampled_from([None, NOW - 2 * DAY, NOW]),
    counted=st.booleans(),
    hold=st.sampled_from(["", "config"]),
)
