"""A backup, a week of changes, a restore, typed, with all four providers: nothing doubled, nothing rewritten, no leaver but by a person."""

from __future__ import annotations

import csv
import io
import json
from collections.abc import Iterator, Sequence
from contextlib import redirect_stderr, redirect_stdout
from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest

from syncd.cli.main import main
from syncd.sandbox import Sandbox, serve
from tests import stores
from tests.end_to_end import congress_four as four
from tests.end_to_end.congress import SNAPSHOTS
from tests.world import Clock

TARGETS = ("chat", "app", "bots", "sql")
Rows = list[dict[str, str]]


class Desk:
    """Somebody who types commands; the clock goes on a minute for each."""

    def __init__(self, root: Path, sandbox: Sandbox, url: str, clock: Clock) -> None:
        self.root, self.sandbox, self.clock, self.config = root, sandbox, clock, root / "syncd.yaml"
        self.config.write_text(four.config(sandbox, url))
        with SNAPSHOTS[0].open(encoding="utf-8", newline="") as file:
            self.rows: Rows = list(csv.DictReader(file))[:45]

    def employ(self, rows: Rows) -> None:
        with (self.root / "people.csv").open("w", newline="", encoding="utf-8") as file:
            writer = csv.DictWriter(file, self.rows[0])
            writer.writeheader()
            writer.writerows(rows)

    def run(self, *line: str, code: int = 0) -> str:
        self.clock.pass_time(timedelta(minutes=1))
        out, err = io.StringIO(), io.StringIO()
        with redirect_stdout(out), redirect_stderr(err):
            ended = main(["--config", str(self.config), *line], stores.environ(self.root), self.clock)
        print(out.getvalue(), err.getvalue())
        assert ended == code, line
        return out.getvalue()

    def sync(self, code: int = 0) -> int:
        """How many writes it took."""
        before = self.writes()
        self.run("sync", "--yes", code=code)
        return self.writes() - before

    def writes(self) -> int:
        return sum(len(one.journal.log) for one in self.sandbox.providers.values())  # type: ignore[attr-defined]

    def held(self) -> Sequence[dict[str, Any]]:
        found: list[dict[str, Any]] = json.loads(self.run("held", "list", "--json"))["items"]
        return found

    def everywhere(self, rows: Rows) -> None:
        """Each of them once at each provider, and nobody else."""
        self.employ(rows)
        assert four.accounts(self.sandbox) == dict.fromkeys(TARGETS, four.people(self.root / "people.csv"))
        enabled = [user["email"] for user in self.sandbox.appwrite.project.users.values() if user["status"]]
        bots = [user["email"] for user in self.sandbox.chatbotkit.parent.users.values()]
        assert len(set(enabled)) == len(enabled) == len(set(bots)) == len(bots) == len(rows)


@pytest.fixture
def desk(tmp_path: Path) -> Iterator[Desk]:
    clock = Clock()
    sandbox = Sandbox(clock)
    with serve(sandbox) as url:
        yield Desk(tmp_path, sandbox, url, clock)


def test_a_week_after_the_backup(desk: Desk) -> None:
    copy = str(desk.root / "monday.db")
    before = desk.rows[:40]
    desk.employ(before)
    desk.sync()
    desk.everywhere(before)
    assert "40 identities" in desk.run("store", "backup", copy)
    renamed = {**before[1], "name": "Someone Else"}
    after = [renamed, *before[2:], *desk.rows[40:43]]
    desk.employ(after)
    desk.sync()
    desk.everywhere(after)
    said = desk.run("store", "restore", copy, "--yes")
    assert "Restored: 40 identities" in said and "before-restore" in said
    assert desk.sync(code=3) == 0, "those who came are found again, who left is gone, who was renamed is as they should be"
    desk.everywhere(after)
    (held,) = desk.held()
    assert (held["connection"], held["who"]) == ("sql", before[0]["email"]), "Waii never says that somebody is gone"
    desk.run(*held["command"].split()[1:])
    desk.sync()
    desk.everywhere(after)
    assert "verified" in desk.run("verify")
    desk.employ(after[1:])
    desk.sync()
    desk.everywhere(after[1:])


def test_who_left_meanwhile_is_asked_about_everywhere(desk: Desk) -> None:
    copy, people = str(desk.root / "monday.db"), desk.rows[:40]
    desk.employ(people)
    desk.sync()
    desk.run("store", "backup", copy)
    desk.run("store", "restore", copy, "--yes")
    desk.employ([*people[1:], desk.rows[44]])
    desk.sync(code=3)
    held = desk.held()
    assert sorted((one["connection"], one["who"]) for one in held) == sorted((name, people[0]["email"]) for name in TARGETS)
    assert all("the store was restored at" in one["reason"] for one in held)
    (command,) = {one["command"] for one in held}
    desk.run(*command.split()[1:])
    desk.sync()
    desk.everywhere([*people[1:], desk.rows[44]])
    desk.employ([*people[2:], desk.rows[44]])
    desk.sync()
    desk.everywhere([*people[2:], desk.rows[44]])


def test_a_plan_file_of_before_belongs_to_another_epoch(desk: Desk) -> None:
    from syncd.store import Store

    desk.employ(desk.rows[:3])
    desk.sync()
    desk.run("store", "backup", str(desk.root / "copy.db"))
    told = json.loads(desk.run("store", "restore", str(desk.root / "copy.db"), "--yes", "--json"))
    store = Store(stores.url(desk.root))
    assert (told["kind"], told["epoch"], store.epoch) == ("restore", 1, 1)
    store.close()
