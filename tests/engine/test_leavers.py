"""People leave: three events, three answers, and the passing of time."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta

import pytest

from tests.engine.worlds import (
    MakeWorld,
    mail,
    people,
    quiet,
    settle,
    states,
    target,
    writes,
)
from tests.world import person, planned

pytestmark = pytest.mark.anyio
SUPPORT = 'department == "Support"'


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
