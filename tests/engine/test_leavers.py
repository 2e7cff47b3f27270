"""People leave: three events, three answers, and the way back."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta

import pytest

from syncd.store import links
from tests.engine.conftest import MakeWorld
from tests.engine.worlds import mail, people, states, target, writes
from tests.world import LIMITS, World, person, planned

pytestmark = pytest.mark.anyio
SUPPORT = 'department == "Support"'


async def settle(world: World, *rows: dict[str, str]) -> None:
    world.write(list(rows))
    report, _ = await world.run()
    assert report.converged


def quiet(world: World) -> bool:
    """Nothing waits for a person, nothing is out of step."""
    return not world.pending() and links.count_out_of_step(world.store, "app") == 0


EVENTS = {
    "inactive": ({}, [person(1, department="Support", active="no"), person(2, department="Support")]),
    "out_of_scope": ({"scope": SUPPORT}, [person(1, department="Sales"), person(2, department="Support")]),
    "departed": ({}, [person(2, department="Support")]),
}


@pytest.mark.parametrize("event", EVENTS)
async def test_a_leaver_is_disabled_and_keeps_all_other_attributes(world: MakeWorld, event: str) -> None:
    options, after = EVENTS[event]
    w = world(target=target(rules={event: "disable"}, **options))
    await settle(w, person(1, department="Support", phone="1"), person(2, department="Support"))
    before = w.account(mail(1))
    w.write(after)
    report, plan = await w.run()
    assert planned(plan) == [("disable", mail(1), "")]
    assert report.converged
    assert w.account(mail(1)) == {**before, "active": False}
    assert quiet(w)
    assert not w.verify()


@pytest.mark.parametrize("event", ["out_of_scope", "departed"])
async def test_a_leaver_is_deleted_in_the_same_cycle_without_grace(world: MakeWorld, event: str) -> None:
    options, after = EVENTS[event]
    w = world(target=target(rules={event: "delete"}, **options))
    await settle(w, person(1, department="Support"), person(2, department="Support"))
    w.write(after)
    report, plan = await w.run()
    assert planned(plan) == [("delete", mail(1), "")]
    assert report.converged
    assert [account["userName"] for account in w.directory.accounts.values()] == [mail(2)]
    assert quiet(w)
    assert not w.verify()


@pytest.mark.parametrize("event", EVENTS)
async def test_a_leaver_is_kept_untouched_and_counted(world: MakeWorld, event: str) -> None:
    options, after = EVENTS[event]
    w = world(target=target(rules={event: "keep"}, **options))
    await settle(w, person(1, department="Support"), person(2, department="Support"))
    before = w.account(mail(1))
    w.write(after)
    report, plan = await w.run()
    assert planned(plan) == []
    assert report.converged
    assert w.account(mail(1)) == before
    assert [(result.name, result.kept) for result in report.results] == [("people", 0), ("app", 1)]
    assert [(one.name, one.kept) for one in plan.connections] == [("people", 0), ("app", 1)]
    assert quiet(w)


async def test_an_inactive_person_is_never_deleted_whatever_else_ends(world: MakeWorld) -> None:
    w = world(target=target("delete", scope=SUPPORT))
    await settle(w, person(1, department="Support"), person(2, department="Support"))
    w.write([person(1, department="Sales", active="no"), person(2, department="Support")])
    await w.run()
    w.clock.pass_time(timedelta(days=400))
    report, _ = await w.run()
    assert report.converged
    assert w.account(mail(1))["active"] is False


async def test_an_inactive_person_is_kept_where_nothing_can_disable(world: MakeWorld) -> None:
    w = world(target=target("delete", rules={"inactive": "keep"}), switch=False)
    await settle(w, person(1), person(2))
    w.write([person(1, active="no"), person(2)])
    report, plan = await w.run()
    assert (planned(plan), report.converged, states(w)[mail(1)]) == ([], True, "kept")


async def test_time_alone_ends_an_entitlement_at_midnight_of_the_source(world: MakeWorld) -> None:
    """Paris leaves summer time on 2026-10-25: that day ends at 23:00 UTC, the day before at 22:00."""
    w = world(target=target("disable"), timezone="Europe/Paris")
    await settle(w, person(1, activeUntil="2026-10-24"), person(2, activeUntil="2026-10-25"))
    for moment, live in [
        (datetime(2026, 10, 24, 21, 59, tzinfo=UTC), {1: True, 2: True}),
        (datetime(2026, 10, 24, 22, 0, tzinfo=UTC), {1: False, 2: True}),
        (datetime(2026, 10, 25, 22, 59, tzinfo=UTC), {1: False, 2: True}),
        (datetime(2026, 10, 25, 23, 0, tzinfo=UTC), {1: False, 2: False}),
    ]:
        w.clock.at = moment
        await w.run()
        assert {number: w.account(mail(number))["active"] for number in live} == live, moment
        assert not w.verify()


async def test_time_alone_begins_an_entitlement(world: MakeWorld) -> None:
    w = world(target=target("disable"), timezone="Europe/Paris")
    w.write([person(1, activeFrom="2026-03-01"), person(2)])
    await w.run()
    assert len(w.directory.accounts) == 1
    w.clock.at = datetime(2026, 2, 28, 23, 0, tzinfo=UTC)
    _, plan = await w.run()
    assert planned(plan) == [("create", mail(1), "")]
    assert len(w.directory.accounts) == 2


async def test_grace_disables_now_and_deletes_later_without_counting_twice(world: MakeWorld) -> None:
    w = world(target=target("delete", grace=timedelta(days=7)))
    await settle(w, *people(1, 2, 3))
    left = w.clock.now()
    w.write(people(2, 3))
    report, plan = await w.run()
    assert (planned(plan), report.converged, states(w)[mail(1)]) == ([("disable", mail(1), "")], True, "grace")
    assert w.account(mail(1))["active"] is False
    assert quiet(w)
    w.clock.at = left + timedelta(days=7, seconds=-1)
    _, plan = await w.run()
    assert planned(plan) == []
    w.clock.at = left + timedelta(days=7)
    _, plan = await w.run()
    assert [(row.kind, row.counted, bool(row.evidence_at)) for row in plan.changes()] == [("delete", False, True)]
    assert len(w.directory.accounts) == 2


async def test_the_end_of_a_grace_passes_though_the_limit_of_the_day_is_used_up(world: MakeWorld) -> None:
    w = world(target=target("delete", grace=timedelta(days=7)), limits=LIMITS)
    await settle(w, *people(*range(1, 10)))
    w.write(people(*range(2, 10)))
    await w.run()
    w.clock.pass_time(timedelta(days=7))
    w.write(people(*range(4, 10)))
    _, plan = await w.run()
    assert planned(plan) == [("delete", mail(1), ""), ("disable", mail(2), "limit"), ("disable", mail(3), "limit")]
    assert mail(1) not in {account["userName"] for account in w.directory.accounts.values()}


async def test_the_end_of_a_grace_needs_no_second_release(world: MakeWorld) -> None:
    w = world(target=target("delete", grace=timedelta(days=7)), limits=LIMITS)
    await settle(w, *people(*range(1, 10)))
    w.write(people(*range(4, 10)))
    _, plan = await w.run()
    assert {code for _, _, code in planned(plan)} == {"limit"}
    w.release()
    await w.run()
    w.clock.pass_time(timedelta(days=7))
    report, plan = await w.run()
    assert planned(plan) == [("delete", mail(number), "") for number in (1, 2, 3)]
    assert report.converged
    assert len(w.directory.accounts) == 6


async def test_the_evidence_of_a_delete_is_that_of_the_day_it_is_sent(world: MakeWorld) -> None:
    w = world(target=target("delete", grace=timedelta(days=7)))
    await settle(w, *people(1, 2))
    w.write(people(2))
    await w.run()
    w.clock.pass_time(timedelta(days=7))
    w.people_file.write_text(w.people_file.read_text().rstrip("\n"))
    report, plan = await w.run()
    assert planned(plan) == []
    assert report.failed
    assert len(w.directory.accounts) == 2


async def test_where_nothing_can_disable_the_account_is_kept_until_its_grace_ends_then_deleted_and_counted(world: MakeWorld) -> None:
    w = world(target=target("delete", grace=timedelta(days=7), rules={"inactive": "keep"}), switch=False)
    await settle(w, *people(1, 2))
    before = w.account(mail(1))
    w.write(people(2))
    report, plan = await w.run()
    assert (planned(plan), report.converged, states(w)[mail(1)], w.account(mail(1))) == ([], True, "grace", before)
    w.clock.pass_time(timedelta(days=7))
    _, plan = await w.run()
    assert [(row.kind, row.counted) for row in plan.changes()] == [("delete", True)]
    assert len(w.directory.accounts) == 1


async def test_a_kept_account_that_may_be_deleted_after_all_starts_its_grace_anew(world: MakeWorld) -> None:
    """A leaver comes back before the grace ends and leaves again: the clock does not remember the first time."""
    w = world(target=target("delete", grace=timedelta(days=7)))
    await settle(w, *people(1, 2))
    w.write(people(2))
    await w.run()
    w.clock.pass_time(timedelta(days=6))
    w.write(people(1, 2))
    await w.run()
    w.write(people(2))
    await w.run()
    w.clock.pass_time(timedelta(days=6))
    _, plan = await w.run()
    assert planned(plan) == []
    assert len(w.directory.accounts) == 2


@pytest.mark.parametrize("rule", ["title", 'title != ""', 'title.matches("[")'])
async def test_retain_forbids_deletion_also_when_it_cannot_be_read(world: MakeWorld, rule: str) -> None:
    w = world(target=target("delete", retain=rule))
    await settle(w, person(1, title="litigation"), person(2))
    w.write(people(2))
    report, _ = await w.run()
    w.clock.pass_time(timedelta(days=30))
    await w.run()
    assert (w.account(mail(1))["active"], states(w)[mail(1)]) == (False, "retained")
    assert report.converged
    assert quiet(w)


async def test_retain_keeps_the_account_as_it_is_where_nothing_can_disable(world: MakeWorld) -> None:
    w = world(target=target("delete", retain="title", rules={"inactive": "keep"}), switch=False)
    await settle(w, person(1, title="litigation"), person(2))
    before = w.account(mail(1))
    w.write(people(2))
    _, plan = await w.run()
    assert (planned(plan), states(w)[mail(1)], w.account(mail(1))) == ([], "retained", before)


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


async def test_kept_retained_frozen_and_grace_are_states_not_work(world: MakeWorld) -> None:
    w = world(target=target(rules={"inactive": "disable", "out_of_scope": "keep", "departed": "delete"}, grace=timedelta(days=7),
                            scope='department != "Sales"', retain="title"))  # fmt: skip
    await settle(w, *people(1, 2), person(3, title="litigation"), person(4), person(5))
    w.write([person(1, department="Sales"), person(4), person(5)])
    w.ignore = (mail(4),)
    await w.run()
    assert sorted(w.pending()) == [("held", "config", mail(2)), ("held", "config", mail(3))]
    w.release()
    report, _ = await w.run()
    assert states(w) == {mail(1): "kept", mail(2): "grace", mail(3): "retained", mail(4): "frozen", mail(5): "live"}
    assert report.converged
    assert quiet(w)


async def test_a_scope_that_cannot_be_evaluated_freezes_that_person_with_the_reason(world: MakeWorld) -> None:
    w = world(target=target("delete", scope='int(title) > 0 || department == "x"'))
    await settle(w, person(1, title="1"), person(2, title="1"))
    w.write([person(1, title="many", phone="5"), person(2, title="1")])
    report, plan = await w.run()
    assert (planned(plan), report.converged, states(w)[mail(1)]) == ([], True, "frozen")
    reason = w.store.value("SELECT reason FROM link WHERE state = 'frozen'")
    assert reason.startswith("scope: ")


async def test_a_leaver_wins_over_drift_that_is_only_reported(world: MakeWorld) -> None:
    w = world(target=target("disable", drift="report"))
    await settle(w, *people(1, 2))
    w.write(people(2))
    await w.run()
    w.account(mail(1))["active"] = True
    _, plan = await w.run()
    assert planned(plan) == [("disable", mail(1), "")]
    assert w.account(mail(1))["active"] is False


async def test_somebody_without_an_account_leaves_without_a_trace(world: MakeWorld) -> None:
    w = world(target=target("delete", scope=SUPPORT))
    await settle(w, person(1), person(2, department="Support"))
    w.write([person(2, department="Support")])
    report, plan = await w.run()
    assert (planned(plan), report.converged, states(w)) == ([], True, {mail(2): "live"})
    assert [method for method, _ in writes(w)] == ["create"]
