"""What one identity should be at one target, by its laws."""

from __future__ import annotations

from dataclasses import replace
from datetime import timedelta

from core_targets import (
    BARE,
    DAY,
    HOUR,
    NOW,
    OVERLAY,
    PLAIN,
    SWITCH,
    account,
    applied,
    held,
    holdings,
    person,
    persons,
    policies,
    policy,
)  # fmt: skip
from hypothesis import given
from hypothesis import strategies as st

from syncd.core.entitlement import Event
from syncd.core.fingerprint import fingerprint
from syncd.core.policy import Policy
from syncd.core.project import Holding, Person, project

STATES = {"live", "disabled", "grace", "kept", "retained", "frozen", "leaving", "rejected"}


def leaver(who: Person) -> bool:
    return who.live == "departed" or who.attributes.get("active") is False


@given(rules=policies, who=persons, holding=st.none() | holdings)
def test_what_is_wanted_is_in_step_once_it_was_written(rules: Policy, who: Person, holding: Holding | None) -> None:
    """The fixpoint: an account that has what projection wanted wants nothing more."""
    found = project(rules, who, holding, NOW)
    assert found.state in STATES
    if found.desired is None or found.wanted is None:
        return
    document = applied(None if holding is None else holding.document, found.wanted)
    if holding is not None and holding.document is not None and document["login"] != holding.document["login"]:
        assert rules.target.on_key_change != "keep", "else nothing asks for what the provider cannot do"
        return
    after = held(holding or Holding({}), found, document, rules, who, wrote=True)
    again = project(rules, who, after, NOW)
    assert again.desired == again.actual is not None
    assert again.state == found.state


@given(rules=policies, who=persons, holding=st.none() | holdings)
def test_fingerprints_are_those_of_what_is_wanted_and_found(rules: Policy, who: Person, holding: Holding | None) -> None:
    found = project(rules, who, holding, NOW)
    if found.wanted is None:
        assert found.desired in (None, found.actual), "nothing is wanted: in step, or to be deleted"
    else:
        assert found.found is not None
        assert found.desired == fingerprint(found.wanted)
        assert found.actual == (None if holding is None else fingerprint(found.found))
        assert holding is None or found.wanted.keys() == found.found.keys()


@given(rules=policies, who=persons)
def test_without_an_account_only_who_is_entitled_is_wanted(rules: Policy, who: Person) -> None:
    found = project(rules, who, None, NOW)
    assert found.actual is None
    if found.desired is not None:
        assert (who.live, who.ignored, leaver(who)) == ("live", False, False)
        assert found.event is None


@given(rules=policies, who=persons, holding=holdings)
def test_what_cannot_be_judged_or_is_not_ours_stays_as_it_is(rules: Policy, who: Person, holding: Holding) -> None:
    found = project(rules, who, holding, NOW)
    if who.live == "frozen" or who.ignored or holding.ignored or not holding.owned:
        assert found.state == "frozen"
    if found.state in ("frozen", "rejected", "kept"):
        assert found.desired == found.actual == fingerprint(holding.document or {})
        assert found.reason


@given(rules=policies, who=persons, holding=holdings, later=st.sampled_from([timedelta(0), DAY, 30 * DAY]))
def test_an_inactive_person_is_never_deleted(rules: Policy, who: Person, holding: Holding, later: timedelta) -> None:
    who = replace(who, live="live", attributes={**who.attributes, "active": False})
    assert project(rules, who, holding, NOW + later).desired is not None


@given(rules=policies, who=persons, holding=holdings, retain=st.sampled_from(["organization", "int(title) > 0"]))
def test_who_is_retained_is_never_deleted_not_even_when_that_cannot_be_read(
    rules: Policy, who: Person, holding: Holding, retain: str
) -> None:
    rules = policy(rules.capability, disabled=dict(rules.target.disabled), out_of_scope="delete", departed="delete", retain=retain)
    who = replace(who, attributes={**who.attributes, "organization": "keep", "title": "many"})
    found = project(rules, who, holding, NOW + 30 * DAY)
    assert found.desired is not None
    if leaver(who) and found.state != "frozen":
        assert found.state in ("retained", "kept")


@given(rules=policies, who=persons, holding=holdings)
def test_only_who_is_proven_to_leave_has_an_event_and_only_delete_wants_nothing(rules: Policy, who: Person, holding: Holding) -> None:
    found = project(rules, who, holding, NOW)
    if found.desired is None:
        chosen = {Event.DEPARTED: rules.target.deprovision.departed, Event.OUT_OF_SCOPE: rules.target.deprovision.out_of_scope}
        assert found.event is not None
        assert chosen[found.event] == "delete"
        assert found.state == "leaving"
    if found.state in ("disabled", "grace", "leaving", "retained", "kept"):
        assert found.event is not None
    if found.state in ("live", "rejected"):
        assert found.event is None
        assert (found.leaving_since, found.counted, found.hold) == (None, False, ""), "whoever is back begins anew"


@given(
    capability=st.sampled_from([SWITCH, PLAIN, BARE]), days=st.integers(0, 5),
    steps=st.lists(st.sampled_from([HOUR, DAY, 2 * DAY]), max_size=8), drifts=st.sets(st.integers(0, 8)),
)  # fmt: skip
def test_nobody_is_deleted_before_the_grace_is_over_and_everybody_after(
    capability: object, days: int, steps: list[timedelta], drifts: set[int]
) -> None:
    """A leaver is looked at now and then; each write takes; somebody enables the account again between some of the looks."""
    overlay = OVERLAY if capability is PLAIN else {}
    rules = policy(capability, disabled=overlay, departed="delete", grace=days * DAY)  # type: ignore[arg-type]
    who = person()
    live = account(rules, who)
    holding, began, now = Holding(live), None, NOW
    who = replace(who, live="departed")
    for number, step in enumerate([timedelta(0), *steps]):
        now += step
        if number in drifts:
            holding = replace(holding, document=live)
        found = project(rules, who, holding, now)
        over = began is not None and now >= began + days * DAY
        assert (found.desired is None) == (over or days == 0)
        if found.desired is None:
            assert found.state == "leaving"
            return
        wrote = found.desired != found.actual
        assert wrote == (rules.can_disable and holding.document == live)
        began = began or now
        document = applied(holding.document, found.wanted) if wrote and found.wanted else holding.document
        holding = held(holding, found, document, rules, who, wrote=wrote)
        found = project(rules, who, holding, now)
        assert (found.state, found.desired) == ("grace", found.actual)
        assert found.due == began + days * DAY
        holding = held(holding, found, document, rules, who, wrote=False)
    assert holding.counted == rules.can_disable
