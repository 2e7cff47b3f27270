"""What people decide, typed, on members of Congress in all four directories at once: plans as files, why, what happened, taking it back."""

from __future__ import annotations

import json
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from syncd.sandbox import Sandbox, serve
from tests.end_to_end import congress_four as four
from tests.end_to_end.congress import SNAPSHOTS
from tests.end_to_end.congress_four import People
from tests.end_to_end.desk import Desk, Row, members, write

TARGETS = ("chat", "app", "bots", "sql")
COUNT = 60
ALL = dict.fromkeys(TARGETS, COUNT)


class Hall(Desk):
    """The desk of somebody who looks after all four; ``rows``: their people file."""

    rows: list[Row]

    def employ(self) -> None:
        write(self.root / "people.csv", self.rows, list(self.rows[0]))

    def said(self, *arguments: str, code: int = 0) -> str:
        ended, out = self.type(*arguments)
        assert ended == code, (arguments, out, self.err)
        return out

    def json(self, *arguments: str, code: int = 0) -> dict[str, Any]:
        document: dict[str, Any] = json.loads(self.said(*arguments, "--json", code=code))
        return document

    def rename(self, *numbers: int) -> None:
        for number in numbers:
            self.rows[number]["name"] += " Jr."
        self.employ()

    def names(self, number: int) -> dict[str, str]:
        """Connection -> what this person is called there."""
        return {name: held[self.rows[number]["email"]][0] for name, held in four.accounts(self.sandbox).items()}

    def wanted(self) -> People:
        return four.people(self.root / "people.csv")


@pytest.fixture
def hall(tmp_path: Path) -> Iterator[Hall]:
    sandbox = Sandbox()
    with serve(sandbox) as url:
        made = Hall(tmp_path, sandbox)
        made.configure(four.config(sandbox, url))
        made.rows = members(SNAPSHOTS[0].stem, COUNT)
        made.employ()
        yield made


@pytest.fixture
def settled(hall: Hall) -> Hall:
    """Everybody has an account everywhere: by a plan that was read, kept and applied."""
    plan = hall.json("plan", "--out", str(hall.root / "first.plan"))
    assert {one["name"]: one["counts"]["create"] for one in plan["connections"]} == {"people": 0, **ALL}
    assert hall.writes == 0
    report = hall.json("apply", str(hall.root / "first.plan"))
    assert {one["name"]: one["applied"]["create"] for one in report["connections"]} == {"people": 0, **ALL}
    assert four.accounts(hall.sandbox) == dict.fromkeys(TARGETS, hall.wanted())
    return hall


def test_a_plan_is_applied_once_and_spares_what_moved(settled: Hall) -> None:
    before = settled.writes
    settled.said("apply", str(settled.root / "first.plan"), code=1)
    assert "applied" in settled.err
    settled.rename(1, 2)
    file = str(settled.root / "second.plan")
    settled.json("plan", "--out", file)
    assert settled.writes == before
    moved = settled.rows[1]["email"]
    (id,) = (id for id, user in settled.sandbox.appwrite.project.users.items() if user["email"] == moved)
    settled.sandbox.appwrite.project.update(id, name="By hand")
    report = settled.json("apply", file, code=3)
    assert {one["name"]: (one["applied"]["update"], one["skipped"]) for one in report["connections"]} == {
        "people": (0, 0), "chat": (2, 0), "app": (1, 1), "bots": (2, 0), "sql": (2, 0),
    }  # fmt: skip
    assert settled.names(1) == {**dict.fromkeys(TARGETS, settled.rows[1]["name"]), "app": "By hand"}
    settled.said("sync", "--yes")
    assert four.accounts(settled.sandbox) == dict.fromkeys(TARGETS, settled.wanted())


def test_why_and_whom_another_scope_would_meet(settled: Hall) -> None:
    who = settled.rows[0]["email"]
    told = settled.json("explain", who)
    assert {one["name"] for one in told["connections"]} == {*TARGETS}
    before = settled.writes
    senate = sum(row["organization"] == "Senate" for row in settled.rows)
    found = settled.json("eval", 'organization == "Senate"')
    assert (found["matching"], found["identities"]) == (senate, COUNT)
    assert settled.writes == before


def test_a_run_is_told_and_taken_back_everywhere(settled: Hall) -> None:
    name = settled.rows[3]["name"]
    settled.rename(3)
    run = settled.json("sync", "--yes")["run"]
    assert settled.names(3) == dict.fromkeys(TARGETS, name + " Jr.")
    events = settled.json("history", "--run", str(run))["entries"]
    assert {one["connection"] for one in events if one["what"] == "sent"} == {*TARGETS}
    settled.said("revert", str(run), "--yes")
    assert settled.names(3) == dict.fromkeys(TARGETS, name)
    before = settled.writes
    settled.said("sync", "--yes")
    assert settled.writes == before
    assert f"to do it all the same: syncd revert {run + 1}\n" in settled.said("explain", settled.rows[3]["email"])
    assert settled.said("revert", str(run + 1), "--yes").endswith(f"To do it all the same: syncd revert {run + 3}\n")
    assert settled.names(3) == dict.fromkeys(TARGETS, name + " Jr.")
    before = settled.writes
    settled.said("sync", "--yes")
    assert settled.writes == before
    settled.said("verify")


def test_a_pause_everywhere_and_at_one(settled: Hall) -> None:
    settled.said("pause", "--reason", "an audit")
    settled.rename(4)
    before = settled.writes
    settled.said("sync", "--yes")
    assert settled.writes == before
    settled.said("resume")
    settled.said("pause", "-c", "bots", "--reason", "an audit")
    settled.said("sync", "--yes")
    assert {name for name, called in settled.names(4).items() if called.endswith("Jr.")} == {"chat", "app", "sql"}
    settled.said("resume", "-c", "bots")
    settled.said("sync", "--yes")
    assert four.accounts(settled.sandbox) == dict.fromkeys(TARGETS, settled.wanted())


def test_who_left_is_forgotten_and_nothing_is_made_or_written_for_it(settled: Hall) -> None:
    gone = settled.rows.pop(5)
    settled.employ()
    settled.said("sync", "--yes")
    assert all(gone["email"] not in held for held in four.accounts(settled.sandbox).values())
    settled.said("forget", gone["email"], "--yes")
    assert gone["email"] not in settled.said("history")
    before = settled.writes
    settled.said("sync", "--yes")
    settled.said("verify")
    assert settled.writes == before
