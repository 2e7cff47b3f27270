"""Nine snapshots of a real directory, walked in date order into the Twilio sandbox: after each, the accounts are the snapshot."""

from __future__ import annotations

import csv
import shutil
from collections.abc import Iterator
from datetime import UTC, datetime
from pathlib import Path

import pytest

from syncd.sandbox import Sandbox, serve
from syncd.store import Store, waiting
from tests.end_to_end.wired import run, settings_of
from tests.world import Clock

pytestmark = pytest.mark.anyio
SNAPSHOTS = sorted((Path(__file__).parent.parent / "data" / "congress").glob("*.csv"))
ELECTIONS = {
    "2023-02-01": "78 leave (14 % of 538, limit 20): all vanished from people between two readings (2023-02-01 00:00 UTC); 79 came",
    "2025-02-01": "69 leave (13 % of 536, limit 20): all vanished from people between two readings (2025-02-01 00:00 UTC); 72 came",
}
MAPPED = {"phone": "phone", "title": "title", "chamber": "organization", "state": "tenant", "party": "department"}
CONFIG = """
version: 1
connections:
  people: {{connector: file, path: people.csv, id: employeeNumber, authoritative: true,
            read: {{attributes: {{userName: email, displayName: name}}}}}}
  chat:
    connector: twilio
    base_url: {url}
    account_sid: {account}
    auth_token: {token}
    write:
      attributes: {{{mapped}}}
      deprovision: {{out_of_scope: delete, departed: delete, grace: 0s}}
"""


class Walk:
    """The sandbox, the configuration that points at it, and a clock that stands at each snapshot's date."""

    def __init__(self, root: Path, sandbox: Sandbox, url: str, clock: Clock) -> None:
        self.root, self.sandbox, self.clock = root, sandbox, clock
        self.config = root / "syncd.yaml"
        mapped = ", ".join(f"attributes.{name}: {source}" for name, source in MAPPED.items())
        twilio = sandbox.twilio
        self.config.write_text(CONFIG.format(url=url, account=twilio.account_sid, token=twilio.auth_token, mapped=mapped))

    def arrive(self, snapshot: Path) -> None:
        self.clock.at = datetime.fromisoformat(snapshot.stem).replace(tzinfo=UTC)
        shutil.copy(snapshot, self.root / "people.csv")

    def accounts(self) -> dict[str, tuple[str, dict[str, str]]]:
        """identity -> (friendly name, mapped attributes)"""
        import orjson

        users = self.sandbox.twilio.service().users.values()
        read = {user["identity"]: (user["friendly_name"], orjson.loads(user["attributes"])) for user in users}
        return {who: (name, {key: held[key] for key in MAPPED if key in held}) for who, (name, held) in read.items()}

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


def people(snapshot: Path) -> dict[str, tuple[str, dict[str, str]]]:
    with snapshot.open(encoding="utf-8", newline="") as file:
        rows = list(csv.DictReader(file))
    return {row["email"]: (row["name"], {key: row[column] for key, column in MAPPED.items() if row[column]}) for row in rows}


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


async def _election(walk: Walk, number: int, date: str, before: dict[str, object], wanted: dict[str, object]) -> None:
    """The leavers are held with their arithmetic, everybody else went through; a release lets exactly those go."""
    leavers = before.keys() - wanted.keys()
    assert walk.reasons() == {ELECTIONS[date] + " meanwhile"}
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
