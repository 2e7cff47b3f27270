"""Between leaving and deletion: the grace, what forbids the end of it, and what counts when."""

from __future__ import annotations

from datetime import timedelta

import pytest

from tests.engine.worlds import (
    MakeWorld,
    mail,
    people,
    quiet,
    settle,
    states,
    target,
)
from tests.world import LIMITS, person, planned

pytestmark = pytest.mark.anyio


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
