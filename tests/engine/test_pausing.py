"""A person's pause stops what is sent within one step; what was not sent is skipped, and nothing failed."""

from __future__ import annotations

from datetime import timedelta

import pytest

from syncd.connectors.memory import MemoryConnector
from syncd.engine.sending import Sending
from syncd.errors import Paused, Quarantined
from syncd.model import Account, Step
from syncd.store import identities, pauses
from tests.engine.worlds import MakeWorld, creates, established, mail, people, settle, target, writes
from tests.world import World, person

pytestmark = pytest.mark.anyio


def pause(world: World, name: str = "app", until: timedelta | None = None) -> None:
    now = world.clock.now()
    pauses.pause(world.store, name, "an audit", now + until if until else None, now, {})


def resume(world: World) -> None:
    assert pauses.resume(world.store, "app", world.clock.now(), {})


def skipped(world: World) -> set[tuple[str, str]]:
    """(state, error) of the changes of the last run."""
    return {(row.state, row.error) for row in world.store.rows("SELECT * FROM change WHERE run = (SELECT MAX(id) FROM run)")}


@pytest.mark.parametrize("name", ["app", ""])
async def test_a_paused_target_is_read_and_planned_and_nothing_is_sent(world: MakeWorld, name: str) -> None:
    w = await established(world, *people(1, 2))
    pause(w, name)
    w.write([person(1, title="Boss"), *people(3)])
    before = len(writes(w))
    report, plan = await w.run()
    app = report.results[1]
    assert len(writes(w)) == before
    assert (app.error, app.skipped, report.failed, report.waiting, report.converged) == ("", 3, False, False, False)
    assert "paused since 2026-01-01 00:01 UTC by a person: an audit" in app.paused
    assert skipped(w) == {("skipped", app.paused)}
    assert plan.passed == 0 and plan.connections[1].paused == app.paused, "and nobody is asked about what will not be sent"
    pauses.resume(w.store, name, w.clock.now(), {})
    report, _ = await w.run()
    assert report.converged and {account["userName"] for account in w.directory.accounts.values()} == {"p1@corp.example", "p3@corp.example"}


async def test_a_pause_set_while_a_run_sends_stops_it_at_the_next_step(world: MakeWorld) -> None:
    w = world(concurrency=4)
    w.write(people(*range(1, 41)))

    class Interrupted(MemoryConnector):
        async def perform(self, step: Step) -> Account | None:
            done = await super().perform(step)
            if len(w.directory.log) == 10:
                pause(w)
            return done

    w.memory = Interrupted
    report, _ = await w.run()
    app = report.results[1]
    assert 10 <= creates(w) < 14, "those on their way, and no more"
    assert (app.applied["create"], app.skipped, app.error) == (creates(w), 40 - creates(w), "")
    w.memory = MemoryConnector
    resume(w)
    report, _ = await w.run()
    assert report.converged and creates(w) == 40


async def test_a_pause_between_intent_and_request_is_obeyed(world: MakeWorld) -> None:
    """The intent is written, and the request waits for its turn, as after a refusal for pace."""
    w = await established(world, *people(1))

    class Waiting(MemoryConnector):
        async def perform(self, step: Step) -> Account | None:
            pause(w)
            return await super().perform(step)

    w.memory = Waiting
    w.write(people(1, 2))
    report, _ = await w.run()
    assert creates(w) == 1 and report.results[1].skipped == 1 and report.results[1].in_doubt == 0
    assert w.store.value("SELECT COUNT(*) FROM link WHERE doubt IS NOT NULL") == 0
    w.memory = MemoryConnector
    resume(w)
    report, _ = await w.run()
    assert report.converged and creates(w) == 2


async def test_an_adoption_that_writes_nothing_waits_too(world: MakeWorld) -> None:
    w = await established(world, *people(1, 2))
    (lost,) = w.store.rows(
        "DELETE FROM link WHERE identity IN (SELECT identity FROM identity_key WHERE key = :key) RETURNING *", key=mail(2)
    )
    identities.mark(w.store, [lost.identity], ["app"])
    before = len(writes(w))
    pause(w)
    report, _ = await w.run()
    assert (report.results[1].applied["adopt"], report.results[1].skipped) == (0, 1)
    assert w.store.value("SELECT COUNT(*) FROM link WHERE account_id IS NOT NULL") == 1
    resume(w)
    report, _ = await w.run()
    assert (report.results[1].applied["adopt"], len(writes(w))) == (1, before)


async def test_it_ends_by_itself(world: MakeWorld) -> None:
    w = await established(world, *people(1))
    pause(w, until=timedelta(hours=1))
    w.write(people(1, 2))
    report, _ = await w.run()
    assert report.results[1].skipped == 1
    w.clock.pass_time(timedelta(hours=1))
    report, _ = await w.run()
    assert report.converged


@pytest.mark.parametrize(("name", "sent"), [("", 0), ("app", 0), ("people", 1)])
async def test_evidence_is_taken_anew_whatever_is_paused_where_it_is_read(world: MakeWorld, name: str, sent: int) -> None:
    """A plan that waited reads its sources again: a pause of theirs, which are targets too elsewhere, is in nobody else's way."""
    w = await established(world, *people(1, 2), target=target("delete"))
    w.write(people(1))

    def long_lunch() -> None:
        w.clock.pass_time(timedelta(minutes=20))
        pause(w, name)

    report, _ = await w.run(meanwhile=long_lunch)
    app = report.results[1]
    assert (app.applied["delete"], app.skipped, report.failed) == (sent, 1 - sent, False)


async def test_a_yes_at_the_first_contact_is_not_taken_while_it_is_paused(world: MakeWorld) -> None:
    w = world()
    pause(w)
    w.write(people(1))
    report, plan = await w.run()
    assert plan.first_contacts == () and report.results[1].held == 1 and creates(w) == 0
    resume(w)
    await settle(w, *people(1))


async def test_a_refusal_says_more_than_a_pause() -> None:
    sending = Sending()
    sending.stop(Paused("a person"))
    assert sending.paused
    sending.stop(Quarantined("401"))
    assert (sending.stopped, sending.paused) == ("401", False)
    sending.stop(Paused("a person"))
    assert (sending.stopped, sending.paused) == ("401", False)
