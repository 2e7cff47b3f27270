"""quarantine list, retry, drop: what was refused three times rests, and a person may end that."""

from __future__ import annotations

from datetime import timedelta

import pytest

from tests.cli.conftest import MakeOffice
from tests.cli.office import Office
from tests.cli.schemas import valid
from tests.cli.test_waiting import items
from tests.world import Clock


@pytest.fixture
def refused(make_office: MakeOffice) -> Office:
    """The accounts of 2 and 3 were refused in three runs."""
    office = make_office(Clock())
    office.settled(1)
    office.hire(2, 3)
    office.sandbox.faults = "422@create:*"
    for _ in range(3):
        assert office.run("sync", "--yes").code == 3
    return office


def commands(office: Office) -> dict[str, str]:
    return {one["who"]: one["command"] for one in items(office, "quarantine", "list")}


def creates(office: Office) -> int:
    return sum(one.operation == "create" for one in office.sandbox.twilio.requests)


def test_each_ends_in_the_command_that_ends_its_rest(refused: Office) -> None:
    assert commands(refused) == {f"p{number}@corp.example": f"syncd quarantine retry p{number}@corp.example" for number in (2, 3)}
    assert refused.run("quarantine", "list").out == refused.run("pending").out
    before = creates(refused)
    refused.run("sync", "--yes")
    assert creates(refused) == before, "it rests"
    said = refused.run("quarantine", "retry", "P2@corp.example")
    assert (said.code, said.out) == (0, "1 change tried again by the next `syncd sync`.\n")
    assert commands(refused)["p2@corp.example"] == "syncd sync"
    refused.run("sync", "--yes")
    assert creates(refused) == before + 1 and commands(refused)["p2@corp.example"] == "syncd quarantine retry p2@corp.example"
    refused.sandbox.faults = ()
    assert valid(refused.run("quarantine", "retry", "--json").json, "quarantine")["command"] == "retry"
    assert refused.run("sync", "--yes").code == 0 and len(refused.users) == 3


def test_what_is_dropped_is_kept_until_a_side_moves(refused: Office) -> None:
    said = refused.run("quarantine", "drop", "p2@corp.example")
    assert said.out.splitlines() == [
        "1 change dropped: kept by you, until either side moves.",
        "  to take it back: syncd held release 2",
    ]
    refused.sandbox.faults = ()
    refused.environment.pass_time(timedelta(days=2))  # type: ignore[union-attr]
    said = refused.run("sync", "--yes")
    assert said.code == 0 and "1 created, 1 kept" in said.out and len(refused.users) == 2
    assert items(refused) == []
    refused.rows[1]["displayName"] = "Renamed"
    refused.save()
    assert refused.run("sync", "--yes").code == 0 and len(refused.users) == 3


def test_a_drop_can_be_taken_back(refused: Office) -> None:
    refused.run("quarantine", "drop")
    refused.sandbox.faults = ()
    assert refused.run("sync", "--yes").code == 0 and len(refused.users) == 1
    assert refused.run("held", "release", "2").code == 0
    assert refused.run("sync", "--yes").code == 0 and len(refused.users) == 3


@pytest.mark.parametrize("word", ["retry", "drop"])
def test_who_has_nothing_there_is_named(refused: Office, word: str) -> None:
    said = refused.run("quarantine", word, "p1@corp.example", "p2@corp.example")
    assert said.code == 1 and "nothing of p1@corp.example is quarantined" in said.err
    assert refused.run("quarantine", word, "p9@corp.example").code == 1
    assert set(commands(refused).values()) == {f"syncd quarantine retry p{number}@corp.example" for number in (2, 3)}
    refused.run("quarantine", "drop")
    assert refused.run("quarantine", word).err == "syncd: nothing is quarantined\n"
