"""One out-of-step link, and what is to be done about it."""

from __future__ import annotations

from dataclasses import replace
from datetime import timedelta
from typing import Any

import pytest
from core_targets import DAY, NOW, PLAIN, account, holdings, person, persons, policies, policy
from hypothesis import given
from hypothesis import strategies as st

from syncd.core.decide import Case, Decision, decide
from syncd.core.evidence import Evidence
from syncd.core.mapping import delta
from syncd.core.matching import Conflict, Match
from syncd.core.policy import Policy
from syncd.core.project import Holding, Person, project
from syncd.model import LEAVING, Kind

EVIDENCE = Evidence(NOW, ("people",))
FREE = Match(7, "u7", "email")


def case(rules: Policy, who: Person, document: dict[str, Any] | None, **more: Any) -> Case:
    holding = None if document is None else Holding(document)
    return Case(project(rules, who, holding, NOW), holding is not None, **more)


def single(decisions: tuple[Decision, ...]) -> Decision:
    (decision,) = decisions
    return decision


@given(rules=policies, who=persons, holding=st.none() | holdings, drifted=st.booleans(), collides=st.sampled_from(["", "two people"]))
def test_nobody_leaves_without_evidence_and_every_leaver_carries_it(
    rules: Policy, who: Person, holding: Holding | None, drifted: bool, collides: str
) -> None:
    """Whatever is out of step; the deletion that makes room for a replacement is no leaver's, and is always held."""
    found = project(rules, who, holding, NOW)
    if found.desired == found.actual:
        return
    one = Case(found, holding is not None, drifted=drifted, collides=collides)
    for decision in decide(rules, one, None):
        assert found.event is None
        assert decision.kind not in LEAVING or decision.hold == "key"
    decisions = decide(rules, one, EVIDENCE)
    assert decisions
    for decision in decisions:
        assert (decision.evidence_at == NOW) == (found.event is not None)
        assert (decision.kind in LEAVING) == (found.event is not None) or decision.hold == "key"
        assert (decision.kind is Kind.CREATE) <= (holding is None or decision.replaces)
        assert bool(decision.hold) == (decision.held is not None)
        assert decision.reason or decision.hold == "collision"


@given(rules=policies, who=persons, holding=holdings)
def test_an_update_or_disable_is_the_difference_and_nothing_else(rules: Policy, who: Person, holding: Holding) -> None:
    found = project(rules, who, holding, NOW)
    if found.desired == found.actual or found.wanted is None or found.found is None:
        return
    for decision in decide(rules, Case(found, True), EVIDENCE):
        expected = delta(found.found, found.wanted)
        if decision.hold == "key":
            assert "login" not in decision.delta
            assert decision.kind is not Kind.UPDATE or decision.delta == {path: pair for path, pair in expected.items() if path != "login"}
        else:
            assert decision.delta == expected != {}


def test_a_newcomer_is_created_with_every_value_there_is() -> None:
    decision = single(decide(policy(), case(policy(), person(), None), None))
    assert (decision.kind, decision.reason, decision.hold, decision.counted) == (Kind.CREATE, "new", "", True)
    assert dict(decision.delta) == {
        "active": (None, True), "login": (None, "ann"), "name": (None, "Ann"),
        "meta.syncd": (None, "default:00000000-0000-5000-8000-000000000001"),
    }  # fmt: skip


def test_a_free_account_is_adopted_with_what_differs() -> None:
    rules, who = policy(), person()
    theirs = {**account(rules, who), "name": "Bob"}
    adopted = project(rules, who, Holding(theirs), NOW)
    decision = single(decide(rules, case(rules, who, None, match=FREE, adopted=adopted), None))
    assert (decision.kind, decision.reason, decision.hold, decision.held) == (Kind.ADOPT, "matches by email", "", None)
    assert (dict(decision.delta), decision.counted) == ({"name": ("Bob", "Ann")}, True)


def test_an_adoption_that_writes_nothing_counts_for_no_limit() -> None:
    rules, who = policy(), person()
    adopted = project(rules, who, Holding(account(rules, who)), NOW)
    decision = single(decide(rules, case(rules, who, None, match=FREE, adopted=adopted), None))
    assert (decision.kind, dict(decision.delta), decision.counted) == (Kind.ADOPT, {}, False)


def test_an_adoption_never_asks_for_a_key_that_only_a_create_can_set() -> None:
    rules, who = policy(on_key_change="replace"), person()
    adopted = project(rules, who, Holding({**account(rules, who), "login": "eve", "name": "Eve"}), NOW)
    decision = single(decide(rules, case(rules, who, None, match=FREE, adopted=adopted), None))
    assert dict(decision.delta) == {"name": ("Eve", "Ann")}


@pytest.mark.parametrize("hold", ["untrusted", "rehire", "contradicted"])
def test_a_doubtful_match_is_an_adoption_that_waits(hold: str) -> None:
    found = replace(FREE, hold=hold, text="why")
    decision = single(decide(policy(), case(policy(), person(), None, match=found), None))
    assert (decision.kind, decision.hold, decision.held) == (Kind.ADOPT, hold, "why")


def test_adopt_never_holds_every_adoption_but_of_what_was_ours() -> None:
    rules = policy(adopt="never")
    decision = single(decide(rules, case(rules, person(), None, match=FREE), None))
    assert (decision.kind, decision.hold, decision.held) == (Kind.ADOPT, "never", "account u7 matches by email, and adopt is never")
    ours = single(decide(rules, case(rules, person(), None, match=replace(FREE, ours=True)), None))
    assert (ours.kind, ours.hold, ours.held) == (Kind.ADOPT, "", None)


@pytest.mark.parametrize("collides", ["", "two want it"])
def test_a_conflict_is_a_creation_that_waits(collides: str) -> None:
    found = Conflict("taken", "belongs to another")
    decision = single(decide(policy(), case(policy(), person(), None, match=found, collides=collides), None))
    assert (decision.kind, decision.hold, decision.held) == (Kind.CREATE, "taken", "belongs to another")


def test_a_key_that_two_people_want_freezes_both() -> None:
    rules, who = policy(), person()
    for match in (None, FREE):
        decision = single(decide(rules, case(rules, who, None, match=match, collides="two want it"), None))
        assert (decision.kind, decision.hold, decision.held) == (Kind.CREATE, "collision", "two want it")
    document = {**account(rules, who), "name": "Bob"}
    decision = single(decide(rules, case(rules, who, document, collides="two want it"), None))
    assert (decision.kind, decision.hold, decision.held) == (Kind.UPDATE, "collision", "two want it")


def test_an_update_names_what_changed() -> None:
    rules, who = policy(), person(email="A@x")
    document = {**account(rules, who), "name": "Bob", "email": "b@x"}
    decision = single(decide(rules, case(rules, who, document), None))
    assert (decision.kind, decision.reason, decision.hold) == (Kind.UPDATE, "email, name changed", "")
    assert dict(decision.delta) == {"email": ("b@x", "a@x"), "name": ("Bob", "Ann")}


@pytest.mark.parametrize(("document", "kind", "reason"), [
    (None, Kind.CREATE, "deleted outside syncd"), ({"login": "ann"}, Kind.UPDATE, "changed outside syncd"),
])  # fmt: skip
@pytest.mark.parametrize("drift", ["repair", "report"])
def test_drift_is_repaired_or_waits(drift: str, document: dict[str, Any] | None, kind: Kind, reason: str) -> None:
    rules = policy(drift=drift)
    decision = single(decide(rules, case(rules, person(), document, drifted=True), None))
    assert (decision.kind, decision.reason) == (kind, reason)
    assert (decision.hold, decision.held) == (("", None) if drift == "repair" else ("drift", f"{reason}; drift: report leaves it to you"))
    ordinary = single(decide(rules, case(rules, person(), document), None))
    assert ordinary.hold == ""


@pytest.mark.parametrize(("lately", "fights"), [
    ([], False), ([{"name": "Ann"}], False), ([{"name": "Ann"}, {"name": "Ann", "email": "x"}], True),
    ([{"name": "Ann"}, {"name": "Bob"}, {"email": "x"}], False), ([{"email": "Ann"}] * 3, False), ([{"name": "Ann"}] * 7, True),
])  # fmt: skip
@pytest.mark.parametrize("drift", ["repair", "report"])
def test_a_value_that_flips_a_third_time_is_left_alone(drift: str, lately: list[dict[str, Any]], fights: bool) -> None:
    rules, who = policy(drift=drift), person()
    document = {**account(rules, who), "name": "Bob"}
    decision = single(decide(rules, case(rules, who, document, lately=lately), None))
    assert (decision.kind, dict(decision.delta), decision.hold) == (Kind.UPDATE, {"name": ("Bob", "Ann")}, "fight" if fights else "")
    if fights:
        times = len(lately)
        assert decision.held == f"name was set to Ann {times} times in 24 h and is Bob again: somebody else writes it too"


def test_a_leaver_wins_over_drift_collisions_and_fights() -> None:
    rules = policy(departed="disable", drift="report")
    fought = [{"active": False}] * 3
    one = case(rules, person(live="departed"), account(rules, person()), drifted=True, collides="two want it", lately=fought)
    decision = single(decide(rules, one, EVIDENCE))
    assert (decision.kind, decision.hold, dict(decision.delta)) == (Kind.DISABLE, "", {"active": (True, False)})
    assert (decision.reason, decision.counted, decision.evidence_at) == ("departed", True, NOW)


def test_a_disabling_by_overlay_is_a_disabling() -> None:
    rules = policy(PLAIN, departed="disable", disabled={"meta.off": True})
    decision = single(decide(rules, case(rules, person(live="departed"), account(rules, person())), EVIDENCE))
    assert (decision.kind, dict(decision.delta)) == (Kind.DISABLE, {"meta.off": (None, True)})


@pytest.mark.parametrize("counted", [False, True])
def test_a_deletion_is_counted_unless_its_disabling_was(counted: bool) -> None:
    rules = policy(departed="delete", grace=DAY)
    holding = Holding({"login": "ann", "active": False}, state="grace", leaving_since=NOW - DAY, counted=counted)
    found = project(rules, person(live="departed"), holding, NOW)
    decision = single(decide(rules, Case(found, True), EVIDENCE))
    assert (decision.kind, dict(decision.delta), decision.counted) == (Kind.DELETE, {}, not counted)
    assert (decision.reason, decision.evidence_at) == ("departed", NOW)


@pytest.mark.parametrize("action", ["disable", "delete"])
def test_a_leaver_of_a_changed_configuration_waits(action: str) -> None:
    rules = policy(departed=action, grace=timedelta(0))
    holding = Holding(account(rules, person()))
    found = project(rules, person(live="departed"), holding, NOW, "config")
    decision = single(decide(rules, Case(found, True), EVIDENCE))
    assert (decision.hold, decision.held) == ("config", "the scope, map or sources changed: release the leavers you expect")


def test_a_key_change_asks_or_replaces_and_says_what_dies() -> None:
    who, document = person(userName="eve", displayName="Eve"), account(policy(), person())
    rules = policy(on_key_change="hold")
    decision = single(decide(rules, case(rules, who, document), None))
    told = "login changed from ann to eve, which the provider cannot do: release = "
    assert (decision.kind, dict(decision.delta), decision.hold) == (Kind.UPDATE, {"name": ("Ann", "Eve")}, "key")
    assert (decision.reason, decision.held) == ("login changed", told + "update the rest and keep ann")
    rules = policy(on_key_change="replace")
    dies, comes = decide(rules, case(rules, who, document), None)
    assert [(one.kind, one.hold, one.replaces, one.held) for one in (dies, comes)] == [
        (Kind.DELETE, "key", False, told + "delete account ann with all that hangs on it, and create eve"),
        (Kind.CREATE, "key", True, dies.held),
    ]
