"""A provider that can tell what changed is asked for that alone; everything is read again once a day, on request, and where it matters."""

from __future__ import annotations

from datetime import timedelta
from typing import Any, ClassVar

import pytest

from syncd.connectors.memory import MemoryConnector, MemoryOptions
from syncd.errors import InDoubt, Rejected, Retryable
from syncd.model import Account, Connection, Cursor, Page, Rate, Watermark
from syncd.store import connections, staging, waiting
from tests.engine.worlds import MakeWorld, mail, people, target, writes
from tests.world import World, entries, person, planned

pytestmark = pytest.mark.anyio


class Listening(MemoryConnector):
    """Notes from which watermark each listing began; None = everything."""

    began: ClassVar[list[Watermark | None]] = []

    async def list(self, cursor: Cursor | None, since: Watermark | None = None) -> Page:
        if cursor is None:
            self.began.append(since)
        return await super().list(cursor, since)


@pytest.fixture(autouse=True)
def _nothing_noted() -> None:
    Listening.began.clear()


async def settled(world: MakeWorld, *numbers: int, **more: Any) -> World:
    w = world(delta=True, memory=Listening, **more)
    w.write(people(*numbers))
    await w.run()
    assert Listening.began == [None]
    return w


def asked() -> list[bool]:
    """Whether each listing since the last call was of changes alone."""
    deltas = [one is not None for one in Listening.began]
    Listening.began.clear()
    return deltas


async def test_after_a_full_listing_only_what_changed_is_read(world: MakeWorld) -> None:
    w = await settled(world, 1, 2, 3)
    w.account(mail(2))["displayName"] = "By hand"
    w.write([*people(1, 2, 3), person(4)])
    report, plan = await w.run()
    assert asked() == [False, True]
    listing = report.results[1].listing
    assert listing is not None
    assert (listing.delta, listing.changed, listing.accounts, listing.complete) == (True, 3, 0, True), (
        "all three are new since the first listing, one of them was moved"
    )
    assert planned(plan) == [("create", mail(4), ""), ("update", mail(2), "")]
    report, plan = await w.run()
    assert (planned(plan), report.converged, w.verify()) == ([], True, [])


async def test_nobody_is_missing_from_a_delta(world: MakeWorld) -> None:
    w = await settled(world, 1, 2, target=target("delete", grace=timedelta(0)))
    (gone,) = (id for id, one in w.directory.accounts.items() if one["userName"] == mail(1))
    del w.directory.accounts[gone]
    for full, found in ((False, []), (True, [("create", mail(1), "")])):
        report, plan = await w.run("full" if full else "delta")
        assert (planned(plan), report.converged) == (found, True)


@pytest.mark.parametrize(("passes", "delta"), [(timedelta(hours=23), True), (timedelta(hours=24), False), (timedelta(hours=-1), False)])
async def test_once_a_day_everything_is_read(world: MakeWorld, passes: timedelta, delta: bool) -> None:
    w = await settled(world, 1)
    w.clock.pass_time(passes)
    await w.run()
    assert asked() == [False, delta]


async def test_a_plan_can_be_asked_to_read_everything(world: MakeWorld) -> None:
    w = await settled(world, 1)
    await w.run("plan")
    await w.run("plan", full=True)
    assert asked() == [False, True, False]


async def test_while_a_create_is_in_doubt_everything_is_read(world: MakeWorld) -> None:
    w = await settled(world, 1)
    w.write(people(1, 2))
    w.directory.fail_next("create", InDoubt("lost"))
    await w.run()
    await w.run()
    w.clock.pass_time(timedelta(minutes=1))
    report, _ = await w.run()
    assert (asked(), report.converged) == ([False, True, False, False], True)
    await w.run()
    assert asked() == [True]


async def test_a_delta_that_fails_is_an_error_and_everything_is_read_next_time(world: MakeWorld) -> None:
    w = await settled(world, 1)
    w.directory.shown.clear()
    report, _ = await w.run()
    assert report.results[1].error == "the watermark is not known any more"
    report, _ = await w.run()
    assert (asked(), report.converged) == ([False, True, False], True)


async def test_after_a_listing_that_proved_nothing_everything_is_read(world: MakeWorld) -> None:
    w = await settled(world, 1)
    w.directory.fail_next("list", Retryable("HTTP 503"))
    await w.run("full")
    await w.run()
    assert asked() == [False, False, False]


async def test_a_full_listing_that_was_cut_short_is_begun_anew(world: MakeWorld) -> None:
    """A process that died in it leaves the watermark of before, and no proof of who is there."""
    w = await settled(world, 1)
    staging.begin(w.store, "app", w.clock.now())
    await w.run()
    assert asked() == [False, False]
    known = connections.row(w.store, "app")
    assert known is not None and known.complete


async def test_what_waits_in_a_record_that_was_not_read_again_waits_on(world: MakeWorld) -> None:
    """A record that cannot be read is reported until it can; a delta shows only the one that was mended."""

    class Picky(Listening):
        def parse(self, record: bytes) -> Account:
            account = super().parse(record)
            if account.attributes.get("title") == "unreadable":
                raise Rejected("no", account=account.id)
            return account

    w = world(delta=True, memory=Picky)
    w.write(people(1))
    for id in ("a", "b"):
        w.directory.add(id, userName=id, title="unreadable")
    await w.run()
    await w.run()
    await w.run()
    assert [row.account for row in waiting.listing(w.store)] == ["a", "b"]
    assert asked() == [False, False, True], "what is unreadable for the first time is asked for once more"
    w.directory.accounts["a"]["title"] = "readable"
    report, _ = await w.run()
    assert (asked(), [row.account for row in waiting.listing(w.store)], report.results[1].rejected) == ([True], ["b"], 1)
    w.directory.accounts["b"]["title"] = "readable"
    await w.run("full")
    assert waiting.listing(w.store) == []


async def test_a_reading_under_another_map_reads_everything(world: MakeWorld) -> None:
    w = await settled(world, 1)
    w.ignore = ("nobody",)
    await w.run()
    assert asked() == [False, False]
    row = connections.row(w.store, "app")
    assert row is not None and row.watermark is not None


def source(w: World, memory: type[MemoryConnector] = Listening) -> tuple[Connection, MemoryConnector]:
    """A second directory that makes people, and tells what changed there."""
    options = MemoryOptions(directory=f"{w.root}/hr", delta=True)
    connection = Connection(
        "hr", "memory", options.binding(), "hr", authoritative=True, read=entries(options.capability().read_defaults)
    )  # fmt: skip
    return connection, memory(options, environment=w.clock, rate=Rate(), writable=False)


async def test_who_leaves_a_source_that_tells_changes_is_found_by_a_full_reading_and_proven_by_another(world: MakeWorld) -> None:
    w = world(target=target("delete", grace=timedelta(0)))
    w.write(people(1))
    hr, connector = source(w)
    w.extra = [(hr, connector)]
    for id in ("a", "b", "c"):
        connector.directory.add(id, userName=f"{id}@hr", displayName=id)
    await w.run()
    del connector.directory.accounts["b"]
    connector.directory.accounts["c"]["active"] = False
    _, plan = await w.run()
    assert planned(plan) == [("disable", "c@hr", "")], "a positive record of a delta is evidence enough"
    w.limits = {}
    _, plan = await w.run("plan", full=True)
    assert planned(plan) == [("delete", "b@hr", "")]
    asked()
    w.clock.pass_time(timedelta(minutes=20))
    _, plan = await w.run()
    assert planned(plan) == [("delete", "b@hr", "")]
    assert asked() == [True, False], "the absence of b was seen 20 minutes ago: it is proven anew before b is deleted"
    assert writes(w)[-1] == ("delete", "b@hr")
