"""People are free for other runs while one sends: whoever changed meanwhile is not changed by what was planned of them before."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable
from datetime import timedelta
from typing import Any

import pytest

from syncd.connectors.memory import MemoryConnector
from syncd.engine import cycle, projecting
from syncd.engine.report import Report
from syncd.errors import Busy
from syncd.model import Account, Change, Kind, Step
from syncd.store import Store, lease, links
from tests import stores
from tests.engine.contributing import other
from tests.engine.worlds import MakeWorld, established, mail, names, people, source, states, target, write, writes
from tests.world import World, person

pytestmark = pytest.mark.anyio
MOVED = "this changed since the plan was made: the next run plans it anew"


class Gate:
    """Holds the first write of a run until it is opened; one at a time, so that all others stand behind it."""

    def __init__(self) -> None:
        self.reached, self.opened = asyncio.Event(), asyncio.Event()

    @property
    def memory(self) -> type[MemoryConnector]:
        gate = self

        class Gated(MemoryConnector):
            async def perform(self, step: Step) -> Account | None:
                gate.reached.set()
                await gate.opened.wait()
                return await super().perform(step)

        return Gated


def beside(w: World) -> World:
    """Another process on the same store, directory and clock."""
    return World(w.root, clock=w.clock, target=w.target, extra=w.extra, lease=w.lease)


async def sent_while(w: World, meanwhile: Callable[[World], Awaitable[object]]) -> Report:
    """A run in whose first request another process does something."""
    gate, w.concurrency = Gate(), 1
    w.memory = gate.memory
    first = asyncio.create_task(w.run())
    await gate.reached.wait()
    process = beside(w)
    await meanwhile(process)
    process.close()
    gate.opened.set()
    report, _ = await first
    w.memory = MemoryConnector
    return report


def skipped(w: World) -> list[tuple[str, str, str]]:
    rows = w.store.rows("SELECT kind, who, error FROM change WHERE state = 'skipped' AND run = (SELECT MAX(run) FROM change) ORDER BY who")
    return [(row.kind, row.who, row.error) for row in rows]


def reading(*rows: dict[str, str]) -> Callable[[World], Awaitable[object]]:
    """The other process reads these people, and nothing else."""

    async def read(process: World) -> object:
        process.write(list(rows))
        return await process.run(selection=["people"])

    return read


async def concluded(w: World, *numbers: int) -> None:
    """The next run does the rest, and nothing is left."""
    w.clock.pass_time(timedelta(minutes=1))
    report, _ = await w.run()
    assert (report.converged, names(w), w.verify()) == (True, {mail(n) for n in numbers}, [])


async def test_a_leaver_who_came_back_is_not_deleted(world: MakeWorld) -> None:
    w = await established(world, *people(1, 2, 3, 4))
    w.write(people(4))
    report = await sent_while(w, reading(*people(2, 4)))
    assert writes(w)[4:] == [("delete", mail(1)), ("delete", mail(3))]
    assert (skipped(w), report.converged) == ([("delete", mail(2), MOVED)], False)
    await concluded(w, 2, 4)


async def test_a_newcomer_who_left_is_not_made(world: MakeWorld) -> None:
    w = await established(world, *people(1))
    w.write(people(1, 2, 3, 4))
    await sent_while(w, reading(*people(1, 3, 4)))
    assert (writes(w)[1:], skipped(w)) == ([("create", mail(3)), ("create", mail(4))], [("create", mail(2), MOVED)])
    await concluded(w, 1, 3, 4)


async def test_a_value_that_is_old_by_now_is_not_written(world: MakeWorld) -> None:
    w = await established(world, *people(1, 2, 3))
    w.write([person(n, name="Second") for n in (1, 2, 3)])
    await sent_while(w, reading(person(1, name="Second"), person(2, name="Third"), person(3, name="Second")))
    assert (len(writes(w)), skipped(w)) == (5, [("update", mail(2), MOVED)])
    await concluded(w, 1, 2, 3)
    assert w.account(mail(2))["displayName"] == "Third"


async def test_one_who_is_to_be_disabled_and_is_active_again_stays(world: MakeWorld) -> None:
    w = await established(world, *people(1, 2, 3))
    w.write(people(1, 2, 3, active="false"))
    await sent_while(w, reading(person(1, active="false"), person(2, active="true"), person(3, active="false")))
    assert [w.account(mail(n))["active"] for n in (1, 2, 3)] == [False, True, False]
    assert skipped(w) == [("disable", mail(2), MOVED)]


async def test_what_is_wanted_just_so_goes_though_its_person_changed(world: MakeWorld) -> None:
    """In what is not written there at all, or in something beside it: that the next run writes."""
    w = await established(world, *people(1, 2, 3))
    w.write([person(n, name="Second") for n in (1, 2, 3, 4)])
    changed = person(2, name="Second", login="unmapped"), person(3, name="Second", phone="3"), person(4, name="Second", phone="4")
    await sent_while(w, reading(person(1, name="Second"), *changed))
    assert (skipped(w), len(writes(w))) == ([], 7)
    await concluded(w, 1, 2, 3, 4)
    assert (w.account(mail(3))["phone"], w.account(mail(4))["phone"]) == ("3", "4")


async def test_one_who_became_one_with_another_meanwhile_is_not_made(world: MakeWorld) -> None:
    """A second source shows the newcomer as somebody who is known: their accounts are one person's by now."""
    w = world(target=target("delete"))
    w.extra = [source(w, "more", read={"externalId": "login"})]
    write(w, "more", [])
    w.write(people(1, 2))
    report, _ = await w.run()
    assert report.converged
    w.write(people(1, 2, 3, 4))

    async def joined(process: World) -> None:
        await reading(*people(1, 2, 3))(process)

    await sent_while(w, joined)
    assert skipped(w) == [("create", mail(4), MOVED)]
    await concluded(w, 1, 2, 3)


async def test_an_adoption_of_somebody_who_left_is_not_made(world: MakeWorld) -> None:
    w = await established(world, *people(1))
    w.write(people(1, 2, 3, 4))
    w.directory.add(
        **{**w.directory.accounts[next(iter(w.directory.accounts))], "userName": mail(2), "displayName": "Person 2", "meta": {}}
    )
    await sent_while(w, reading(*people(1, 3, 4)))
    assert skipped(w) == [("adopt", mail(2), MOVED)]


async def test_an_account_that_is_taken_back_without_any_request_is_not_when_its_person_left(world: MakeWorld) -> None:
    """After a lost store: it is all that it should be, so nothing is sent, and only the store could say that it is ours."""
    w = await established(world, *people(1, 2, 3))
    w.close()
    stores.lose(w.root)
    w.open()
    now = [person(1, name="Second"), *people(2, 3)]
    w.write(now)
    report = await sent_while(w, reading(now[0], now[2]))
    assert (skipped(w), report.results[1].applied["adopt"]) == ([("adopt", mail(2), MOVED)], 2)
    assert writes(w)[3:] == [("update", mail(1))], "of the three this alone is a request"
    assert {*states(w)} == {mail(1), mail(3)}


async def test_between_two_requests_of_one_change_too(world: MakeWorld) -> None:
    """The answer to the first projects its person anew: what is wanted then is not what the second was planned for."""
    w = await established(world, *people(1))
    w.write([person(1, name="Second", phone="7")])
    gate = Gate()

    class Twice(gate.memory):  # type: ignore[name-defined,misc]
        def steps(self, change: Change) -> tuple[Step, ...]:
            body = {path: after for path, (_, after) in change.delta.items()}
            path = f"/accounts/{change.account}"
            made = enumerate(sorted(body.items()), 1)
            return tuple(Step(change, n, "update", path, dict([pair]), summary=f"update {pair[0]}") for n, pair in made)

    w.concurrency, w.memory = 1, Twice
    first = asyncio.create_task(w.run())
    await gate.reached.wait()
    process = beside(w)
    await reading(person(1, name="Third", phone="8"))(process)
    process.close()
    gate.opened.set()
    report, _ = await first
    assert len(writes(w)) == 2 and not report.converged
    assert w.store.value("SELECT state FROM change WHERE run = :run AND connection = 'app'", run=report.run) == "retry"
    w.memory = MemoryConnector
    await concluded(w, 1)
    assert w.account(mail(1))["phone"] == "8"


async def test_nothing_is_sent_by_rules_that_are_not_those_of_now(world: MakeWorld) -> None:
    """The configuration was changed, and a run has gone by the new one."""
    w = await established(world, *people(1))
    w.write(people(1, 2, 3, 4))

    async def newer(process: World) -> None:
        process.target = target("delete", scope="userName != 'p2@corp.example'")
        await process.run(selection=["people"])

    report = await sent_while(w, newer)
    assert writes(w)[1:] == [("create", mail(3))]
    assert links.count_dirty(w.store, "app") == 4, "also who was made: the new rules have not seen them yet"
    assert report.results[1].paused == "app: the configuration was changed meanwhile: what was planned by the old one is not sent"
    assert not report.results[1].error
    w.target = target("delete", scope="userName != 'p2@corp.example'")
    await concluded(w, 1, 3, 4)


async def test_a_run_whose_configuration_was_changed_while_it_listed_plans_nothing(
    world: MakeWorld, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(cycle, "MOMENT", 0.0)
    w = await established(world, *people(1))
    w.write(people(1, 2))

    class Slow(MemoryConnector):
        async def list(self, *given: Any) -> Any:
            await freed(w)
            process = beside(w)
            process.target = target("delete", scope="userName != 'p2@corp.example'")
            await process.run(selection=["people"])
            process.close()
            return await super().list(*given)

    w.memory = Slow
    with pytest.raises(Busy, match="another configuration"):
        await w.run()
    assert len(writes(w)) == 1
    assert not lease.held(w.store, w.clock.now(), w.lease)


async def test_who_is_projected_cannot_change_before_it_is_written_down(world: MakeWorld, monkeypatch: pytest.MonkeyPatch) -> None:
    """Else what another run knows of them by now would count as seen."""
    w = await established(world, *people(1))
    asked, known = [], links.dirty

    def dirty(store: Store, connection: str) -> Any:
        rows = known(store, connection)
        asked.append(store._open)
        return rows

    monkeypatch.setattr(projecting.links, "dirty", dirty)
    w.write(people(1, 2))
    await w.run()
    assert asked and all(asked)


async def freed(world: World) -> None:
    """Until the people are free, or will not be."""
    for _ in range(1000):
        if "people" not in {row.connection for row in lease.held(world.store, world.clock.now(), world.lease)}:
            return
        await asyncio.sleep(0)


async def test_people_are_free_while_a_target_is_listed_and_while_it_is_written(world: MakeWorld, monkeypatch: pytest.MonkeyPatch) -> None:
    """And nobody's while it is planned; the target is held all along."""
    monkeypatch.setattr(cycle, "MOMENT", 0.0)
    free: dict[str, tuple[list[str], list[str]]] = {}
    w = await established(world, *people(1))

    def look(when: str) -> None:
        held = {row.connection for row in lease.held(w.store, w.clock.now(), w.lease)}
        free[when] = sorted({"people", "app"} - held), sorted(held)

    class Looking(MemoryConnector):
        async def list(self, *given: Any) -> Any:
            await freed(w)
            look("listed")
            return await super().list(*given)

        def steps(self, change: Change) -> tuple[Step, ...]:
            if change.kind is Kind.CREATE and "planned" not in free:
                look("planned")
            return super().steps(change)

        async def perform(self, step: Step) -> Account | None:
            look("sent")
            return await super().perform(step)

    w.memory = Looking
    w.write(people(1, 2))
    await w.run(meanwhile=lambda: look("asked"))
    without = ["people"], ["app"]
    assert free == {"listed": without, "planned": ([], ["app", "people"]), "asked": without, "sent": without}


async def test_so_are_sources_that_this_run_does_not_read(world: MakeWorld) -> None:
    w = await established(world, *people(1))
    w.directory.accounts[next(iter(w.directory.accounts))]["displayName"] = "Somebody's doing"
    seen: list[set[str]] = []

    class Looking(MemoryConnector):
        async def perform(self, step: Step) -> Account | None:
            seen.append({row.connection for row in lease.held(w.store, w.clock.now(), w.lease)})
            return await super().perform(step)

    w.memory = Looking
    await w.run(selection=["app"])
    assert seen == [{"app"}]


async def test_a_target_that_is_done_is_free_while_another_is_written(world: MakeWorld) -> None:
    w = world(target=target("delete"))
    w.extra = [other(w)]
    w.write(people(1, 2))
    gate, seen = Gate(), dict[str, Any]()
    w.memory = gate.memory
    first = asyncio.create_task(w.run())
    await gate.reached.wait()
    second = w.extra[0][1]
    assert isinstance(second, MemoryConnector)
    while "second" in {row.connection for row in lease.held(w.store, w.clock.now(), w.lease)}:
        await asyncio.sleep(0)
    assert len(second.directory.accounts) == 2 and not w.directory.accounts
    process = beside(w)
    process.write(people(1, 2, 3))
    report, _ = await process.run(selection=["people", "second"], wait=0)
    seen["second"] = len(second.directory.accounts)
    with pytest.raises(Busy, match=r"^app: "):
        await process.run(selection=["app"], wait=0)
    process.close()
    gate.opened.set()
    await first
    assert (report.converged, seen, len(w.directory.accounts)) == (True, {"second": 3}, 2)
    await concluded(w, 1, 2, 3)


async def test_what_grew_old_while_it_was_sent_is_read_by_whoever_comes_first(world: MakeWorld) -> None:
    """Evidence of absence is taken anew after 15 minutes: what another run read meanwhile is as good."""
    w = await established(world, *people(1, 2, 3, 4))
    w.write(people(4))
    w.lease = timedelta(hours=3)
    files = []

    async def later(process: World) -> None:
        w.clock.pass_time(timedelta(minutes=20))
        process.write(people(2, 4))
        await process.run(selection=["people"])
        files.append(process.store.value("SELECT listing FROM connection WHERE name = 'people'"))

    await sent_while(w, later)
    assert [who for kind, who in writes(w)[4:]] == [mail(1), mail(3)]
    assert w.store.value("SELECT listing FROM connection WHERE name = 'people'") == files[0], "and is not read again"
    await concluded(w, 2, 4)


async def test_what_grew_old_and_cannot_be_read_again_is_left(world: MakeWorld) -> None:
    w = await established(world, *people(1, 2, 3, 4))
    w.write(people(4))

    async def kept(process: World) -> None:
        w.clock.pass_time(timedelta(minutes=20))
        lease.acquire(process.store, ["people"], "elsewhere", w.clock.now(), timedelta(hours=2))

    w.lease = timedelta(hours=3)
    report = await sent_while(w, kept)
    assert len(writes(w)) == 5 and "its sources could not be read again: people: another run holds its lease" in report.results[1].paused
    w.store.run("UPDATE lease SET until = ''")
    await concluded(w, 4)


async def test_whose_lease_was_lost_says_nothing_of_how_things_stand(world: MakeWorld) -> None:
    """Another run has judged what waits there since."""
    w = await established(world, *people(1, 2, 3))
    w.write(people(1, 2, 3, 4))

    async def taken(process: World) -> None:
        with process.store.transaction():
            process.store.run("UPDATE lease SET token = token + 1 WHERE connection = 'app'")
        process.store.run(
            "INSERT INTO pending (change, connection, object, kind, who, state, hold, reason, run, seen, since)"
            " VALUES ('later', 'app', 'user', 'create', 'x', 'in_doubt', '', 'of a later run', 99, 99, '')"
        )

    await sent_while(w, taken)
    assert w.store.value("SELECT COUNT(*) FROM pending WHERE change = 'later'") == 1
    assert w.store.value("SELECT error FROM connection WHERE name = 'app'") == ""
