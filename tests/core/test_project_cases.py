"""What one identity should be at one target, case by case."""

from __future__ import annotations

from dataclasses import replace
from datetime import timedelta
from typing import Any

import pytest
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
    person,
    policy,
)  # fmt: skip

from syncd.core.entitlement import Event
from syncd.core.project import NOTHING, Holding, Person, project
from syncd.model import Capability, MapEntry


def test_a_disabling_that_never_took_starts_no_clock() -> None:
    rules = policy(departed="delete", grace=DAY)
    who = person()
    holding = Holding(account(rules, who), state="grace")
    found = project(rules, replace(who, live="departed"), holding, NOW + 30 * DAY)
    assert (found.state, found.due, found.leaving_since, found.wanted) == ("grace", None, None, {"active": False})


def test_who_departed_has_left_whatever_the_scope_would_say() -> None:
    rules = policy(scope="int(title) > 0", departed="disable")
    found = project(rules, person("departed", title="many"), Holding({"login": "ann"}), NOW)
    assert (found.event, found.state) == (Event.DEPARTED, "disabled")


@pytest.mark.parametrize(
    ("capability", "rules", "state"),
    [
        (SWITCH, {"departed": "disable"}, "disabled"), (SWITCH, {"departed": "keep"}, "kept"),
        (SWITCH, {"departed": "delete", "retain": "title"}, "retained"), (BARE, {"departed": "delete", "retain": "title"}, "retained"),
    ],
)  # fmt: skip
def test_who_may_stay_for_good_has_no_grace(capability: Capability, rules: dict[str, Any], state: str) -> None:
    """A grace that had begun under other rules is forgotten."""
    holding = Holding({"login": "ann"}, state="grace", leaving_since=NOW - DAY, counted=True)
    found = project(policy(capability, **rules), person("departed", title="x"), holding, NOW)
    assert (found.state, found.reason, found.leaving_since, found.counted, found.due) == (state, "departed", None, False, None)
    assert (found.wanted == {"active": False}) == (capability is SWITCH and state != "kept")


def test_what_we_put_beside_others_goes_with_us_and_what_they_put_there_stays() -> None:
    rules = policy()
    holding = Holding({"login": "ann", "labels": ["a", "b", "theirs"]}, written={"labels": ["a", "b"]})
    found = project(rules, person(roles=["b"]), holding, NOW)
    assert found.wanted is not None
    assert found.wanted["labels"] == ["b", "theirs"]


def test_a_key_that_is_only_set_once_is_never_compared() -> None:
    once = (MapEntry("login", "name", "userName", on_create=True),)
    found = project(policy(attributes=once), person(userName="eve"), Holding({"login": "ann"}), NOW)
    assert found.wanted is not None
    assert ("login" in found.wanted, found.reason) == (False, "")


def test_who_was_disabled_before_leaving_waits_too_and_is_counted_at_the_end() -> None:
    rules = policy(departed="delete", grace=DAY, inactive="disable")
    who = person(live="departed")
    holding = Holding({**account(rules, person()), "active": False}, state="disabled")
    found = project(rules, who, holding, NOW)
    assert (found.state, found.desired, found.due, found.counted) == ("grace", found.actual, NOW + DAY, False)
    last = project(rules, who, held(holding, found, holding.document, rules, who, wrote=False), NOW + DAY)
    assert (last.desired, last.state, last.counted) == (None, "leaving", False)


def test_who_comes_back_is_enabled_and_nothing_is_left_of_the_overlay() -> None:
    for rules in (policy(), policy(PLAIN, disabled=OVERLAY)):
        who = person(title="Chef")
        live = account(rules, who)
        found = project(rules, replace(who, live="departed"), Holding(live), NOW)
        assert found.state == "kept"
        rules = policy(rules.capability, disabled=dict(rules.target.disabled), departed="disable")
        found = project(rules, replace(who, live="departed"), Holding(live), NOW)
        disabled = applied(live, found.wanted or {})
        assert disabled != live
        back = project(rules, who, Holding(disabled, state="disabled"), NOW)
        assert applied(disabled, back.wanted or {}) == live
        assert (back.state, back.event) == ("live", None)


def test_what_somebody_else_wrote_where_the_overlay_stands_is_left_alone() -> None:
    """Only our own literal is taken back, not what looks like it: 1 is not true."""
    rules = policy(PLAIN, disabled={"meta.off": True}, departed="disable")
    who = person()
    live = account(rules, who)
    for theirs in (1, "true", False):
        found = project(rules, who, Holding({**live, "meta": {**live["meta"], "off": theirs}}), NOW)
        assert found.desired == found.actual
    found = project(rules, who, Holding({**live, "meta": {**live["meta"], "off": True}}), NOW)
    assert found.wanted is not None
    assert (found.wanted["meta.off"], found.desired == found.actual) == (None, False)


def test_every_account_of_ours_carries_the_marker_and_is_switched_on() -> None:
    found = project(policy(), person(), None, NOW)
    assert found.wanted is not None
    assert (found.wanted["meta.syncd"], found.wanted["active"]) == ("default:00000000-0000-5000-8000-000000000001", True)
    assert (found.state, found.reason, found.key) == ("live", "new", "ann")
    bare = project(policy(BARE), person(), None, NOW)
    assert bare.wanted is not None
    assert not bare.wanted.keys() & {"meta.syncd", "active"}


def test_a_switch_that_is_mapped_keeps_its_map() -> None:
    rules = policy(attributes=(MapEntry("login", "name", "userName"), MapEntry("active", "expr", 'title != "locked"')))
    found = project(rules, person(title="locked"), None, NOW)
    assert found.wanted is not None
    assert found.wanted["active"] is False


def test_what_cannot_be_read_back_is_written_once_and_not_compared() -> None:
    rules, who = policy(), person(phone="1234")
    new = project(rules, who, None, NOW)
    assert new.wanted is not None
    assert new.wanted["pin"] == "1234"
    found = project(rules, who, Holding(account(rules, who)), NOW)
    assert found.wanted is not None
    assert "pin" not in found.wanted
    assert (found.desired, found.reason) == (found.actual, "")


@pytest.mark.parametrize("holding", [None, Holding({"login": "ann"}, state="grace", leaving_since=NOW, counted=True, hold="config")])
def test_what_cannot_be_mapped_is_rejected_with_the_reason_and_begins_anew(holding: Holding | None) -> None:
    for who, why in ((person(displayName="much too long a name"), "name: 20 characters"), (person(title="x" * 400), "meta: ")):
        found = project(policy(), who, holding, NOW)
        assert found.state == "rejected"
        assert found.reason.startswith(why)
        assert found.desired == found.actual
        assert (found.leaving_since, found.counted, found.hold) == (None, False, "")


def test_a_scope_without_an_answer_freezes_where_the_person_stands() -> None:
    rules = policy(scope="int(title) > 0", out_of_scope="delete", grace=timedelta(0))
    holding = Holding({"login": "ann"}, state="grace", leaving_since=NOW, counted=True, hold="config")
    found = project(rules, person(title="many"), holding, NOW)
    assert (found.state, found.leaving_since, found.counted, found.hold) == ("frozen", NOW, True, "config")
    assert found.reason.startswith("scope: ")
    assert found.event is None
    assert project(rules, person(title="many"), None, NOW).state == "frozen"


@pytest.mark.parametrize(("why", "holding", "who"), [
    ("its source is no longer read", Holding({}), Person("p", {}, "frozen")),
    ("on the ignore list", Holding({}), Person("p", {}, "live", ignored=True)),
    ("on the ignore list", Holding({}, ignored=True), Person("p", {})),
    ("not owned by syncd", Holding({}, owned=False), Person("p", {}, "departed")),
    ("its account has not been read yet", Holding(None), Person("p", {})),
    ("its account has not been read yet", Holding(None), Person("p", {}, "departed")),
])  # fmt: skip
def test_why_somebody_is_frozen(why: str, holding: Holding, who: Person) -> None:
    found = project(policy(departed="delete", grace=timedelta(0)), who, holding, NOW)
    assert (found.state, found.reason) == ("frozen", why)
    if why.startswith(("its source", "on the ignore list")) and not holding.ignored:
        assert project(policy(), who, None, NOW) is NOTHING


def test_passing_time_alone_is_known_in_advance() -> None:
    who = replace(person(), starts=NOW, ends=NOW + DAY)
    found = project(policy(inactive="disable"), who, None, NOW)
    assert (found.due, found.state) == (NOW + DAY, "live")
    assert project(policy(), who, None, NOW - HOUR) == replace(NOTHING, event=Event.INACTIVE)
    ended = project(policy(inactive="disable"), who, Holding({"login": "ann"}), NOW + DAY)
    assert (ended.state, ended.event, ended.reason) == ("disabled", Event.INACTIVE, "inactive")


# ---- a key that the provider cannot change ----


@pytest.mark.parametrize(("on_key_change", "email"), [("keep", "old@x.co"), ("hold", "new@x.co"), ("replace", "new@x.co")])
def test_what_lies_within_a_kept_key_stays_too(on_key_change: str, email: str) -> None:
    specs = {**SWITCH.attributes, "email": replace(SWITCH.attributes["email"], within="login")}
    rules = policy(replace(SWITCH, attributes=specs), on_key_change=on_key_change)
    who = person(email="new@x.co", displayName="Anna")
    for login, wanted in (("eve", email), ("ann", "new@x.co")):
        found = project(rules, who, Holding({"login": login, "name": "Ann", "email": "old@x.co"}), NOW)
        assert found.wanted is not None
        assert (found.wanted["email"], found.wanted["name"]) == (wanted, "Anna")


@pytest.mark.parametrize(("on_key_change", "wanted", "in_step"), [("keep", "ann", True), ("hold", "eve", False), ("replace", "eve", False)])
def test_a_key_change_is_kept_or_left_for_the_decision(on_key_change: str, wanted: str, in_step: bool) -> None:
    rules = policy(on_key_change=on_key_change)
    found = project(rules, person(userName="eve"), Holding(account(rules, person())), NOW)
    assert found.wanted is not None
    assert (found.wanted["login"], found.desired == found.actual, found.key) == (wanted, in_step, "eve")
    assert found.reason == ("login stays as it is: the provider cannot change it" if in_step else "")


# ---- leavers that a changed configuration causes ----


@pytest.mark.parametrize(
    ("before", "action", "grace", "fresh"),
    [
        ("live", "disable", 0, True), ("live", "delete", 1, True), ("live", "delete", 0, True), ("live", "keep", 0, False),
        ("kept", "disable", 0, True), ("rejected", "delete", 1, True), ("disabled", "disable", 0, False), ("retained", "disable", 0, False),
        ("disabled", "delete", 1, True), ("retained", "delete", 0, True), ("grace", "delete", 0, True), ("grace", "delete", 1, False),
        ("grace", "disable", 0, False), ("leaving", "delete", 0, False),
    ],
)  # fmt: skip
@pytest.mark.parametrize("capability", [SWITCH, BARE])
def test_who_goes_a_stage_further_under_changed_rules_is_held(
    before: str, action: str, grace: int, fresh: bool, capability: object
) -> None:
    rules = policy(capability, departed=action, grace=grace * DAY)  # type: ignore[arg-type]
    holding = Holding(account(rules, person()), state=before)
    who = person(live="departed")
    assert project(rules, who, holding, NOW, "config").hold == ("config" if fresh else "")
    assert project(rules, who, holding, NOW).hold == ""
    assert project(rules, who, replace(holding, hold="config"), NOW).hold == "config", "until it is released"
    assert project(rules, who, replace(holding, hold="other"), NOW, "config").hold == "other"
