"""Sessions that end with an account, and ids that are ours to choose."""

from __future__ import annotations

from dataclasses import replace

import pytest
from core_targets import MAP, NOW, SWITCH, person

from syncd.core.decide import Case, Decision, decide
from syncd.core.evidence import Evidence
from syncd.core.matching import Match
from syncd.core.policy import Policy
from syncd.core.project import Holding, project
from syncd.model import CANONICAL, Capability, Connection, Deprovision, Kind, Target

EVIDENCE = Evidence(NOW, ("people",))
ACCOUNT = {"login": "ann", "name": "left", "active": True}
SIGNED_IN = replace(SWITCH, revokes="sessions")


def policy(capability: Capability, **more: object) -> Policy:
    rules = Deprovision(inactive="disable", out_of_scope="disable", departed="delete")
    target = Target(attributes=MAP, deprovision=rules, **more)  # type: ignore[arg-type]
    return Policy(Connection("app", "x", {}, "app", write=target), capability, "prod", CANONICAL)


def arrival(rules: Policy, match: Match | None) -> Decision:
    found = project(rules, person(), None, NOW)
    over = None if match is None else project(rules, person(), Holding(ACCOUNT), NOW)
    (decision,) = decide(rules, Case(found, False, match, over), None)
    return decision


@pytest.mark.parametrize("live", ["live", "departed"])
@pytest.mark.parametrize(("capability", "revoke", "ends"), [(SIGNED_IN, True, True), (SIGNED_IN, False, False), (SWITCH, True, False)])
def test_who_leaves_loses_their_sessions_where_there_are_any_unless_told_otherwise(
    live: str, capability: Capability, revoke: bool, ends: bool
) -> None:
    rules = policy(capability, revoke=revoke)
    leaver = replace(person(), live=live, attributes={**person().attributes, "active": False})
    (decision,) = decide(rules, Case(project(rules, leaver, Holding(ACCOUNT), NOW), True), EVIDENCE)
    assert decision.kind in (Kind.DISABLE, Kind.DELETE) and decision.revoke is ends


def test_only_an_adoption_by_an_untrusted_key_ends_sessions_and_says_so() -> None:
    rules = policy(SIGNED_IN)
    untrusted = arrival(rules, Match(7, "u7", "email", "untrusted", "account u7 matches by email"))
    assert untrusted.revoke and untrusted.held == "account u7 matches by email; release = adopt it and end its sessions"
    quiet = arrival(policy(SIGNED_IN, revoke=False), Match(7, "u7", "email", "untrusted", "account u7 matches by email"))
    assert not quiet.revoke and quiet.held == "account u7 matches by email"
    for match in (Match(7, "u7", "email"), Match(7, "u7", "email", "rehire", "was a leaver's"), None):
        assert not arrival(rules, match).revoke


def test_where_ids_are_ours_to_choose_a_creation_chooses_the_identitys_and_nothing_else_names_it() -> None:
    chosen = policy(replace(SWITCH, key="name", own_ids=True))
    unmapped = Policy(
        Connection("app", "x", {}, "app", write=Target(attributes=())), replace(SWITCH, key="name", own_ids=True), "prod", CANONICAL
    )  # fmt: skip
    created = project(unmapped, person(), None, NOW)
    assert created.wanted is not None and created.wanted["name"] == created.key == person().id
    linked = project(unmapped, person(), Holding(ACCOUNT), NOW)
    assert linked.wanted is not None and "name" not in linked.wanted
    mapped = project(chosen, person(), None, NOW)
    assert mapped.wanted is not None and mapped.wanted["name"] == person().attributes["displayName"], "what the map says goes before"
