"""The store is restored from a backup while the world went on: nobody is doubled, nobody leaves wrongly, and who leaves waits."""

from __future__ import annotations

from datetime import timedelta

import pytest

from syncd.connectors.memory import MemoryConnector
from syncd.model import Account, Effort, Step
from syncd.store import backups, connections, restoring
from tests.engine.contributing import at_rest, phones, two
from tests.engine.worlds import MakeWorld, creates, established, kinds, limited, mail, names, people, settle, states, target, writes
from tests.world import World, person

pytestmark = pytest.mark.anyio
MINUTE = timedelta(minutes=1)


def back_up(world: World) -> None:
    backups.backup(world.store.url, world.root / "copy.db", Effort("", ""))


def put_back(world: World, after: timedelta = MINUTE) -> None:
    """And ``after`` so long the next run begins."""
    restoring.restore(world.store.url, "default", world.root / "copy.db", {}, world.clock.now(), world.lease, Effort("", ""))
    world.clock.pass_time(after)


def trusted(world: World) -> bool:
    row = connections.row(world.store, "app")
    return row is not None and row.restored is None


async def test_what_was_made_changed_and_deleted_since_is_found_as_it_is(world: MakeWorld) -> None:
    w = await established(world, *people(1, 2, 3))
    back_up(w)
    await settle(w, person(1, title="Boss"), *people(2, 4, 5))
    before, there = len(writes(w)), names(w)
    put_back(w)
    report, _ = await w.run()
    assert (report.converged, len(writes(w)), names(w)) == (True, before, there)
    assert report.results[1].applied == {"create": 0, "adopt": 2, "update": 0, "disable": 0, "delete": 0}
    assert trusted(w) and w.verify() == []
    report, plan = await w.run()
    assert report.converged and kinds(plan) == set()


async def test_who_leaves_waits_until_released_and_then_all_is_as_ever(world: MakeWorld) -> None:
    w = await limited(world, 40)
    back_up(w)
    put_back(w)
    w.write(people(*range(2, 41)))
    report, plan = await w.run()
    assert kinds(plan) == {("delete", "restored")} and report.results[1].held == 1 and not trusted(w)
    (row,) = plan.changes()
    assert row.held.startswith("the store was restored at 2026-01-01 00:01 UTC from a backup: who leaves is held until one whole run")
    report, _ = await w.run()
    assert not trusted(w), "it is held still"
    w.release()
    report, _ = await w.run()
    assert report.converged and mail(1) not in names(w) and trusted(w)
    w.write(people(*range(3, 41)))
    report, _ = await w.run()
    assert report.converged and mail(2) not in names(w), "nobody asks any more"


async def test_a_no_lets_it_end_too(world: MakeWorld) -> None:
    w = await limited(world, 40)
    back_up(w)
    put_back(w)
    w.write(people(*range(2, 41)))
    await w.run()
    w.reject()
    await w.run()
    assert trusted(w) and mail(1) in names(w)


async def test_a_leaver_whose_grace_had_begun_waits_too(world: MakeWorld) -> None:
    w = await established(world, *people(1, 2), target=target("delete", grace=timedelta(days=2)))
    await settle(w, *people(1))
    assert states(w)[mail(2)] == "grace"
    back_up(w)
    w.clock.pass_time(timedelta(days=3))
    put_back(w)
    report, plan = await w.run()
    assert kinds(plan) == {("delete", "restored")} and mail(2) in names(w)
    w.release()
    report, _ = await w.run()
    assert report.converged and mail(2) not in names(w)


async def test_a_release_of_before_the_backup_lets_nobody_go(world: MakeWorld) -> None:
    w = await limited(world, 10)
    w.write(people(*range(4, 11)))
    report, _ = await w.run()
    assert report.results[1].held == 3
    w.release()
    back_up(w)
    put_back(w)
    report, _ = await w.run()
    assert report.results[1].held == 3 and len(names(w)) == 10


@pytest.mark.parametrize("how", ["plan", "no", "source"])
async def test_only_a_whole_run_that_was_agreed_to_ends_it(world: MakeWorld, how: str) -> None:
    w = await established(world, *people(1, 2))
    back_up(w)
    put_back(w)
    w.write(people(1, 2, 3))
    if how == "source":
        w.people_file.write_bytes(w.people_file.read_bytes()[:-5])
    await w.run("plan" if how == "plan" else "delta", yes=how != "no")
    assert not trusted(w)
    w.write(people(1, 2, 3))
    await w.run()
    assert trusted(w)


async def test_newcomers_wait_for_a_view_that_is_late_enough(world: MakeWorld) -> None:
    """A create of the last moment before the restore may not be listed yet: the store knows nothing of it."""
    w = await established(world, *people(1), target=target("delete", settle=timedelta(minutes=1)))
    back_up(w)
    w.write(people(1, 2))
    put_back(w, timedelta(seconds=59))
    report, _ = await w.run()
    app = report.results[1]
    assert (creates(w), app.skipped, report.failed, report.waiting, report.converged) == (1, 1, False, False, False)
    why = w.store.value("SELECT error FROM change WHERE state = 'skipped'")
    assert why.startswith("the store was restored 59 s ago: an account made just before may not be listed yet")
    w.clock.pass_time(timedelta(seconds=1))
    report, _ = await w.run()
    assert report.converged and creates(w) == 2


async def test_a_create_in_flight_at_the_backup_is_not_made_twice(world: MakeWorld) -> None:
    """The copy is taken between the request and its answer; the listing lags behind."""
    w = await established(world, *people(1), target=target("delete", settle=timedelta(minutes=1)))

    class Copying(MemoryConnector):
        async def perform(self, step: Step) -> Account | None:
            back_up(w)
            return await super().perform(step)

    w.memory = Copying
    w.write(people(1, 2))
    report, _ = await w.run()
    assert report.converged and creates(w) == 2
    w.memory = MemoryConnector
    w.clock.pass_time(timedelta(hours=1))
    put_back(w, timedelta(seconds=5))
    for _ in range(3):
        await w.run()
        w.clock.pass_time(MINUTE)
    assert creates(w) == 2 and w.pending() == [] and trusted(w)


async def test_a_person_who_was_deleted_and_came_back_keeps_the_new_account(world: MakeWorld) -> None:
    w = await established(world, *people(1, 2))
    back_up(w)
    await settle(w, *people(1))
    await settle(w, *people(1, 2))
    before, account = len(writes(w)), w.account(mail(2))
    put_back(w)
    report, _ = await w.run()
    assert (report.converged, len(writes(w)), w.account(mail(2))) == (True, before, account)


async def test_what_syncd_wrote_since_the_backup_is_no_opinion_of_the_target(world: MakeWorld) -> None:
    w = await two(world)
    back_up(w)
    await settle(w, person(1, phone="3"))
    put_back(w)
    await w.run()
    await at_rest(w)
    await settle(w, person(1, phone="4"))
    assert phones(w) == ("4", "4"), "it follows its source as ever"


async def test_an_opinion_of_before_the_backup_stays_one(world: MakeWorld) -> None:
    w = await two(world)
    w.account(mail(1))["phone"] = "2"
    await w.run()
    back_up(w)
    put_back(w)
    await w.run()
    assert phones(w) == ("2", "2")
    await settle(w, person(1, phone="4"))
    assert phones(w) == ("2", "2")


async def test_what_targets_say_is_not_known_before_they_are_read_and_verify_says_no_difference(world: MakeWorld) -> None:
    w = await two(world)
    w.account(mail(1))["phone"] = "2"
    await w.run()
    back_up(w)
    put_back(w)
    assert w.verify() == []
    await at_rest(w)
    assert phones(w) == ("2", "2")
