"""Writes whose answer was lost: an account is made exactly once, whatever happened to the request."""

from __future__ import annotations

from dataclasses import replace
from datetime import timedelta
from typing import Any

import pytest

from syncd.connectors.memory import MemoryConnector
from syncd.errors import InDoubt, Quarantined, Rejected, Retryable, SyncdError
from syncd.model import Account, MapEntry, Step
from syncd.store import waiting
from tests.engine.worlds import (
    MakeWorld,
    creates,
    mail,
    people,
    target,
)
from tests.world import person, planned

pytestmark = pytest.mark.anyio
LOST = InDoubt("the connection broke after the request was sent")


async def test_a_create_that_was_done_is_found_and_settled_at_once(world: MakeWorld) -> None:
    w = world()
    w.write(people(1, 2))
    w.directory.fail_next("create", LOST, after=True)
    report, _ = await w.run()
    assert (report.converged, report.results[1].applied["create"], creates(w)) == (True, 2, 2)
    assert not w.verify()
    report, plan = await w.run()
    assert (report.converged, planned(plan)) == (True, [])


async def test_a_create_that_was_not_done_is_sent_again_only_after_a_complete_view_past_the_settle_window(world: MakeWorld) -> None:
    w = world(target=target(settle=timedelta(seconds=10)))
    w.write(people(1))
    w.directory.fail_next("create", LOST)
    report, _ = await w.run()
    assert (report.results[1].in_doubt, report.waiting, report.failed, report.results[1].held) == (1, True, False, 0)
    assert [(row.state, row.who) for row in waiting.listing(w.store)] == [("in_doubt", mail(1))]
    w.clock.pass_time(timedelta(seconds=9))
    report, plan = await w.run()
    assert (planned(plan), report.results[1].in_doubt) == ([], 1), "too early"
    w.clock.pass_time(timedelta(seconds=1))
    w.directory.add("x", userName="x")
    w.directory.add("y", userName="y")
    w.directory.cut = 1
    report, plan = await w.run()
    assert (planned(plan), report.results[1].in_doubt) == ([], 1), "not a complete view"
    w.directory.cut = None
    report, plan = await w.run()
    assert (planned(plan), report.converged, creates(w)) == ([("create", mail(1), "")], True, 1)
    assert not w.verify()


async def test_a_view_that_began_within_the_settle_window_is_not_believed(world: MakeWorld) -> None:
    w = world(target=target(settle=timedelta(seconds=10)))
    w.write(people(1))
    w.directory.fail_next("create", LOST)
    await w.run()
    w.clock.pass_time(timedelta(seconds=5))

    class Slow(MemoryConnector):
        async def list(self, *args: Any) -> Any:
            page = await super().list(*args)
            w.clock.pass_time(timedelta(seconds=20))
            return page

    w.memory = Slow
    report, plan = await w.run()
    assert (planned(plan), report.results[1].in_doubt) == ([], 1)


async def test_a_create_that_shows_up_late_is_settled_in_the_next_run(world: MakeWorld) -> None:
    w = world()
    w.write(people(1))
    w.directory.fail_next("create", LOST, after=True)
    w.directory.fail_next("find", Retryable("HTTP 503"))
    report, _ = await w.run()
    assert report.results[1].in_doubt == 1
    report, plan = await w.run()
    assert (report.converged, planned(plan), creates(w), waiting.listing(w.store)) == (True, [], 1, [])
    assert report.results[1].applied["create"] == 1, "by the run that found it"
    assert not w.verify()
    report, _ = await w.run()
    assert report.results[1].applied["create"] == 0


@pytest.mark.parametrize("silence", [Retryable("HTTP 503"), Rejected("HTTP 400"), InDoubt("lost")], ids=lambda error: type(error).__name__)
async def test_a_provider_that_cannot_be_asked_leaves_the_doubt(world: MakeWorld, silence: SyncdError) -> None:
    w = world(target=target(settle=timedelta(0)))
    w.write(people(1))
    w.directory.fail_next("create", LOST, after=True)
    w.directory.fail_next("find", silence)
    report, _ = await w.run()
    assert (report.results[1].in_doubt, creates(w)) == (1, 1)


@pytest.mark.parametrize("silence", [Retryable("HTTP 503"), Rejected("HTTP 400"), InDoubt("lost")], ids=lambda error: type(error).__name__)
async def test_no_answer_is_no_proof_of_absence_however_old_the_doubt(world: MakeWorld, silence: SyncdError) -> None:
    w = world()
    w.write(people(1))
    w.directory.fail_next("create", LOST)
    await w.run()
    w.clock.pass_time(timedelta(days=1))
    w.directory.fail_next("find", silence)
    report, plan = await w.run()
    assert (planned(plan), report.results[1].in_doubt, creates(w)) == ([], 1, 0)
    report, _ = await w.run()
    assert (report.converged, creates(w)) == (True, 1)


async def test_the_settle_window_begins_when_the_answer_was_lost(world: MakeWorld) -> None:
    """The request itself took a minute: what was sent then may still be on its way."""
    w = world(target=target(settle=timedelta(seconds=10)), lease=timedelta(hours=1))

    class Hanging(MemoryConnector):
        async def perform(self, step: Step) -> Account | None:
            w.clock.pass_time(timedelta(minutes=1))
            return await super().perform(step)

    w.memory = Hanging
    w.write(people(1))
    w.directory.fail_next("create", LOST)
    await w.run()
    w.clock.pass_time(timedelta(seconds=9))
    report, plan = await w.run()
    assert (planned(plan), report.results[1].in_doubt) == ([], 1)
    w.clock.pass_time(timedelta(seconds=1))
    report, _ = await w.run()
    assert (report.converged, creates(w)) == (True, 1)


async def test_somebody_who_cannot_be_mapped_any_more_when_the_account_shows_up_keeps_it_as_it_is(world: MakeWorld) -> None:
    w = world(target=target(attributes={"title": MapEntry("", "name", "title", table={"Chef": "cook"})}))
    w.write([person(1, title="Chef"), person(2, title="Chef")])
    w.directory.fail_next("create", LOST, after=True)
    w.directory.fail_next("find", Retryable("HTTP 503"))
    await w.run()
    w.write([person(1, title="Pilot"), person(2, title="Pilot")])
    report, plan = await w.run()
    assert (planned(plan), report.results[1].rejected, report.results[1].in_doubt) == ([], 2, 0)
    assert {one["title"] for one in w.directory.accounts.values()} == {"cook"}
    w.write([person(1, title="Chef"), person(2, title="Chef")])
    report, plan = await w.run()
    assert (planned(plan), report.converged) == ([], True)


async def test_a_provider_that_refuses_to_be_asked_is_left_alone_and_the_doubt_stays(world: MakeWorld) -> None:
    w = world()
    w.write(people(1))
    w.directory.fail_next("create", LOST, after=True)
    w.directory.fail_next("find", Quarantined("HTTP 401"))
    report, _ = await w.run()
    assert (report.results[1].in_doubt, report.results[1].error) == (1, "HTTP 401")
    w.directory.fail_next("find", Quarantined("HTTP 403"))
    report, _ = await w.run()
    assert (report.results[1].in_doubt, report.results[1].error) == (1, "HTTP 403")
    report, _ = await w.run()
    assert (report.converged, creates(w)) == (True, 1)


async def test_an_account_that_somebody_else_made_meanwhile_is_not_taken_for_ours(world: MakeWorld) -> None:
    w = world(target=target(settle=timedelta(0)))
    w.write(people(1))
    w.directory.fail_next("create", LOST)
    w.directory.add("x", userName=mail(1), displayName="Somebody")
    w.directory.hidden = {"x"}
    report, _ = await w.run()
    assert report.results[1].in_doubt == 1, "no marker of ours"
    w.directory.hidden = set()
    _, plan = await w.run()
    assert [kind for kind, _, _ in planned(plan)] == ["adopt"]


async def test_where_there_is_no_marker_the_key_tells_our_account(world: MakeWorld) -> None:
    class Unmarked(MemoryConnector):
        def __init__(self, *args: Any, **settings: Any) -> None:
            super().__init__(*args, **settings)
            self.capability = replace(self.capability, marker=None)

    w = world(memory=Unmarked)
    w.write([person(1, email="P1@corp.example")])
    w.directory.fail_next("create", LOST, after=True)
    report, _ = await w.run()
    assert (report.converged, creates(w)) == (True, 1)
    assert "syncd" not in w.account("P1@corp.example")["meta"]


async def test_somebody_who_leaves_while_in_doubt_is_not_created_after_all(world: MakeWorld) -> None:
    """Gone from the source one run before the doubt is resolved: nothing is left over that would be sent."""
    w = world(target=target("delete", settle=timedelta(seconds=10)))
    w.write(people(1, 2))
    w.directory.fail_next("create", LOST)
    await w.run()
    w.write(people(2))
    report, _ = await w.run()
    assert report.results[1].in_doubt == 1
    w.clock.pass_time(timedelta(seconds=10))
    report, plan = await w.run()
    assert (planned(plan), report.converged, creates(w)) == ([], True, 1)
    assert w.store.value("SELECT COUNT(*) FROM link") == 1
    assert not w.verify()


async def test_somebody_who_left_while_in_doubt_loses_the_account_that_shows_up(world: MakeWorld) -> None:
    w = world(target=target("delete"))
    w.write(people(1, 2))
    w.directory.fail_next("create", LOST, after=True)
    w.directory.fail_next("find", Retryable("HTTP 503"))
    await w.run()
    w.write(people(2))
    report, plan = await w.run()
    assert planned(plan) == [("delete", mail(1), "")]
    assert (report.converged, len(w.directory.accounts)) == (True, 1)


async def test_an_update_whose_answer_was_lost_is_planned_again_from_what_is_there(world: MakeWorld) -> None:
    w = world()
    w.write(people(1, 2))
    await w.run()
    w.write([person(1, phone="5"), person(2, phone="6")])
    w.directory.fail_next("update", LOST, after=True)
    w.directory.fail_next("update", LOST)
    report, _ = await w.run()
    assert (report.failed, report.results[1].in_doubt) == (True, 0)
    report, plan = await w.run()
    assert (planned(plan), report.converged) == ([("update", mail(2), "")], True)


async def test_a_delete_whose_answer_was_lost_is_settled_by_the_next_listing(world: MakeWorld) -> None:
    w = world(target=target("delete"))
    w.write(people(1, 2))
    await w.run()
    w.clock.pass_time(timedelta(minutes=1))
    w.write(people(2))
    w.directory.fail_next("delete", LOST, after=True)
    report, _ = await w.run()
    assert report.failed
    report, plan = await w.run()
    assert (planned(plan), report.converged, w.verify()) == ([], True, [])
