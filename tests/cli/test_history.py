"""`syncd history`: what was done, seen and decided, as text, CSV and JSON."""

from __future__ import annotations

import csv
import io
import re
from datetime import timedelta

import pytest

from syncd.environment import Environment, stamp
from syncd.store import Store, chain
from tests import stores
from tests.cli.office import Office
from tests.cli.schemas import valid

AT = re.compile(r"^\d{4}-\d\d-\d\dT\d\d:\d\d:\d\dZ  ", re.MULTILINE)


@pytest.fixture
def told(office: Office) -> Office:
    """Two were hired; one was renamed at the source; one is gone."""
    office.settled(1, 2)
    office.rows[0]["displayName"] = "=HYPERLINK(1)"
    office.save()
    office.run("sync", "--yes")
    office.rows.pop()
    office.save()
    office.run("sync", "--yes")
    return office


def headlines(text: str) -> list[str]:
    """Without the moment and the account."""
    return [re.sub(r" \(\w+\)", "", AT.sub("", line)) for line in text.splitlines() if AT.match(line)]


def test_everything_in_order_the_newest_last(told: Office) -> None:
    said = told.run("history")
    assert said.code == 0
    assert headlines(said.out) == [
        "run 1 chat: you said yes at first contact: 2 changes",
        "run 1 chat: create p1@corp.example: done",
        "run 1 chat: create p2@corp.example: done",
        "run 2 people: p1@corp.example moved",
        "run 2 chat: update p1@corp.example: done",
        "run 3 people: p2@corp.example is gone",
        "run 3 chat: disable p2@corp.example: done",
    ]
    assert '    friendly_name  "Person 1" -> "=HYPERLINK(1)"\n    friendly_name changed; POST /v1/Users/{id} FriendlyName\n' in said.out


def test_of_one_person_departed_or_not_and_of_one_run(told: Office) -> None:
    assert headlines(told.run("history", "p2@corp.example").out) == [
        "run 1 chat: create p2@corp.example: done",
        "run 3 people: p2@corp.example is gone",
        "run 3 chat: disable p2@corp.example: done",
    ]
    assert headlines(told.run("history", "--run", "2").out) == headlines(told.run("history").out)[3:5]
    assert headlines(told.run("history", "p1@corp.example", "--run", "1").out) == ["run 1 chat: create p1@corp.example: done"]
    assert told.run("history", "people/E2").out == told.run("history", "p2@corp.example").out


def test_since_a_moment(told: Office) -> None:
    whole = told.run("history").out
    assert told.run("history", "--since", "1h").out == whole
    assert told.run("history", "--since", "2020-01-01").out == whole
    later = stamp(Environment().now() + timedelta(days=1))
    assert told.run("history", "--since", later).out == "The journal has nothing of it.\n"
    said = told.run("history", "--since", "yesterday")
    assert (said.code, "2026-11-21" in said.err) == (64, True)


def test_what_a_person_said_is_told_with_whom_it_was_about(told: Office) -> None:
    told.rows.clear()
    told.save()
    told.run("sync", "--yes")
    told.run("held", "reject", "4")
    told.run("held", "release", "4")
    assert headlines(told.run("history").out)[-2:] == [
        "chat: you said held reject 4: disable p1@corp.example",
        "chat: you said held release 4: disable p1@corp.example",
    ]


@pytest.mark.parametrize(
    ("line", "error"),
    [
        (["p2@corp.exampel"], "syncd: nobody is called p2@corp.exampel; did you mean p2@corp.example"),
        (["--run", "9"], "syncd: there was no run 9; the last one was run 3"),
    ],
)
def test_who_or_what_is_not_known(told: Office, line: list[str], error: str) -> None:
    said = told.run("history", *line)
    assert (said.code, said.out) == (1, "") and said.err.startswith(error)


def test_no_cell_is_run_by_a_spreadsheet(told: Office) -> None:
    text = told.run("history", "--csv").out
    header, *rows = list(csv.reader(io.StringIO(text)))
    assert header[:5] == ["entry", "at", "run", "connection", "what"]
    assert not any(cell.startswith(("=", "+", "-", "@")) for row in rows for cell in row)
    (update,) = (row for row in rows if row[header.index("kind")] == "update")
    found = dict(zip(header, update, strict=True))
    assert (found["who"], found["attribute"], found["before"], found["after"], found["outcome"]) == (
        "p1@corp.example", "friendly_name", "Person 1", "'=HYPERLINK(1)", "applied"
    )  # fmt: skip


def test_the_document(told: Office) -> None:
    entries = valid(told.run("history", "--json", "--csv").json, "history")["entries"]
    assert [(one["what"], one["run"], one["kind"], one["outcome"]) for one in entries] == [
        ("decided", 1, None, None), ("sent", 1, "create", "applied"), ("sent", 1, "create", "applied"), ("observed", 2, None, None),
        ("sent", 2, "update", "applied"), ("observed", 3, None, None), ("sent", 3, "disable", "applied"),
    ]  # fmt: skip
    assert entries[4]["attributes"] == {"friendly_name": ["Person 1", "=HYPERLINK(1)"]}
    assert entries[3]["attributes"] == {"displayName": ["Person 1", "=HYPERLINK(1)"]} and entries[3]["page"] == 1


def test_it_streams(told: Office) -> None:
    """More than a block."""
    store = Store(stores.url(told.root))
    with store.transaction():
        events = [chain.Event(chain.DECIDED, "chat", {"command": f"word {n}"}) for n in range(1203)]
        chain.append(store, events, Environment().now())
    store.close()
    assert headlines(told.run("history").out)[7:] == [f"chat: you said word {n}" for n in range(1203)]
