"""pending resolve: a person settles a create that no run could find out about."""

from __future__ import annotations

from datetime import timedelta
from typing import Any

import pytest

from tests.cli.conftest import MakeOffice
from tests.cli.office import DISABLING, Office
from tests.cli.schemas import valid
from tests.cli.test_waiting import items
from tests.world import Clock


def doubtful(office: Office) -> dict[str, Any]:
    """The answer to the create of p2 was lost; the row of pending."""
    office.settled(1)
    office.hire(2)
    office.sandbox.faults = "reset@create:1"
    assert office.run("sync", "--yes").code == 3
    office.sandbox.faults = ()
    (row,) = items(office)
    assert row["state"] == "in_doubt"
    return row


def test_what_was_made_is_fetched_and_theirs(office: Office) -> None:
    row = doubtful(office)
    office.sandbox.twilio.service().create("by-hand", friendly_name="Person 2")
    sid, writes = office.users["by-hand"]["sid"], office.writes
    said = office.run("pending", "resolve", str(row["id"]), "--exists", sid)
    assert (said.code, said.out) == (0, f"chat: account {sid} is p2@corp.example's: it was made by this.\n")
    assert office.writes == writes and items(office) == []
    assert office.run("sync", "--yes").code == 0
    assert office.run("verify").code == 0 and office.run("sync", "--yes").last == "In step."
    assert [one for one in office.users if one != "by-hand"] == ["p1@corp.example"], "nobody is doubled"


def test_what_was_not_made_is_planned_again(office: Office) -> None:
    row = doubtful(office)
    assert "p2@corp.example" not in office.users
    document = valid(office.run("pending", "resolve", str(row["id"]), "--absent", "--json").json, "resolve")
    assert (document["who"], document["account"]) == ("p2@corp.example", None)
    assert items(office) == []
    said = office.run("sync", "--yes")
    assert said.code == 0 and "chat: 1 created" in said.out and len(office.users) == 2


def test_a_wrong_absent_doubles_nobody(office: Office) -> None:
    """It was made after all: the next listing shows it, and it is adopted by its key."""
    row = doubtful(office)
    office.sandbox.twilio.service().create("p2@corp.example")
    assert office.run("pending", "resolve", str(row["id"]), "--absent").code == 0
    said = office.run("sync", "--yes")
    assert said.code == 0 and "chat: 1 adopted" in said.out and len(office.users) == 2


def test_what_cannot_be_settled_so_says_what_helps(office: Office) -> None:
    id = str(doubtful(office)["id"])
    other = office.users["p1@corp.example"]["sid"]
    said = office.run("pending", "resolve", id, "--exists", other)
    assert said.code == 1 and f"account {other} is p1@corp.example's: it was not made by this" in said.err
    said = office.run("pending", "resolve", id, "--exists", "US00000000000000000000000000000000")
    assert said.code == 1 and "chat has no account US000" in said.err and "nothing was settled" in said.err
    office.sandbox.faults = "401@*:*"
    said = office.run("pending", "resolve", id, "--exists", other)
    assert said.code == 1 and f"chat did not show account {other}" in said.err
    office.sandbox.faults = ()
    said = office.run("pending", "resolve", "99", "--absent")
    assert said.code == 1 and f"nothing waits under 99; in doubt are {id}" in said.err
    assert len(items(office)) == 1
    office.hire(*range(3, 15))
    assert office.run("sync", "--yes").code == 3
    rows = [row for row in items(office) if row["state"] == "held"]
    said = office.run("pending", "resolve", str(rows[0]["id"]), "--absent")
    assert said.code == 1 and f"is held, not in doubt\n  what helps: {rows[0]['command']}" in said.err


@pytest.mark.parametrize("options", [(), ("--absent", "--exists", "US1")])
def test_one_of_the_two_is_said(office: Office, options: tuple[str, ...]) -> None:
    said = office.run("pending", "resolve", "1", *options)
    assert said.code == 64 and "needs either --exists ACCOUNT or --absent" in said.err


def test_what_further_runs_cannot_settle_is_left_to_a_person(make_office: MakeOffice) -> None:
    clock = Clock()
    office = make_office(clock)
    office.configure(DISABLING + "    settle: 10m\n")
    row = doubtful(office)
    assert row["command"] == "syncd sync"
    office.sandbox.faults = "503@list:*"
    clock.pass_time(timedelta(minutes=20))
    office.run("sync", "--yes")
    (row,) = items(office)
    assert row["command"] == f"syncd pending resolve {row['id']} --absent"
    assert f"syncd pending resolve {row['id']} --exists ACCOUNT" in office.run("pending").out
    office.sandbox.faults = ()
    assert office.run(*row["command"].split()[1:]).code == 0
    assert office.run("sync", "--yes").code == 0 and len(office.users) == 2
