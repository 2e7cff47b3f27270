"""The nine snapshots of a real directory, walked in date order into the Appwrite sandbox: after each, who is enabled is the snapshot."""

from __future__ import annotations

import csv
import shutil
from collections.abc import Mapping
from datetime import UTC, datetime
from pathlib import Path

import pytest

from tests.end_to_end.app import App, prefs
from tests.end_to_end.congress import ELECTIONS, SNAPSHOTS
from tests.end_to_end.office import result
from tests.end_to_end.wired import run

pytestmark = pytest.mark.anyio
MAPPED = {"title": "title", "chamber": "organization", "state": "tenant", "party": "department"}
"""Member of prefs -> column. Phones stay away: members of one office share one, and here it is unique."""
WRITE = "{{attributes: {{phone: null, {}}}, deprovision: {{out_of_scope: disable, departed: disable}}}}".format(
    ", ".join(f"prefs.{name}: {source}" for name, source in MAPPED.items())
)
CONFIG = """
version: 1
connections:
  people: {{connector: file, path: people.csv, id: employeeNumber, authoritative: true,
            read: {{attributes: {{userName: email, displayName: name}}}}}}
  app:
    connector: appwrite
    base_url: {url}/v1
    project: {project}
    api_key: {key}
    write: {write}
"""
People = Mapping[str, tuple[str, Mapping[str, str]]]
"""E-mail address -> (name, prefs)"""


def people(snapshot: Path) -> People:
    with snapshot.open(encoding="utf-8", newline="") as file:
        rows = list(csv.DictReader(file))
    return {row["email"].lower(): (row["name"], {key: row[column] for key, column in MAPPED.items() if row[column]}) for row in rows}


def enabled(app: App) -> People:
    users = app.project.users.values()
    return {user["email"]: (user["name"], prefs(user)) for user in users if user["status"]}


def arrive(app: App, snapshot: Path) -> None:
    app.clock.at = datetime.fromisoformat(snapshot.stem).replace(tzinfo=UTC)
    shutil.copy(snapshot, app.root / "people.csv")


async def test_who_is_enabled_follows_every_snapshot_and_only_the_elections_wait_for_a_person(app: App) -> None:
    app.config.write_text(CONFIG.format(url=app.url, project=app.appwrite.project_id, key=app.appwrite.api_key, write=WRITE))
    seen: set[str] = set()
    for snapshot in SNAPSHOTS:
        before, wanted = enabled(app), people(snapshot)
        arrive(app, snapshot)
        report, _ = await run(app.clock, app.config, mode="full")
        if snapshot.stem in ELECTIONS:
            await _election(app, snapshot.stem, before, wanted, owned=len(seen))
        else:
            assert not report.waiting, (snapshot.stem, app.pending())
        assert enabled(app) == wanted, snapshot.stem
        seen |= wanted.keys()
        assert {user["email"] for user in app.project.users.values()} == seen, "nobody is deleted, and who returns has one account"
        assert all(len(user["labels"]) == 1 for user in app.project.users.values())
        await _rests(app)


async def _election(app: App, date: str, before: People, wanted: People, owned: int) -> None:
    """The leavers are held with their arithmetic, everybody else went through; a release lets those go. Who is disabled is owned."""
    left, _, came = ELECTIONS[date]
    share = f"{100 * left / owned:.0f} % of {owned}"
    told = f"{left} leave ({share}, limit 20): all vanished from people between two readings ({date} 00:00 UTC); {came} came meanwhile"
    assert {reason for _, _, _, reason in app.pending()} == {told}
    assert enabled(app).keys() == wanted.keys() | before.keys()
    assert app.release() == len(before.keys() - wanted.keys()) == left
    report, _ = await run(app.clock, app.config, mode="full")
    assert report.converged
    assert result(report, "app").applied == {"create": 0, "adopt": 0, "update": 0, "disable": left, "delete": 0}


async def _rests(app: App) -> None:
    """An immediate second run writes nothing and sends only list requests."""
    app.appwrite.journal.clear()
    report, _ = await run(app.clock, app.config)
    assert report.converged and app.log() == []
    assert {(one.method, one.path) for one in app.appwrite.requests} == {("GET", "/v1/users")}
