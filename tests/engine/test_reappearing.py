"""Accounts that were said to be gone and are not: a false 404 leaves no orphan behind."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from datetime import timedelta
from functools import partial
from typing import Any

import pytest

from syncd.connectors.base import Connector
from syncd.connectors.memory import MemoryConnector
from syncd.model import Account, Kind, Step
from tests.engine.worlds import MakeWorld, established, mail, people, states, target, writes
from tests.world import LIMITS, World, person, planned

pytestmark = pytest.mark.anyio


class FalseGone(MemoryConnector):
    """Answers a delete as if the account were gone already."""

    async def perform(self, step: Step) -> Account | None:
        return None if step.change.kind is Kind.DELETE else await super().perform(step)


def without_marker(connector: Connector, **more: bool) -> Connector:
    """A provider that has no place for it."""
    if isinstance(connector, MemoryConnector):
        connector.capability = replace(connector.capability, marker=None, **more)
    return connector


async def left(make: MakeWorld, **options: object) -> World:
    """Person 1 left, and the provider said 404 to the delete although the account is there."""
    w = await established(make, *people(1, 2, 3), **options)
    w.memory = FalseGone
    w.write(people(2, 3))
    report, plan = await w.run()
    assert (planned(plan), report.converged) == ([("delete", mail(1), "")], True)
    assert w.account(mail(1))
    w.memory = MemoryConnector
    return w


async def test_a_leaver_whose_account_reappears_leaves_again(world: MakeWorld) -> None:
    w = await left(world)
    _, plan = await w.run()
    assert planned(plan) == [], "a lagging list may show it for a while"
    w.clock.pass_time(timedelta(minutes=1))
    _, plan = await w.run()
    assert [(row.kind, row.who, bool(row.evidence_at)) for row in plan.changes()] == [("delete", mail(1), True)]
    assert len(w.directory.accounts) == 2
    w.clock.pass_time(timedelta(minutes=1))
    report, plan = await w.run()
    assert (planned(plan), report.converged, w.verify()) == ([], True, [])


async def test_it_counts_like_any_other_leaver(world: MakeWorld) -> None:
    w = await left(world, limits=LIMITS)
    w.clock.pass_time(timedelta(minutes=1))
    w.write(people(3))
    _, plan = await w.run()
    assert planned(plan) == [("delete", mail(1), "limit"), ("delete", mail(2), "limit")]


async def test_who_is_entitled_again_gets_the_account_back(world: MakeWorld) -> None:
    w = await left(world)
    w.clock.pass_time(timedelta(minutes=1))
    w.write([person(1, title="Chef"), *people(2, 3)])
    before = writes(w)
    report, plan = await w.run()
    assert (planned(plan), report.converged, states(w)[mail(1)]) == ([("update", mail(1), "")], True, "live")
    assert writes(w)[len(before) :] == [("update", mail(1))]


async def test_an_account_falsely_proven_gone_is_not_doubled(world: MakeWorld) -> None:
    w = await established(world, *people(1, 2), target=target("delete", drift="report"))
    (id,) = (id for id, one in w.directory.accounts.items() if one["userName"] == mail(1))
    account = w.directory.accounts.pop(id)
    await w.run()
    assert w.pending() == [("held", "drift", mail(1))]
    w.directory.accounts[id] = account
    report, plan = await w.run()
    assert (planned(plan), report.converged, states(w)[mail(1)]) == ([], True, "live")


async def test_somebody_elses_account_under_the_same_id_is_not_ours(world: MakeWorld) -> None:
    """Made by hand after the deletion: it does not bear our marker."""
    w = await left(world)
    w.account(mail(1)).pop("meta")
    w.clock.pass_time(timedelta(minutes=1))
    for _ in range(2):
        report, plan = await w.run()
        assert (planned(plan), report.converged) == ([], True)
    assert w.account(mail(1))


@pytest.mark.parametrize(
    ("adapt", "again"),
    [(without_marker, [("delete", mail(1), "")]), (partial(without_marker, own_ids=True), [])],
    ids=["the provider chooses ids", "we do"],
)
async def test_without_markers_an_id_that_only_the_provider_gives_is_proof(
    world: MakeWorld, adapt: Callable[[Connector], Connector], again: list[Any]
) -> None:
    w = await left(world, adapt=adapt)
    w.clock.pass_time(timedelta(minutes=1))
    _, plan = await w.run()
    assert planned(plan) == again


async def test_a_person_who_has_another_account_by_now_keeps_that(world: MakeWorld) -> None:
    w = await left(world)
    (id,) = (id for id, one in w.directory.accounts.items() if one["userName"] == mail(1))
    old = w.directory.accounts.pop(id)
    w.write(people(1, 2, 3))
    await w.run()
    w.clock.pass_time(timedelta(minutes=1))
    w.directory.accounts[id] = {**old, "userName": "old"}
    report, plan = await w.run()
    assert (planned(plan), report.converged, len(w.directory.accounts)) == ([], True, 4)
    assert w.directory.accounts[id] == {**old, "userName": "old"}
