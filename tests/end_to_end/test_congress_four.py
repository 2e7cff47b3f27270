"""Nine snapshots of a real directory, walked in date order into all four providers at once: after each, everywhere is the snapshot."""

from __future__ import annotations

import shutil
from collections import Counter
from collections.abc import Iterator
from datetime import UTC, datetime
from pathlib import Path

import pytest

from syncd.engine.report import Report
from syncd.sandbox import Sandbox, serve
from syncd.store import Store, waiting
from tests.end_to_end import congress_four as four
from tests.end_to_end.congress import ELECTIONS, SNAPSHOTS
from tests.end_to_end.congress_four import CHAMBERS, People
from tests.end_to_end.wired import differences, run, settings_of
from tests.world import Clock

pytestmark = pytest.mark.anyio
TARGETS = ("chat", "app", "bots", "sql")
LISTS = {"/v1/Users", "/v1/users", "/v1/partner/user/list", "/api/get-user-info", "/api/list-orgs", "/api/list-tenants", "/api/list-users"}


class Walk:
    """The sandbox, the configuration that points at it, and a clock that stands at each snapshot's date."""

    def __init__(self, root: Path, sandbox: Sandbox, url: str, clock: Clock) -> None:
        self.root, self.sandbox, self.clock, self.config = root, sandbox, clock, root / "syncd.yaml"
        self.config.write_text(four.config(sandbox, url))

    async def arrive(self, snapshot: Path) -> Report:
        self.clock.at = datetime.fromisoformat(snapshot.stem).replace(tzinfo=UTC)
        shutil.copy(snapshot, self.root / "people.csv")
        return await self.run(mode="full")

    async def run(self, mode: str = "delta") -> Report:
        for one in self.sandbox.providers.values():
            one.journal.clear()  # type: ignore[attr-defined]
        return (await run(self.clock, self.config, mode=mode))[0]

    def store(self) -> Store:
        return Store(settings_of(self.config).store.url)

    def held(self) -> list[tuple[str, str, str, str]]:
        """(connection, object, code of the hold, reason) of all that waits."""
        store = self.store()
        found = [(row.connection, f"{row.kind} {row.object}", row.hold, row.reason) for row in waiting.listing(store)]
        store.close()
        return found

    def release(self) -> None:
        store = self.store()
        waiting.release(store, [row.id for row in waiting.listing(store, state="held")], self.clock.now())
        store.close()


@pytest.fixture
def walk(tmp_path: Path) -> Iterator[Walk]:
    clock = Clock()
    sandbox = Sandbox(clock)
    with serve(sandbox) as url:
        yield Walk(tmp_path, sandbox, url, clock)


async def test_four_directories_follow_every_snapshot_and_only_elections_and_movers_wait_for_a_person(walk: Walk) -> None:
    before: People = {}
    everybody: set[str] = set()
    movers: Counter[str] = Counter()
    for snapshot in SNAPSHOTS:
        wanted = four.people(snapshot)
        report = await walk.arrive(snapshot)
        moved = {who for who in wanted.keys() & before.keys() if wanted[who][1]["chamber"] != before[who][1]["chamber"]}
        movers.update(moved)
        _waits(walk, snapshot.stem, moved, len(everybody))
        if report.waiting:
            await _released(walk, before, wanted, moved, election=snapshot.stem in ELECTIONS)
        assert four.accounts(walk.sandbox) == dict.fromkeys(TARGETS, wanted), snapshot.stem
        _in_their_tenants(walk, wanted)
        everybody |= wanted.keys()
        assert {user["email"] for user in walk.sandbox.appwrite.project.users.values()} == everybody, "there, leavers are only disabled"
        await _rests(walk)
        before = wanted
    assert len(movers) == 10
    assert await differences(walk.clock, walk.config) == []


def _waits(walk: Walk, date: str, moved: set[str], everybody: int) -> None:
    """At each target the leavers of an election, with their arithmetic; at Waii, who changes chamber: what dies, and what is made."""
    held = Counter(walk.held())
    expected: Counter[tuple[str, str, str]] = Counter()
    if moved:
        expected.update({("sql", "delete user", "key"): len(moved), ("sql", "create user", "key"): len(moved)})
    if date in ELECTIONS:
        left, share, came = ELECTIONS[date]
        cause = f"all vanished from people between two readings ({date} 00:00 UTC); {came} came meanwhile"
        for name in TARGETS:
            of, kind = (f"{100 * left / everybody:.0f} % of {everybody}", "disable") if name == "app" else (share, "delete")
            assert held[name, f"{kind} user", "limit", f"{left} leave ({of}, limit 20): {cause}"] == left
            expected[name, f"{kind} user", "limit"] = left
    found: Counter[tuple[str, str, str]] = Counter()
    for (name, what, code, _), number in held.items():
        found[name, what, code] += number
    assert found.pop(("sql", "create tenant", "key"), 0) <= len(moved), "held with those who need them"
    assert found == expected, date


async def _released(walk: Walk, before: People, wanted: People, moved: set[str], *, election: bool) -> None:
    """Everybody else went through; a release lets exactly those go."""
    for name, there in four.accounts(walk.sandbox).items():
        stay = wanted.keys() - moved if name == "sql" else wanted.keys()
        assert {who: there[who] for who in stay} == {who: wanted[who] for who in stay}, name
    walk.release()
    report = await walk.run()
    assert report.converged, walk.held()
    gone = len(before.keys() - wanted.keys()) if election else 0
    applied = {one.name: (one.applied["create"], one.applied["delete"], one.applied["disable"]) for one in report.results}
    assert applied == {
        "people": (0, 0, 0), "chat": (0, gone, 0), "app": (0, 0, gone), "bots": (0, gone, 0), "sql": (len(moved), gone + len(moved), 0),
    }  # fmt: skip


def _in_their_tenants(walk: Walk, wanted: People) -> None:
    """The tenants are exactly the states, by chamber, that somebody comes from; both chambers have the names the configuration gives."""
    homes = four.homes(wanted)
    tenants = {tenant: organization for organization, tenant in homes.values()}
    assert four.tree(walk.sandbox) == (CHAMBERS, tenants, homes)
    assert len({tenant.partition("-")[2] for tenant in tenants}) == 56


async def _rests(walk: Walk) -> None:
    """An immediate second run writes nothing and sends only list requests."""
    report = await walk.run()
    assert report.converged
    requests = {one.path for provider in walk.sandbox.providers.values() for one in provider.journal.requests}  # type: ignore[attr-defined]
    assert [one for provider in walk.sandbox.providers.values() for one in provider.journal.log] == []  # type: ignore[attr-defined]
    assert requests <= LISTS
