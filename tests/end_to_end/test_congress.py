"""Nine snapshots of a real directory, walked in date order into the Twilio sandbox: after each, the accounts are the snapshot."""

from __future__ import annotations

import shutil
from collections.abc import Iterator
from datetime import UTC, datetime
from pathlib import Path

import pytest

from syncd.sandbox import Sandbox, serve
from syncd.store import Store, waiting
from tests.end_to_end.congress import ELECTIONS, SNAPSHOTS, People, accounts, configure, people
from tests.end_to_end.wired import run, settings_of
from tests.world import Clock

pytestmark = pytest.mark.anyio


class Walk:
    """The sandbox, the configuration that points at it, and a clock that stands at each snapshot's date."""

    def __init__(self, root: Path, sandbox: Sandbox, url: str, clock: Clock) -> None:
        self.root, self.sandbox, self.clock = root, sandbox, clock
        self.config = root / "syncd.yaml"
        configure(self.config, sandbox, url)

    def arrive(self, snapshot: Path) -> None:
        self.clock.at = datetime.fromisoformat(snapshot.stem).replace(tzinfo=UTC)
        shutil.copy(snapshot, self.root / "people.csv")

    def accounts(self) -> People:
        return accounts(self.sandbox)

    def store(self) -> Store:
        return Store(settings_of(self.config).store.url)

    def release(self, number: int) -> int:
        store = self.store()
        rows = waiting.of_run(store, number)
        waiting.release(store, [row.id for row in rows], self.clock.now())
        store.close()
        return len(rows)

    def reasons(self) -> set[str]:
        store = self.store()
        found = {str(row.reason) for row in waiting.listing(store)}
        store.close()
        return found

    def identity_of(self, who: str) -> str:
        store = self.store()
        found = str(store.value("SELECT identity FROM identity_key WHERE attribute = 'userName' AND key = :who", who=who))
        store.close()
        return found


@pytest.fixture
def walk(tmp_path: Path) -> Iterator[Walk]:
    clock = Clock()
    sandbox = Sandbox(clock)
    with serve(sandbox) as url:
        yield Walk(tmp_path, sandbox, url, clock)


async def test_the_accounts_follow_every_snapshot_and_only_the_elections_wait_for_a_person(walk: Walk) -> None:
    for snapshot in SNAPSHOTS:
        before = walk.accounts()
        walk.arrive(snapshot)
        report, _ = await run(walk.clock, walk.config)
        wanted = people(snapshot)
        if snapshot.stem in ELECTIONS:
            await _election(walk, report.run, snapshot.stem, before, wanted)
        else:
            assert not report.waiting, snapshot.stem
        assert walk.accounts() == wanted
        await _rests(walk)


async def _election(walk: Walk, number: int, date: str, before: People, wanted: People) -> None:
    """The leavers are held with their arithmetic, everybody else went through; a release lets exactly those go."""
    leavers = before.keys() - wanted.keys()
    left, share, came = ELECTIONS[date]
    told = f"{left} leave ({share}, limit 20): all vanished from people between two readings ({date} 00:00 UTC); {came} came meanwhile"
    assert walk.reasons() == {told}
    assert walk.accounts().keys() == wanted.keys() | leavers
    assert {who: walk.accounts()[who] for who in wanted} == wanted
    assert walk.release(number) == len(leavers)
    report, _ = await run(walk.clock, walk.config)
    assert report.converged
    assert report.results[1].applied == {"create": 0, "adopt": 0, "update": 0, "disable": 0, "delete": len(leavers)}


async def _rests(walk: Walk) -> None:
    """An immediate second run writes nothing and sends only list requests."""
    walk.sandbox.twilio.requests.clear()
    writes = len(walk.sandbox.twilio.log)
    report, _ = await run(walk.clock, walk.config)
    assert report.converged and len(walk.sandbox.twilio.log) == writes
    assert {(one.method, one.path) for one in walk.sandbox.twilio.requests} == {("GET", "/v1/Users")}


async def test_who_moves_between_the_chambers_or_comes_back_keeps_their_identity(walk: Walk) -> None:
    """Ten people move between House and Senate over the years; S001201 leaves and returns."""
    chambers: dict[str, set[str]] = {}
    identities: dict[str, set[str]] = {}
    returned = "s001201@congress.example"
    for snapshot in SNAPSHOTS:
        walk.arrive(snapshot)
        report, _ = await run(walk.clock, walk.config)
        if report.waiting:
            walk.release(report.run)
            await run(walk.clock, walk.config)
        for who, (_, held) in people(snapshot).items():
            chambers.setdefault(who, set()).add(held["chamber"])
        movers = {who for who, seen in chambers.items() if len(seen) > 1} | {returned}
        for who in movers & people(snapshot).keys():
            identities.setdefault(who, set()).add(walk.identity_of(who))
            assert walk.accounts()[who][1]["chamber"] == people(snapshot)[who][1]["chamber"]
    assert len([who for who in identities if len(chambers[who]) > 1]) == 10
    assert all(len(found) == 1 for found in identities.values())
    present = [returned in people(snapshot) for snapshot in SNAPSHOTS]
    assert present.index(False) < len(present) - 1 - present[::-1].index(True), "gone in between, there at the end"
