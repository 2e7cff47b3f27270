"""People come back: to the same account, to a new one, or as somebody else who only looks the same."""

from __future__ import annotations

from datetime import timedelta
from typing import Any

import pytest

from syncd.engine.planning import Plan
from tests.engine.worlds import (
    MakeWorld,
    established,
    mail,
    people,
    quiet,
    settle,
    target,
)
from tests.world import LIMITS, World, person, planned

pytestmark = pytest.mark.anyio


async def test_entitled_again_before_deletion_is_the_same_account_enabled_again(world: MakeWorld) -> None:
    w = world(target=target("delete", grace=timedelta(days=7)))
    await settle(w, person(1, title="Chef"), person(2))
    before = dict(w.directory.accounts)
    w.write(people(2))
    await w.run()
    w.clock.pass_time(timedelta(days=3))
    await settle(w, person(1, title="Chef"), person(2))
    assert w.directory.accounts == before
    w.clock.pass_time(timedelta(days=30))
    _, plan = await w.run()
    assert planned(plan) == []
    assert not w.verify()


async def test_the_overlay_is_written_and_taken_back(world: MakeWorld) -> None:
    """A mapped attribute gets its mapped value back, an unmapped member is removed, others' members stay."""
    rules = target("disable", disabled={"title": "left", "meta.frozen": True})
    w = world(target=rules, switch=False)
    await settle(w, person(1, title="Chef"), person(2))
    w.account(mail(1))["meta"]["theirs"] = 7
    before = {**w.account(mail(1)), "meta": dict(w.account(mail(1))["meta"])}
    w.write(people(2))
    await w.run()
    assert w.account(mail(1)) == {**before, "title": "left", "meta": {**before["meta"], "frozen": True}}
    await settle(w, person(1, title="Chef"), person(2))
    assert w.account(mail(1)) == before


async def test_taking_back_the_overlay_is_no_loss_of_a_value(world: MakeWorld) -> None:
    """Many people come back at once: their `disabled` members go, which the limit on clearing does not count."""
    w = world(target=target("disable", disabled={"meta.frozen": True}), switch=False, limits={"clear": LIMITS["clear"]})
    await settle(w, *people(1, 2, 3, 4))
    w.write(people(4))
    await w.run()
    w.write(people(1, 2, 3, 4))
    report, _ = await w.run()
    assert report.converged


async def test_entitled_again_after_deletion_is_a_new_account_of_the_same_identity(world: MakeWorld) -> None:
    w = world(target=target("delete"))
    await settle(w, *people(1, 2))
    before = w.account(mail(1))
    w.write(people(2))
    await w.run()
    w.clock.pass_time(timedelta(minutes=1))
    w.write(people(1, 2))
    _, plan = await w.run()
    assert [(row.kind, row.reason) for row in plan.changes()] == [("create", "new")]
    assert w.account(mail(1)) == before, "the marker names the same identity"
    assert not w.verify()


async def test_a_person_who_comes_back_under_another_name_is_known_by_the_source_account(world: MakeWorld) -> None:
    w = world(target=target("disable", attributes={"displayName": "displayName"}))
    await settle(w, person(1, title="Chef"), person(2))
    w.write(people(2))
    await w.run()
    w.write([person(1, name="Somebody Else", title="Cook"), person(2)])
    report, plan = await w.run()
    assert planned(plan) == [("update", mail(1), "")]
    assert report.converged
    assert (w.account(mail(1))["displayName"], w.account(mail(1))["active"]) == ("Somebody Else", True)


async def test_a_reused_user_name_of_a_departed_person_is_held_and_release_adopts(world: MakeWorld) -> None:
    w = world(target=target("disable"))
    await settle(w, *people(1, 2))
    marker = w.account(mail(1))["meta"]["syncd"]
    w.write(people(2))
    await w.run()
    w.write([{**person(1), "employeeNumber": "e9"}, person(2)])
    report, plan = await w.run()
    held = [(row.kind, row.hold, "rehire, or a reused address?" in row.held) for row in plan.changes()]
    assert held == [("adopt", "rehire", True)]
    assert (report.waiting, w.pending()) == (True, [("held", "rehire", mail(1))])
    w.release()
    report, _ = await w.run()
    assert report.converged
    assert len(w.directory.accounts) == 2
    assert w.account(mail(1))["meta"]["externalId"] == "e9"
    assert w.account(mail(1))["active"] is True
    assert w.account(mail(1))["meta"]["syncd"] != marker
    assert not w.verify()


async def test_a_reused_address_of_a_departed_person_is_held_too(world: MakeWorld) -> None:
    """Another userName, the same e-mail: nobody is doubled without a person's word."""
    w = world(target=target("disable"), read={"userName": "title"})
    await settle(w, person(1, title="ann"), person(2, title="bob"))
    w.write([person(2, title="bob")])
    await w.run()
    w.write([{**person(1, title="ann2"), "employeeNumber": "e9"}, person(2, title="bob")])
    _, plan = await w.run()
    assert planned(plan) == [("adopt", "ann2", "rehire")]
    assert len(w.directory.accounts) == 2


# ---- an account that is to be deleted, and asked about ----


async def reused(world: MakeWorld, **rules: Any) -> tuple[World, Plan]:
    """p1 leaves, and in the same run somebody arrives with the same userName."""
    w = await established(world, *people(1, 2), target=target("delete", **rules))
    w.write([{**person(1), "employeeNumber": "e9"}, person(2)])
    _, plan = await w.run()
    return w, plan


async def test_a_deletion_waits_while_it_is_asked_whether_somebody_is_rehired(world: MakeWorld) -> None:
    w, plan = await reused(world)
    assert planned(plan) == [("adopt", mail(1), "rehire"), ("delete", mail(1), "rehire")]
    assert len({row.held for row in plan.changes()}) == 1
    assert "rehire, or a reused address?" in next(iter(plan.changes())).held
    assert len(w.directory.accounts) == 2


async def test_whoever_is_rehired_keeps_the_account(world: MakeWorld) -> None:
    w, _ = await reused(world)
    before = set(w.directory.accounts)
    w.release()
    report, plan = await w.run()
    assert (planned(plan), report.converged) == ([("adopt", mail(1), "")], True)
    assert (set(w.directory.accounts), w.account(mail(1))["meta"]["externalId"]) == (before, "e9")
    report, plan = await w.run()
    assert (planned(plan), w.pending(), quiet(w), w.verify()) == ([], [], True, [])


async def test_a_reused_address_ends_the_old_account_and_the_newcomer_waits_for_a_word(world: MakeWorld) -> None:
    """Everything of that run is rejected: the no is about the adoption, the deletion was never asked about."""
    w, _ = await reused(world)
    w.reject()
    report, plan = await w.run()
    assert (planned(plan), report.converged, report.results[1].kept) == ([("delete", mail(1), "")], True, 1)
    report, plan = await w.run()
    assert (planned(plan), len(w.directory.accounts)) == ([], 1)
    w.take_back()
    report, plan = await w.run()
    assert (planned(plan), report.converged, len(w.directory.accounts)) == ([("create", mail(1), "")], True, 2)


async def test_a_deletion_released_before_the_question_arose_waits_too(world: MakeWorld) -> None:
    w = await established(world, *people(1, 2, 3), target=target("delete"), limits=LIMITS)
    w.write(people(2))
    await w.run()
    w.release()
    w.write([{**person(1), "employeeNumber": "e9"}, person(2)])
    _, plan = await w.run()
    assert planned(plan) == [("adopt", mail(1), "rehire"), ("delete", mail(1), "rehire"), ("delete", mail(3), "")]


async def test_a_disabling_does_not_wait(world: MakeWorld) -> None:
    w, plan = await reused(world, grace=timedelta(days=7))
    assert planned(plan) == [("adopt", mail(1), "rehire"), ("disable", mail(1), "")]
    assert w.account(mail(1))["active"] is False
