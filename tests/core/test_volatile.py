"""What an update erases unless it says it: carried by each update where it is mapped, held at an adoption where it is not."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import pytest
from core_targets import MAP, NOW, SPECS, account, person, policy

from syncd.core.decide import Case, Decision, decide
from syncd.core.evidence import Evidence
from syncd.core.matching import Match
from syncd.core.policy import Policy
from syncd.core.project import Holding, Person, project
from syncd.model import AttributeSpec, Capability, Kind, MapEntry, Mutability

NICK = AttributeSpec("nick", mutability=Mutability.WRITE_ONLY, limit=5, carried=False, volatile=True)
CAPABILITY = Capability({spec.name: spec for spec in (*SPECS, NICK)}, key="login", marker="meta.syncd")
MAPPED = (*MAP, MapEntry("nick", "name", "department"))
EVIDENCE = Evidence(NOW, ("people",))
FREE = Match(7, "u7", "email")


def rules(attributes: tuple[MapEntry, ...] = MAPPED, **more: Any) -> Policy:
    return policy(CAPABILITY, attributes=attributes, **more)


def decided(rules: Policy, who: Person, document: dict[str, Any] | None, **more: Any) -> Decision:
    holding = None if document is None else Holding(document)
    (decision,) = decide(rules, Case(project(rules, who, holding, NOW), holding is not None, **more), EVIDENCE)
    return decision


def adoption(rules: Policy, who: Person, document: dict[str, Any], found: Match = FREE) -> Decision:
    return decided(rules, who, None, match=found, adopted=project(rules, who, Holding(document), NOW))


def standing(rules: Policy, who: Person) -> dict[str, Any]:
    return {name: value for name, value in account(rules, who).items() if name != "nick"}


@pytest.mark.parametrize("more", [{}, {"on_create": True}])
def test_each_update_carries_it_though_it_did_not_change(more: dict[str, bool]) -> None:
    one, who = rules((*MAP, MapEntry("nick", "name", "department", **more))), person(department="ann")
    decision = decided(one, who, {**standing(one, who), "name": "Bob"})
    assert (decision.kind, decision.reason) == (Kind.UPDATE, "name changed")
    assert dict(decision.delta) == {"name": ("Bob", "Ann"), "nick": (None, "ann")}
    decision = decided(one, person(), {**standing(one, person()), "name": "Bob"})
    assert dict(decision.delta) == {"name": ("Bob", "Ann")}, "to be erased is all that no value needs"


def test_alone_it_is_no_reason_to_write() -> None:
    one, who = rules(), person(department="ann")
    found = project(one, who, Holding(standing(one, who)), NOW)
    assert found.desired == found.actual
    adopted = adoption(one, who, standing(one, who))
    assert (adopted.kind, dict(adopted.delta), adopted.hold) == (Kind.ADOPT, {}, "")


def test_a_creation_says_it_like_any_other() -> None:
    assert decided(rules(), person(department="ann"), None).delta["nick"] == (None, "ann")
    assert "nick" not in decided(rules(), person(), None).delta


def test_a_disabling_carries_it_and_one_that_cannot_be_mapped_stops_no_disabling() -> None:
    one = rules(departed="disable", disabled={"meta.off": True})
    decision = decided(one, person("departed", department="ann"), standing(one, person()))
    assert (decision.kind, dict(decision.delta)) == (Kind.DISABLE, {"meta.off": (None, True), "nick": (None, "ann")})
    decision = decided(one, person("departed", department="too long"), standing(one, person()))
    assert (decision.kind, dict(decision.delta)) == (Kind.DISABLE, {"meta.off": (None, True)})
    decision = decided(rules(departed="delete", disabled={}), person("departed", department="ann"), standing(one, person()))
    assert dict(decision.delta) == {}


def test_what_cannot_be_mapped_rejects_the_update() -> None:
    one = rules()
    found = project(one, person(department="too long"), Holding({**standing(one, person()), "name": "Bob"}), NOW)
    assert (found.state, found.reason) == ("rejected", "nick: 8 characters, the limit is 5")


def test_a_value_carried_along_is_no_fight() -> None:
    one, who = rules(), person(department="ann")
    lately = [{"nick": "ann", "name": "Old"}] * 5
    assert decided(one, who, {**standing(one, who), "name": "Bob"}, lately=lately).hold == ""


def test_where_it_is_not_mapped_the_first_write_to_an_adopted_account_waits() -> None:
    one, who = rules(MAP), person()
    theirs = {**account(one, who), "name": "Bob"}
    decision = adoption(one, who, theirs)
    assert (decision.kind, decision.hold) == (Kind.ADOPT, "erases")
    assert decision.held == "writing to account u7 may erase its nick, which no answer shows"
    assert dict(decision.delta) == {"name": ("Bob", "Ann")}
    assert adoption(one, who, account(one, who)).hold == "", "nothing is written"
    assert adoption(one, who, theirs, replace(FREE, ours=True)).hold == "", "it was written before"
    assert decided(one, who, theirs).hold == "", "owned: its first write is behind it"


def test_another_reason_to_wait_comes_first_and_says_this_too() -> None:
    one, who = rules(MAP), person()
    decision = adoption(one, who, {"name": "Bob"}, replace(FREE, hold="untrusted", text="why"))
    assert (decision.hold, decision.held) == ("untrusted", "why; writing to account u7 may erase its nick, which no answer shows")


def test_where_it_is_mapped_an_adoption_carries_it_and_waits_for_nobody() -> None:
    one, who = rules(), person(department="ann")
    decision = adoption(one, who, {**standing(one, who), "name": "Bob"})
    assert (decision.hold, dict(decision.delta)) == ("", {"name": ("Bob", "Ann"), "nick": (None, "ann")})


@pytest.mark.parametrize(("value", "fits"), [("é" * 3, True), ("é" * 4, False), ("abcdef", True), ("abcdefg", False)])
def test_a_limit_may_count_bytes(value: str, fits: bool) -> None:
    spec = AttributeSpec("name", limit=6, in_bytes=True)
    one = policy(Capability({"name": spec}), attributes=(MapEntry("name", "name", "displayName"),))
    found = project(one, person(displayName=value), None, NOW)
    assert found.state == ("live" if fits else "rejected")
    assert fits or found.reason == f"name: {len(value.encode())} bytes, the limit is 6"
