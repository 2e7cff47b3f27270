"""A whole listing that was cut off goes on where it stood, and proves as much as one in one go."""

from __future__ import annotations

from datetime import timedelta
from typing import Any

import pytest

from syncd.connectors.memory import MemoryConnector
from syncd.engine import resuming
from syncd.errors import Quarantined, Retryable
from syncd.model import Account, Cursor, Flaw, Page, Ref, Watermark
from syncd.store import connections, staging, stretches
from tests.engine.cut_off import ALL, cut, failing, going_on, world_of
from tests.engine.test_crash_points import Crash
from tests.engine.test_ending import open_again
from tests.engine.worlds import MakeWorld, established, mail, people, writes
from tests.world import planned

pytestmark = pytest.mark.anyio


@pytest.fixture(autouse=True)
def _a_place_a_page(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(resuming, "EVERY", 0.0)


@pytest.mark.parametrize("error", [Retryable("HTTP 503"), Quarantined("HTTP 403"), Crash("kill -9")], ids=lambda one: type(one).__name__)
async def test_it_goes_on_at_the_last_page_that_is_stored(world: MakeWorld, error: BaseException) -> None:
    w = world_of(world)
    await cut(w, error)
    assert int(w.store.value("SELECT COUNT(*) FROM account WHERE connection = 'app'")) == 12
    cursors, told = await going_on(w)
    assert cursors == ALL[3:]
    assert told == ["the listing that began 2026-01-01 00:00 UTC was cut off: it goes on at page 4"]
    row = connections.row(w.store, "app")
    assert row is not None and (row.complete, row.accounts, row.pages) == (1, 20, 7)
    assert stretches.last(w.store, "app") is None
    assert (await going_on(w)) == (ALL, [])
    assert w.verify() == []


async def test_a_process_that_is_asked_to_end_keeps_what_came(world: MakeWorld) -> None:
    w = world_of(world)

    class Ended(MemoryConnector):
        async def list(self, cursor: Cursor | None, since: Watermark | None = None) -> Page:
            if cursor == ALL[4]:
                w.clock.end()
            return await super().list(cursor, since)

    w.memory = Ended
    await w.run()
    open_again(w)
    assert (await going_on(w))[0] == ALL[3:], "the page on its way is received, and read again"


async def test_it_is_cut_off_again_and_again(world: MakeWorld) -> None:
    w = world_of(world)
    for _ in ALL[2:]:
        await cut(w, Retryable("HTTP 503"), at=3)
    assert (await going_on(w))[0] == ALL[5:]
    assert int(w.store.value("SELECT COUNT(*) FROM account WHERE connection = 'app'")) == 20


async def test_cut_off_on_its_first_page_it_begins_anew(world: MakeWorld) -> None:
    w = world_of(world)
    await cut(w, Retryable("HTTP 503"), at=2)
    assert await going_on(w) == (ALL, [])


async def test_known_accounts_that_the_first_half_showed_are_seen(world: MakeWorld) -> None:
    """Nothing of them is stored anew: that they were shown is remembered with the place."""
    w = world_of(world)
    await w.run()
    for gone in ("s01", "s16"):
        del w.directory.accounts[gone]
    fetched: list[str] = []
    await cut(w, Crash("kill -9"))

    class Fetched(MemoryConnector):
        async def fetch(self, ref: Ref) -> Any:
            fetched.append(ref.id)
            return await super().fetch(ref)

    w.memory = Fetched
    report, _ = await w.run()
    assert (report.results[1].error, sorted(fetched)) == ("", ["s01", "s16"])
    assert [row.account for row in w.store.rows("SELECT account FROM account WHERE gone_at IS NOT NULL ORDER BY 1")] == ["s01", "s16"]
    assert report.results[1].listing is not None and report.results[1].listing.changed == 0


async def test_what_moved_between_the_halves_makes_nobody_a_leaver(world: MakeWorld) -> None:
    """One comes, one is changed, one goes behind the place; the same before it."""
    w = await established(world, *people(1, 2, 3, 4, 5, 6, 7, 8), resumes=True, page=2)
    ids = sorted(w.directory.accounts)
    await cut(w, Retryable("HTTP 503"), at=4)
    w.directory.accounts[ids[0]]["title"] = w.directory.accounts[ids[7]]["title"] = "by hand"
    stranger = w.directory.add(f"{ids[1]}a", userName="stranger")
    del w.directory.accounts[ids[2]], w.directory.accounts[ids[6]]
    w.memory = MemoryConnector
    w.clock.pass_time(timedelta(minutes=1))
    report, _ = await w.run()
    assert [call for call in writes(w)[8:] if call[0] == "delete"] == [], report
    await w.run("full")
    report, plan = await w.run("full")
    assert (report.converged, planned(plan), w.verify()) == (True, [], [])
    assert {one["userName"] for one in w.directory.accounts.values()} == {"stranger", *(mail(n) for n in range(1, 9))}
    assert w.directory.accounts[stranger] == {"userName": "stranger"}


async def test_an_account_made_between_the_halves_by_syncd_does_not_prove_the_listing_incomplete(world: MakeWorld) -> None:
    """Its id sorts before the place; it was written long before the listing's end, and yet after its beginning."""
    w = await established(world, *people(1, 2, 3, 4), resumes=True, page=1)
    for one in ("z1", "z2", "z3"):
        w.directory.add(one, userName=one)
    await w.run("full")
    w.directory.mint = lambda: "a0"  # type: ignore[method-assign]
    w.write(people(1, 2, 3, 4, 5))
    await cut(w, Retryable("HTTP 503"), at=5)
    if "a0" not in w.directory.accounts:  # an incomplete listing lets newcomers through
        raise AssertionError(writes(w))
    w.clock.pass_time(timedelta(minutes=10))
    report = (await w.run())[0]
    assert report.results[1].error == "" and report.converged


async def test_a_flaw_of_the_first_half_counts(world: MakeWorld) -> None:
    """A record without an id makes the joined listing incomplete, one with an id is seen and reported."""

    def spoiled(at: int, flaw: Flaw, error: BaseException | None) -> type[MemoryConnector]:
        class Spoiled(failing(5, error) if error else MemoryConnector):  # type: ignore[misc]
            async def list(self, cursor: Cursor | None, since: Watermark | None = None) -> Page:
                page = await super().list(cursor, since)
                return Page(page.records, page.first, page.next, complete=page.complete, flaws=[flaw] if page.first == at else [])

        return Spoiled

    w = world_of(world)
    for flaw, defect, waits in [
        (Flaw("record 9", "no JSON"), "record 9: no JSON", [("rejected", "", "record 9")]),
        (Flaw("record 9", "no JSON", "x9"), "", [("rejected", "", "x9")]),
    ]:
        w.memory = spoiled(6, flaw, Retryable("HTTP 503"))
        await w.run()
        w.memory = spoiled(99, flaw, None)
        report, _ = await w.run()
        assert (report.results[1].error, w.pending()) == (defect, waits)


async def test_records_that_could_not_be_stored_are_behind_no_place(world: MakeWorld) -> None:
    """Their batch fails as a whole; what was to be stored with it is read again."""
    w = world_of(world)

    class Drifting(MemoryConnector):
        def parse(self, record: bytes) -> Account:
            if b"stranger10" in record:
                raise Quarantined("the format has changed")
            return super().parse(record)

    w.memory = Drifting
    report, _ = await w.run()
    assert report.results[1].error == "the format has changed"
    assert (await going_on(w))[0][0] in (None, "6:s05")
    assert int(w.store.value("SELECT COUNT(*) FROM account WHERE connection = 'app'")) == 20


async def test_evidence_is_as_old_as_the_first_half(world: MakeWorld) -> None:
    """A source whose listing was joined 20 minutes later is read once more before anybody leaves because of it."""
    w = world_of(world)
    began = w.clock.now()
    await cut(w, Retryable("HTTP 503"))
    w.clock.pass_time(timedelta(minutes=20))
    await going_on(w)
    row = connections.row(w.store, "app")
    assert row is not None and row.complete
    assert {row.sealed_at, row.last_full, row.last_delta} == {began.strftime("%Y-%m-%dT%H:%M:%S.%fZ")}


async def test_what_is_not_believed_any_more_leaves_no_place(world: MakeWorld) -> None:
    w = world_of(world)
    await cut(w, Retryable("HTTP 503"))
    with w.store.transaction():
        staging.distrust(w.store, "app")
    assert await going_on(w) == (ALL, [])
