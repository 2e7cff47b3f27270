"""One bad change, one bad record or one bad connection never stops the others, and nothing that fails is dropped in silence."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from datetime import timedelta

import pytest

from syncd.connectors.memory import MemoryConnector, MemoryOptions
from syncd.core.evidence import STALE
from syncd.engine.planning import Plan
from syncd.engine.report import Report
from syncd.errors import InDoubt, Quarantined, Rejected, Retryable, SyncdError
from syncd.model import Account, Connection, Rate, Step
from syncd.store import waiting
from tests.engine.worlds import MakeWorld, established, kinds, limited, literal, mail, names, people, states, target, writes
from tests.world import World, entries, person, planned

pytestmark = pytest.mark.anyio
OLD = STALE + timedelta(seconds=1)


def second(world: World) -> tuple[Connection, MemoryConnector]:
    """Another target, called second."""
    options = MemoryOptions(directory=f"{world.root}-second")
    connector = MemoryConnector(options, environment=world.clock, rate=Rate(), writable=True)
    capability = options.capability()
    connection = Connection(
        "second", "memory", options.binding(), "second", read=entries(capability.read_defaults),
        write=target("delete", attributes=capability.write_defaults),
    )  # fmt: skip
    return connection, connector


async def test_one_poison_record_among_many_blocks_nobody(world: MakeWorld) -> None:
    w = world()
    w.write([*people(*range(1, 60)), person(60, phone="5" * 300), *people(*range(61, 100))])
    report, plan = await w.run()
    assert (len(w.directory.accounts), report.failed, report.results[1].rejected) == (98, False, 1)
    (row,) = waiting.listing(w.store)
    assert (row.state, row.who, "phone: 300 characters, the limit is 256" in row.reason) == ("rejected", mail(60), True)
    report, plan = await w.run()
    assert (planned(plan), report.results[1].rejected) == ([], 1), "not tried again, still reported"
    w.write([*people(*range(1, 60)), person(60, phone="5"), *people(*range(61, 100))])
    report, _ = await w.run()
    assert (report.converged, waiting.listing(w.store)) == (True, [])


async def test_a_value_without_a_place_in_its_map_rejects_that_change(world: MakeWorld) -> None:
    entry = literal(None, table={"Chef": "cook"})
    w = world(target=target(attributes={"title": replace(entry, source="name", text="title")}))
    w.write([person(1, title="Chef"), person(2, title="Pilot")])
    report, _ = await w.run()
    assert ([one["title"] for one in w.directory.accounts.values()], report.results[1].rejected) == (["cook"], 1)
    assert states(w)[mail(2)] == "rejected"


async def test_a_refused_change_is_tried_three_runs_then_rests_and_a_new_value_tries_at_once(world: MakeWorld) -> None:
    w = world()
    w.write(people(1, 2))
    seen = []
    for run in range(1, 5):
        if run < 4:
            w.directory.fail_next("create", Rejected("HTTP 422: no"))
        report, plan = await w.run()
        app = report.results[1]
        seen.append((len(planned(plan)), app.rejected, app.quarantined))
        assert report.waiting
    assert seen == [(2, 1, 0), (1, 1, 0), (1, 0, 1), (0, 0, 1)]
    (row,) = waiting.listing(w.store)
    assert (row.state, row.reason) == ("quarantined", "HTTP 422: no")
    w.clock.pass_time(timedelta(minutes=59))
    _, plan = await w.run()
    assert planned(plan) == []
    w.directory.fail_next("create", Rejected("HTTP 422: no"))
    w.clock.pass_time(timedelta(minutes=1))
    _, plan = await w.run()
    assert len(planned(plan)) == 1
    w.clock.pass_time(timedelta(minutes=119))
    assert planned((await w.run())[1]) == [], "two hours the next time"
    row_who = row.who
    number = 1 if row_who == mail(1) else 2
    w.write([person(number, phone="5"), person(3 - number)])
    report, plan = await w.run()
    assert (planned(plan), report.converged) == ([("create", mail(number), "")], True)


async def test_what_could_not_be_sent_is_tried_again_by_the_next_run(world: MakeWorld) -> None:
    w = world()
    w.write(people(1, 2, 3))
    w.directory.fail_next("create", Retryable("HTTP 503"))
    report, _ = await w.run()
    assert (report.failed, report.results[1].error) == (True, "1 changes could not be sent: HTTP 503")
    assert len(w.directory.accounts) == 2
    report, _ = await w.run()
    assert (report.converged, len(w.directory.accounts)) == (True, 3)


@pytest.mark.parametrize("failure", [Retryable("HTTP 503"), InDoubt("no answer")], ids=lambda error: type(error).__name__)
async def test_ten_failures_in_a_row_and_the_connection_is_left_alone(world: MakeWorld, failure: SyncdError) -> None:
    w = world(target=target(settle=timedelta(0)))
    w.write(people(*range(1, 40)))
    for _ in range(39):
        w.directory.fail_next("create", failure)
    report, _ = await w.run()
    app = report.results[1]
    assert app.error == f"{app.error.split(' ', 1)[0]} changes in a row could not be sent: {failure}"
    assert app.skipped >= 25
    assert writes(w) == []


async def test_a_connection_that_refuses_us_stops_at_once_and_the_others_go_on(world: MakeWorld) -> None:
    w = world()
    w.extra = [second(w)]
    w.write(people(*range(1, 20)))
    w.directory.fail_next("create", Quarantined("HTTP 401: check the credentials"))
    report, _ = await w.run()
    people_, app, other = report.results
    assert (people_.error, app.error, other.error) == ("", "HTTP 401: check the credentials", "")
    assert (app.applied["create"] + app.skipped, app.skipped >= 15, other.applied["create"]) == (18, True, 19)
    assert report.failed


async def test_a_target_that_cannot_be_read_is_not_written(world: MakeWorld) -> None:
    w = world()
    w.write(people(1))
    await w.run()
    w.extra = [second(w)]
    w.write(people(1, 2))
    w.directory.fail_next("list", Quarantined("HTTP 403"))
    report, plan = await w.run()
    assert [result.error for result in report.results] == ["", "HTTP 403", ""]
    assert ([row.connection for row in plan.changes()], len(writes(w))) == (["second", "second"], 1)


class Stubborn(MemoryConnector):
    """Accepts a title and keeps its own."""

    async def perform(self, step: Step) -> Account | None:
        account = await super().perform(step)
        if account is not None:
            self.directory.accounts[account.id]["title"] = "Kept"
            account = self._account(account.id)
        return account


async def test_a_write_that_reads_back_different_is_remembered_and_reported_and_not_repeated(world: MakeWorld) -> None:
    w = world(memory=Stubborn)
    w.write([person(1, title="Chef", phone="5")])
    report, _ = await w.run()
    assert report.results[1].rejected == 1
    (row,) = waiting.listing(w.store)
    assert (row.state, row.reason) == ("rejected", 'app kept title = "Kept"')
    for _ in range(2):
        report, plan = await w.run()
        assert (planned(plan), report.results[1].rejected, len(writes(w))) == ([], 1, 1)
        assert not w.verify()
    w.write([person(1, title="Cook", phone="5")])
    _, plan = await w.run()
    assert planned(plan) == [("update", mail(1), "")], "the person moved"
    w.account(mail(1))["title"] = "Else"
    _, plan = await w.run()
    assert planned(plan) == [("update", mail(1), "")], "the account moved"
    w.write([person(1, title="Kept", phone="5")])
    report, _ = await w.run()
    assert (report.converged, waiting.listing(w.store)) == (True, [])


# ---- evidence that grows old -----------------------------------------------------------------------------------------


async def aging(world: MakeWorld, meanwhile: Callable[[World], object], *, takes: timedelta = OLD, later: timedelta = OLD
                ) -> tuple[World, Report, Plan]:  # fmt: skip
    """p1 changes, p2 and p3 leave, one request after the other: the first write takes so long, the others ``later``, and then
    ``meanwhile`` happens."""
    w = world(target=target("delete"), lease=timedelta(days=1), concurrency=1)
    w.write(people(1, 2, 3, 4))
    await w.run()
    durations = [takes]

    class Slow(MemoryConnector):
        async def perform(self, step: Step) -> Account | None:
            w.clock.pass_time(durations.pop() if durations else later)
            meanwhile(w)
            return await super().perform(step)

    w.memory = Slow
    w.write([person(1, phone="5"), person(4)])
    report, plan = await w.run()
    return w, report, plan


async def test_evidence_that_grew_old_is_taken_again_before_anybody_is_deleted(world: MakeWorld) -> None:
    w, report, plan = await aging(world, lambda w: w.write(people(1, 2, 4)))
    assert planned(plan) == [("delete", mail(2), ""), ("delete", mail(3), ""), ("update", mail(1), "")]
    assert {one["userName"] for one in w.directory.accounts.values()} == {mail(1), mail(2), mail(4)}
    error = w.store.value("SELECT error FROM change WHERE state = 'skipped'")
    assert (error, report.results[1].skipped) == ("this changed since the plan was made: the next run plans it anew", 1)


async def test_a_deletion_that_renewed_evidence_turns_into_a_disabling_waits_for_the_next_plan(world: MakeWorld) -> None:
    def come_back(w: World) -> None:
        w.write([person(1, phone="5"), person(2, active="no"), person(4)])

    w, report, _ = await aging(world, come_back, later=timedelta(0))
    assert names(w) == {mail(1), mail(2), mail(4)}
    assert (report.results[1].skipped, w.account(mail(2))["active"]) == (1, True)
    w.memory = MemoryConnector
    _, plan = await w.run()
    assert planned(plan) == [("disable", mail(2), "")]


async def test_evidence_is_taken_again_once_for_all_that_wait_for_it(world: MakeWorld) -> None:
    w, report, _ = await aging(world, lambda w: None, later=timedelta(0))
    assert (report.converged, len(w.directory.accounts)) == (True, 2)
    assert w.store.value("SELECT listing FROM connection WHERE name = 'people'") == 3, "once when planned, once for both deletes"


async def test_evidence_that_cannot_be_taken_again_deletes_nobody(world: MakeWorld) -> None:
    w, report, _ = await aging(world, lambda w: w.people_file.unlink(missing_ok=True))
    assert len(w.directory.accounts) == 4
    assert "evidence of absence could not be taken again (people: " in report.results[1].error


async def test_fresh_evidence_is_not_taken_again(world: MakeWorld) -> None:
    soon = timedelta(seconds=1)
    w, report, _ = await aging(world, lambda w: w.people_file.unlink(missing_ok=True), takes=soon, later=soon)
    assert (len(w.directory.accounts), report.failed) == (2, False)


async def test_what_was_refused_once_and_is_held_again_can_be_released_again(world: MakeWorld) -> None:
    """A release lasts 24 hours; a leaver whose deletion the provider refused meanwhile must not be stuck behind the refusal."""
    w = await limited(world, 4)
    w.write(people(1))
    await w.run()
    w.release()
    for _ in range(3):
        w.directory.fail_next("delete", Rejected("HTTP 400"))
    report, _ = await w.run()
    assert (report.results[1].held, report.results[1].rejected) == (0, 3)
    w.clock.pass_time(timedelta(hours=25))
    report, plan = await w.run()
    assert (kinds(plan), report.results[1].held, report.results[1].rejected) == ({("delete", "limit")}, 3, 0)
    w.release()
    report, _ = await w.run()
    assert (report.converged, names(w)) == (True, {mail(1)})


async def test_what_was_refused_once_and_is_held_now_waits_for_a_release(world: MakeWorld) -> None:
    """As a refusal nobody could let it go; a run that cannot judge it leaves it so."""
    w = await established(world, *people(1), target=target("delete", apply="auto"))
    w.write([person(1, title="x")])
    w.directory.fail_next("update", Rejected("422"))
    await w.run()
    assert [state for state, _, _ in w.pending()] == ["rejected"]
    w.target = replace(w.target or target(), apply="review")
    for _ in range(2):
        await w.run()
        assert w.pending() == [("held", "review", mail(1))]
    w.directory.fail_next("list", Quarantined("401"))
    await w.run()
    assert w.pending() == [("held", "review", mail(1))]
    w.release()
    report, _ = await w.run()
    assert (report.converged, w.account(mail(1))["title"], w.pending()) == (True, "x", [])
