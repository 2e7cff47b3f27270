"""One target's rules, compiled."""

from __future__ import annotations

from dataclasses import replace
from datetime import timedelta
from typing import Any

import pytest
from core_targets import BARE, MAP, OVERLAY, PLAIN, SWITCH, policies, policy
from hypothesis import given, settings

from syncd.core.entitlement import Event
from syncd.core.policy import Policy
from syncd.model import CANONICAL, AttributeSpec, Capability, Connection, Limit, MapEntry, Mutability, Rate, Target


def test_a_connection_that_is_not_written_has_no_policy() -> None:
    with pytest.raises(ValueError, match="app is not a target"):
        Policy(Connection("app", "memory", {}, "app"), SWITCH, "default", CANONICAL)


@pytest.mark.parametrize(("capability", "disabled", "overlay"), [
    (SWITCH, {}, {"active": False}), (PLAIN, OVERLAY, OVERLAY), (BARE, {}, {}),
    (SWITCH, {"meta.off": True}, {"meta.off": True, "active": False}),
])  # fmt: skip
def test_disabling_writes_the_switch_and_the_overlay(capability: Capability, disabled: dict[str, Any], overlay: dict[str, Any]) -> None:
    rules = policy(capability, disabled=disabled)
    assert (dict(rules.overlay), rules.can_disable) == (overlay, bool(overlay))


def test_each_event_has_its_action() -> None:
    rules = policy(inactive="disable", out_of_scope="keep", departed="delete")
    assert [rules.action(event, {}) for event in Event] == [("disable", False), ("keep", False), ("delete", False)]


@pytest.mark.parametrize(("retain", "attributes", "kept"), [
    (None, {"title": "x"}, False), ("title", {}, False), ("title", {"title": "x"}, True), ('title == "x"', {"title": "y"}, False),
    ('title == "x"', {"title": "x"}, True), ("int(title) > 0", {"title": "unreadable"}, True),
])  # fmt: skip
@pytest.mark.parametrize(("capability", "instead"), [(SWITCH, "disable"), (BARE, "keep")])
def test_retain_forbids_deletion_and_nothing_else(
    retain: str | None, attributes: dict[str, str], kept: bool, capability: Capability, instead: str
) -> None:
    rules = policy(capability, inactive="keep", out_of_scope="disable", departed="delete", retain=retain)
    assert rules.action(Event.DEPARTED, attributes) == ((instead, True) if kept else ("delete", False))
    assert rules.action(Event.OUT_OF_SCOPE, attributes) == ("disable", False)
    assert rules.action(Event.INACTIVE, attributes) == ("keep", False)


def test_ours_is_what_we_put_beside_others() -> None:
    """Also the members of a set that is itself a member of an object; a list that is wholly ours needs no memory."""
    who = {"userName": "ann", "roles": ["b", "a"], "labels": ["x"], "title": "Chef"}
    assert policy().ours(who) == {"labels": ["a", "b"], "meta.teams": ["x"]}
    whole = tuple(replace(entry, replace=True) for entry in MAP)
    assert policy(attributes=whole).ours(who) == {}


BASE: dict[str, Any] = {"inactive": "keep", "disabled": OVERLAY}


@pytest.mark.parametrize(
    "more",
    [
        {"scope": 'title == "x"'}, {"disabled": {"meta.off": True}}, {"disabled": {**OVERLAY, "meta.off": 1}}, {"on_key_change": "hold"},
        {"inactive": "disable"}, {"out_of_scope": "delete"}, {"departed": "disable"}, {"grace": timedelta(1)}, {"retain": "title"},
        {"attributes": MAP[:-1]}, {"attributes": (*MAP[:-1], MapEntry("pin", "name", "email"))},
        {"attributes": (*MAP[:-1], MapEntry("pin", "name", "phone", table={}))},
        {"attributes": (*MAP[:-1], MapEntry("pin", "name", "phone", keep_empty=True))},
        {"capability": SWITCH},
    ],
)  # fmt: skip
def test_what_could_want_somebody_differently_changes_the_fingerprint(more: dict[str, Any]) -> None:
    assert policy(**{"capability": PLAIN, **BASE, **more}).fingerprint() != policy(PLAIN, **BASE).fingerprint()


def test_to_map_to_nothing_is_not_the_same_as_not_to_map() -> None:
    tables: list[dict[str, Any]] = [{}, {"Chef": ""}, {"Chef": None}]
    prints = {policy(attributes=(MapEntry("name", "name", "title", table=table),)).fingerprint() for table in tables}
    assert len(prints) == len(tables)


@settings(max_examples=30)
@given(rules=policies)
def test_what_cannot_does_not(rules: Policy) -> None:
    target = replace(
        rules.target, adopt="never", drift="report", apply="never", correlate=("email",), limits={"delete": Limit(1, 1, 1)},
        settle=timedelta(1), attributes=tuple(replace(entry, where="syncd.yaml:7:1") for entry in rules.target.attributes),
    )  # fmt: skip
    connection = Connection("other", "memory", {"root": "x"}, "ns", write=target, rate=Rate(1.0, 1), timezone="Europe/Paris")
    assert Policy(connection, rules.capability, "default", CANONICAL).fingerprint() == rules.fingerprint()
    assert Policy(connection, rules.capability, "other", CANONICAL).fingerprint() != rules.fingerprint(), "the marker is another"


def test_a_table_in_another_order_is_the_same() -> None:
    prints = {
        policy(attributes=(MapEntry("name", "name", "title", table=dict(pairs)),)).fingerprint()
        for pairs in ([("a", "1"), ("b", "2")], [("b", "2"), ("a", "1")])
    }
    assert len(prints) == 1


def test_a_target_says_all_there_is() -> None:
    assert policy().target == Target(attributes=MAP)


def test_managed_are_the_attributes_of_which_something_is_written() -> None:
    rules = policy(SWITCH, disabled={"meta.off": True})
    assert {"meta", "active"} <= rules.managed <= SWITCH.attributes.keys()
    assert "meta" not in policy(replace(BARE, marker=None), attributes=()).managed


def test_every_answer_carries_what_is_declared_so_and_can_be_read() -> None:
    specs = (AttributeSpec("a"), AttributeSpec("b", carried=False), AttributeSpec("c", mutability=Mutability.WRITE_ONLY))
    assert Capability({spec.name: spec for spec in specs}).carried == {"a"}
