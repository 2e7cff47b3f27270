"""Where no answer proves absence, time does: three complete listings over a day, and nothing before."""

from __future__ import annotations

from dataclasses import replace
from datetime import timedelta
from typing import Any

import pytest

from syncd.connectors.memory import MemoryConnector
from syncd.model import Account, Fading, Gone, Page, Ref, Unknown
from tests.engine.worlds import MakeWorld, established, mail, names, people, writes
from tests.world import World, planned

pytestmark = pytest.mark.anyio

HOURS = timedelta(hours=12)


class Reticent(MemoryConnector):
    """Never says Gone; accounts live in the container that their ``department`` names, and only ``listed`` ones are listed."""

    listed = frozenset({"north", "south"})

    def __init__(self, *given: Any, **more: Any) -> None:
        super().__init__(*given, **more)
        self.capability = replace(self.capability, gone=False, fading=Fading())

    def parse(self, record: bytes, object: str = "user") -> Account:
        account = super().parse(record)
        return replace(account, container=account.attributes.get("department"), protected=account.attributes.get("title") == "root")

    async def list(self, cursor: Any, since: Any = None) -> Page:
        """One page for each container, an empty one for the containers themselves."""
        page = await super().list(None)
        place = 0 if cursor is None else int(cursor)
        containers = sorted(self.listed)
        following = str(place + 1) if place < len(containers) else None
        if place == 0:
            return Page([], next=following, object="organization", complete=following is None)  # type: ignore[arg-type]
        here = containers[place - 1]
        records = [record for record in page.records if self.parse(record).container == here]
        return replace(page, records=records, first=0, next=following, complete=following is None, container=here)  # type: ignore[arg-type]

    async def fetch(self, ref: Ref) -> Account | Gone | Unknown:
        found = await super().fetch(ref)
        return Unknown("absence is not proven") if isinstance(found, Gone) else found


async def reticent(world: MakeWorld) -> World:
    """Three people, whose accounts a listing has shown: their bytes are known."""
    w = await established(world, *people(1, 2, 3, department="north"), memory=Reticent)
    assert (await w.run())[0].converged
    return w


async def passing(w: World, times: int) -> int:
    """How many accounts a number of runs, half a day apart, wrote."""
    before = len(writes(w))
    for _ in range(times):
        report, _ = await w.run()
        assert not report.failed, report
        w.clock.pass_time(HOURS)
    return len(writes(w)) - before


def lose(w: World, number: int) -> dict[str, Any]:
    id = next(id for id, one in w.directory.accounts.items() if one["userName"] == mail(number))
    return {"id": id, **w.directory.accounts.pop(id)}


async def test_three_complete_listings_over_a_day_prove_an_account_gone(world: MakeWorld) -> None:
    w = await reticent(world)
    lose(w, 1)
    assert await passing(w, 2) == 0
    assert await passing(w, 1) == 1
    assert names(w) == {mail(1), mail(2), mail(3)}, "made again"


async def test_many_listings_in_an_hour_prove_nothing(world: MakeWorld) -> None:
    w = await reticent(world)
    lose(w, 1)
    for _ in range(5):
        await w.run()
        w.clock.pass_time(timedelta(minutes=10))
    assert len(writes(w)) == 3
    w.clock.pass_time(timedelta(hours=24))
    await w.run()
    assert len(writes(w)) == 4


async def test_a_day_between_two_listings_proves_nothing(world: MakeWorld) -> None:
    w = await reticent(world)
    lose(w, 1)
    await w.run()
    w.clock.pass_time(timedelta(days=30))
    await w.run()
    assert len(writes(w)) == 3


async def test_an_account_that_is_back_begins_anew(world: MakeWorld) -> None:
    w = await reticent(world)
    gone = lose(w, 1)
    await passing(w, 2)
    w.directory.add(**gone)
    await passing(w, 1)
    assert w.store.value("SELECT max(missing_times) FROM account") == 0
    del w.directory.accounts[gone["id"]]
    assert await passing(w, 2) == 0
    assert await passing(w, 1) == 1


async def test_an_account_that_an_incomplete_listing_shows_begins_anew_too(world: MakeWorld) -> None:
    w = await reticent(world)
    gone = lose(w, 1)
    other = lose(w, 2)
    await passing(w, 2)
    w.directory.add(**gone)
    w.directory.add(**other)
    w.directory.hidden = {other["id"]}
    report, _ = await w.run()
    assert report.failed
    times = {row.account: row.missing_times for row in w.store.rows("SELECT account, missing_times FROM account WHERE connection = 'app'")}
    assert (times[gone["id"]], times[other["id"]]) == (0, 2), "what an incomplete listing lacks is not counted"


async def test_an_account_that_answers_by_itself_proves_the_list_incomplete(world: MakeWorld) -> None:
    w = await reticent(world)
    w.clock.pass_time(timedelta(hours=1))
    w.directory.hidden = {id for id, one in w.directory.accounts.items() if one["userName"] == mail(2)}
    report, _ = await w.run()
    assert "and yet exists" in {one.name: one.error for one in report.results}["app"]


async def test_a_container_that_is_not_listed_any_more_proves_the_list_incomplete(world: MakeWorld) -> None:
    w = await reticent(world)

    class Shrunk(Reticent):
        listed = frozenset({"south"})

    w.memory = Shrunk
    for _ in range(4):
        report, plan = await w.run()
        w.clock.pass_time(HOURS)
        assert planned(plan) == []
        assert "north is not listed any more" in {one.name: one.error for one in report.results}["app"]
    w.memory = Reticent
    report, _ = await w.run()
    assert report.converged


async def test_a_leaver_deleted_elsewhere_meanwhile_is_let_go_at_last(world: MakeWorld) -> None:
    w = await reticent(world)
    w.write(people(1, 2, department="north"))
    lose(w, 3)
    await passing(w, 4)
    assert w.store.value("SELECT count(*) FROM account WHERE connection = 'app' AND gone_at IS NOT NULL") == 1
    assert (await w.run())[0].converged


async def test_a_protected_account_is_nobodys(world: MakeWorld) -> None:
    w = world(memory=Reticent)
    w.directory.add("boss", userName=mail(1), department="north", title="root")
    w.write(people(1, department="north"))
    report, plan = await w.run()
    assert (writes(w), [kind for kind, _, _ in planned(plan)]) == ([], ["create"])
    assert report.waiting, "it exists already, under this name"
