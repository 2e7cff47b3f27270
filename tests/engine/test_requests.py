"""Changes of several requests, and answers that do not show the account."""

from __future__ import annotations

from datetime import timedelta

import pytest

from syncd.connectors.memory import MemoryConnector
from syncd.errors import Retryable
from syncd.model import Change, Kind, Step
from tests.engine.worlds import (
    MakeWorld,
    creates,
    mail,
    people,
    target,
    writes,
)
from tests.world import World, person, planned

pytestmark = pytest.mark.anyio


class Mute(MemoryConnector):
    """Answers no write with the account, as some providers do; deletes in two requests."""

    def steps(self, change: Change) -> tuple[Step, ...]:
        steps = super().steps(change)
        if change.kind is Kind.DELETE:
            return (Step(change, 1, "update", "/sessions", {"title": None}, summary="end sessions"), Step(change, 2, "delete", "/accounts"))
        if change.kind is Kind.UPDATE:
            return tuple(Step(change, n, "update", "/accounts", {path: value}) for n, (path, value) in enumerate(steps[0].body.items(), 1))
        return steps

    async def perform(self, step: Step) -> None:
        await super().perform(step)


async def mute(world: MakeWorld) -> World:
    w = world(target=target("delete"), memory=Mute)
    w.write(people(1, 2))
    report, _ = await w.run()
    assert (report.converged, creates(w)) == (True, 2), "found by marker, as no answer names it"
    return w


async def test_where_a_write_is_answered_without_the_account_it_is_fetched(world: MakeWorld) -> None:
    w = await mute(world)
    w.write([person(1, phone="5", title="x"), person(2)])
    report, _ = await w.run()
    assert (report.converged, w.account(mail(1))["phone"], w.account(mail(1))["title"]) == (True, "5", "x")
    assert [method for method, _ in writes(w)] == ["create", "create", "update", "update"]
    w.directory.fail_next("fetch", Retryable("HTTP 503"))
    w.write([person(1, phone="6", title="x"), person(2)])
    report, _ = await w.run()
    assert report.failed
    report, plan = await w.run()
    assert (report.converged, planned(plan)) == (True, [])


async def test_an_account_that_is_gone_when_read_back_is_no_success(world: MakeWorld) -> None:
    w = await mute(world)

    class Vanishing(Mute):
        async def perform(self, step: Step) -> None:
            await super().perform(step)
            self.directory.accounts.pop(step.change.account or "", None)

    w.memory = Vanishing
    w.write([person(1, phone="5"), person(2)])
    report, _ = await w.run()
    assert report.failed
    w.memory = MemoryConnector
    w.clock.pass_time(timedelta(minutes=1))
    report, plan = await w.run()
    assert (planned(plan), report.converged) == ([("create", mail(1), "")], True)


async def test_a_change_of_several_requests_stops_at_the_first_that_fails_and_goes_on_where_it_was(world: MakeWorld) -> None:
    w = await mute(world)
    w.write([person(1, phone="5", title="x"), person(2)])
    w.directory.fail_next("update", Retryable("HTTP 503"), after=False)
    report, _ = await w.run()
    assert (report.failed, creates(w)) == (True, 2)
    w.write(people(2))
    report, _ = await w.run()
    assert (report.converged, len(w.directory.accounts)) == (True, 1)
    assert [method for method, _ in writes(w)][-2:] == ["update", "delete"]
    assert not w.verify()


async def test_a_delete_in_two_requests_loses_nobody_between_them(world: MakeWorld) -> None:
    w = await mute(world)
    w.write(people(2))
    w.directory.fail_next("delete", Retryable("HTTP 503"))
    report, _ = await w.run()
    assert (report.failed, len(w.directory.accounts)) == (True, 2)
    report, plan = await w.run()
    assert (planned(plan), report.converged) == ([("delete", mail(1), "")], True)
