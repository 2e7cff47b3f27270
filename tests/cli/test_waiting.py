"""pending, held list, held release, held reject: each row ends in the command to paste, and the command does what it says."""

from __future__ import annotations

import re
from typing import Any

import pytest

from syncd.cli import cures
from syncd.model import FINAL, Hold
from tests import stores
from tests.cli.conftest import MakeOffice
from tests.cli.office import DISABLING, Office, person
from tests.cli.schemas import valid
from tests.world import Clock


def lose(office: Office, left: int) -> None:
    """Ten people, of whom all but ``left`` are gone at once: held in run 2."""
    office.settled(*range(1, 11))
    del office.rows[left:]
    office.save()
    assert office.run("sync", "--yes").code == 3


def items(office: Office, *command: str) -> list[dict[str, Any]]:
    found: list[dict[str, Any]] = valid(office.run(*(command or ("pending",)), "--json").json, "pending")["items"]
    return found


def test_nothing_waits(office: Office) -> None:
    office.settled(1)
    assert office.run("pending").out == "Nothing waits for you.\n" and items(office) == []
    assert office.run("held", "list").code == 0


def test_each_row_ends_in_the_command_to_paste(office: Office) -> None:
    lose(office, 5)
    said = office.run("pending")
    rows = [line for line in said.out.splitlines() if "@" in line]
    assert said.code == 0 and len(rows) == 5
    assert all(re.fullmatch(r" +disable +p\d+@corp\.example +\S.*  syncd held release 2", row) for row in rows)
    assert said.out.count("5 leave (50 % of 10, limit 1)") == 1, "the reason stands once"
    assert office.run("held", "list").out == said.out
    first = items(office)[0]
    assert (first["state"], first["run"], first["connection"], first["command"]) == ("held", 2, "chat", "syncd held release 2")
    assert first["change"] in {one["id"] for one in office.run("plan", "--json").json["changes"]}


def test_a_release_sends_exactly_those_changes(office: Office) -> None:
    lose(office, 5)
    said = office.run("held", "release", "2")
    assert (said.code, said.out) == (0, "5 released; the next `syncd sync` sends them (valid 24 h).\n")
    assert {one["command"] for one in items(office)} == {"syncd sync"}
    assert "1 of 2 in step; nothing waits for you; chat: 5 changes are not sent yet: syncd sync" in office.run("status").out
    del office.rows[3:]
    office.save()
    said = office.run("sync", "--yes")
    assert said.code == 3 and "chat: 5 disabled, 2 held" in said.out, "two more left meanwhile: they were not released"
    assert said.last == "2 changes wait for you. Next: syncd held release 3"


def test_a_release_that_nobody_used_for_24_hours_is_void(make_office: MakeOffice) -> None:
    clock = Clock()
    office = make_office(clock)
    lose(office, 5)
    office.run("held", "release", "2")
    clock.at = clock.at.replace(day=clock.at.day + 1, minute=clock.at.minute + 1)
    said = office.run("sync", "--yes")
    assert said.code == 3 and said.last == "5 changes wait for you. Next: syncd held release 2"


def test_a_release_at_first_contact_lets_the_plan_go(office: Office) -> None:
    office.hire(1, 2)
    office.run("plan")
    assert office.run("held", "release", "1").out.startswith("2 released")
    assert office.run("sync", "--yes").code == 0 and len(office.users) == 2


def test_a_release_at_first_contact_leaves_what_is_held_for_another_reason(office: Office) -> None:
    office.hire(1)
    office.sandbox.twilio.service().create("stranger", attributes='{"externalId": "E2"}')
    office.hire(2)
    office.run("plan")
    said = office.run("held", "release", "1")
    assert said.code == 0 and said.out.startswith("1 released; the next `syncd sync` sends it")
    assert "1 change stays held: account US" in said.out and "adopt p2@corp.example" in said.out
    document = valid(office.run("held", "release", "1", "--json").json, "release")
    assert document["released"] == 1 and [one["who"] for one in document["held"]] == ["p2@corp.example"]
    assert office.run("sync", "--yes").code == 3 and office.users.keys() == {"p1@corp.example", "stranger"}
    assert office.run("held", "release", "1").out.startswith("1 released"), "the first contact is over"
    assert office.run("sync", "--yes").code == 0 and len(office.users) == 2


def test_what_no_release_can_cure_is_not_released_and_says_why(office: Office) -> None:
    office.configure(DISABLING + "      adopt: never\n")
    office.settled(1)
    office.sandbox.twilio.service().create("p2@corp.example")
    office.hire(2)
    assert office.run("sync", "--yes").code == 3
    said = office.run("pending")
    assert "say `adopt: matched`" in said.out and said.last.endswith("syncd held reject 2")
    said = office.run("held", "release", "2")
    assert said.code == 1 and "A release cannot help: say `adopt: matched`" in said.out
    assert office.run("sync", "--yes").code == 3, "nothing was let go"
    office.run("held", "reject", "2")
    assert office.run("sync", "--yes").code == 0
    said = office.run("held", "release", "2")
    assert said.code == 1 and "A release cannot help: say `adopt: matched`" in said.out
    assert office.run("sync", "--yes").last == "1 change waits for you. Next: syncd held reject 2", "but the no is taken back"


def test_where_nothing_is_ever_sent_nothing_can_be_released(office: Office) -> None:
    office.configure(DISABLING + "      apply: never\n")
    office.hire(1)
    assert office.run("sync", "--yes").code == 3
    said = office.run("held", "release", "1")
    assert said.code == 1 and "say `apply: auto`" in said.out
    office.run("sync", "--yes")
    assert not office.users


@pytest.mark.parametrize("code", sorted(FINAL | {Hold.APPLY}))
def test_every_hold_that_no_release_cures_has_words(code: str) -> None:
    assert cures.WORDS[code]


@pytest.mark.parametrize("verb", ["release", "reject"])
def test_an_unknown_run_names_those_that_hold_something(office: Office, verb: str) -> None:
    office.settled(1)
    said = office.run("held", verb, "7")
    assert (said.code, said.err) == (1, "syncd: run 7 holds nothing, and neither does any other\n")
    office.hire(*range(2, 20))
    office.run("plan")
    del office.rows[1:]
    lose_all = office.run("held", verb, "7")
    assert lose_all.code == 1 and "held are changes of run 2" in lose_all.err


def test_a_no_is_remembered_until_a_side_moves(office: Office) -> None:
    lose(office, 7)
    said = office.run("held", "reject", "2")
    assert (said.code, said.out) == (0, "3 rejected: kept by you, until either side moves.\n  to take it back: syncd held release 2\n")
    again = office.run("sync", "--yes")
    assert again.code == 0 and "chat: 10 accounts read, 3 kept" in again.out and office.run("pending").out == "Nothing waits for you.\n"
    assert valid(office.run("sync", "--yes", "--json").json, "report")["connections"][1]["kept"] == 3
    assert "All 2 in step; nothing waits for you." in office.run("status").out
    del office.rows[5:]
    office.save()
    assert office.run("sync", "--yes").last == "2 changes wait for you. Next: syncd held release 5"


def test_a_no_can_be_taken_back(office: Office) -> None:
    lose(office, 7)
    office.run("held", "reject", "2")
    assert office.run("sync", "--yes").code == 0 and len(office.users) == 10
    assert office.run("held", "reject", "2").err == "syncd: run 2 holds nothing, and neither does any other\n"
    said = office.run("held", "release", "2")
    assert (said.code, said.out) == (0, "3 released; the next `syncd sync` sends them (valid 24 h).\n")
    assert {(one["state"], one["command"]) for one in items(office)} == {("held", "syncd sync")}
    said = office.run("sync", "--yes")
    assert said.code == 0 and "chat: 3 disabled" in said.out
    assert office.run("held", "release", "2").code == 1, "it is done"


def test_a_record_that_cannot_be_read_waits_as_rejected(office: Office) -> None:
    office.settled(1, 2)
    office.rows[1]["email"] = "x" * 300
    office.save()
    said = office.run("sync", "--yes")
    assert said.code == 3 and said.last.endswith("Next: syncd plan")
    waiting = items(office)
    assert [(one["state"], one["command"]) for one in waiting] == [("rejected", "syncd plan")]
    assert "300" in waiting[0]["reason"], "the reason says how long it is"
    assert items(office, "held", "list") == []


def test_a_doubt_is_shown_and_settles_by_itself(make_office: MakeOffice) -> None:
    office = make_office()
    office.configure(DISABLING + "    settle: 0s\n")
    office.settled(1)
    office.hire(2)
    office.sandbox.faults = "reset@create:1"
    assert office.run("sync", "--yes").code == 3
    waiting = items(office)
    assert [(one["state"], one["who"], one["command"]) for one in waiting] == [("in_doubt", "p2@corp.example", "syncd sync")]
    assert "the next run looks for the account" in office.run("pending").out
    assert office.run("sync", "--yes").code == 0 and len(office.users) == 2
    assert items(office) == []


def test_a_person_is_rejected_by_the_provider(office: Office) -> None:
    office.settled(1)
    office.rows.append(person(2))
    office.save()
    office.sandbox.faults = "422@create:*"
    assert office.run("sync", "--yes").code == 3
    assert {one["state"] for one in items(office)} == {"rejected"}
    for _ in range(2):
        office.run("sync", "--yes")
    assert [(one["state"], one["command"]) for one in items(office)] == [("quarantined", "syncd quarantine retry p2@corp.example")]


def test_what_ends_an_account_waits_until_the_first_contact_is_over(office: Office) -> None:
    """The store was lost: taking back what is as it should be writes nothing, and is no contact yet."""
    office.settled(1, 2, 3)
    stores.lose(office.root)
    assert office.run("sync", "--yes").code == 0
    del office.rows[2:]
    office.save()
    said = office.run("sync", "--yes")
    assert said.code == 3 and "disable p3@corp.example" in said.out and cures.WAIT in said.out
    assert "held release" not in said.out and said.last == "1 change waits for you. Next: syncd sync"
    assert [one["command"] for one in items(office)] == ["syncd sync"] and cures.WAIT in office.run("pending").out
    refused = office.run("held", "release", str(items(office)[0]["run"]))
    assert refused.code == 1 and refused.out.startswith(f"1 change stays held: {cures.WAIT}")
    office.rows[0]["displayName"] = "Renamed"
    office.save()
    office.run("sync", "--yes")
    assert office.run("sync", "--yes").code == 0, "now it is one leaver of three, within the limit"


def test_a_release_can_be_of_some_people_or_kinds_alone(office: Office) -> None:
    lose(office, 5)
    office.hire(*range(11, 30))
    assert office.run("sync", "--yes").code == 3
    said = office.run("held", "release", "2", "--only", "P9@Corp.example", "--only", "people/E10")
    assert (said.code, said.out) == (0, "2 released; the next `syncd sync` sends them (valid 24 h).\n")
    office.run("sync", "--yes")
    gone = {who for who, one in office.users.items() if '"active":false' in one["attributes"]}
    assert gone == {"p9@corp.example", "p10@corp.example"}
    assert office.run("held", "release", "2", "--except", "p6@corp.example").out.startswith("2 released")
    assert office.run("held", "release", "3", "--kind", "create", "--except", "p11@corp.example").out.startswith("18 released")


def test_a_no_can_be_to_some_people_alone_and_each_group_has_a_command_of_its_own(office: Office) -> None:
    lose(office, 5)
    office.hire(*range(11, 30))
    said = office.run("plan")
    assert "let them go: syncd held release 2 --kind disable" not in said.out, "run 2 holds nothing else"
    assert "let them go: syncd held release 3   keep" in said.out
    assert office.run("held", "reject", "2", "--except", "p9@corp.example").out.startswith("4 rejected")
    assert [row["who"] for row in office.run("held", "list", "--json").json["items"] if row["run"] == 2] == ["p9@corp.example"]
    assert office.run("sync", "--yes").code == 3, "the others wait still; what was refused is planned no more"
    assert "take the no back: syncd held release 2" in office.run("explain", "p8@corp.example").out
    assert "run 2 holds is meant" in office.run("held", "release", "2", "-c", "people").err


def test_what_one_run_holds_of_several_kinds_is_released_apart_and_counted(office: Office) -> None:
    office.settled(*range(1, 11))
    del office.rows[5:]
    office.hire(*range(11, 30))
    said = office.run("sync", "--yes")
    assert "let them go: syncd held release 2 --kind disable   keep as it is: syncd held reject 2 --kind disable" in said.out
    assert "let them go: syncd held release 2 --kind create   keep" in said.out
    assert said.last == "24 changes wait for you. Next: syncd held release 2"
    told = office.run("held", "release", "2").out.splitlines()
    assert [line.partition(" leave (")[0].partition(" are new")[0] for line in told[:2]] == [
        "chat: 5 to disable: 5",
        "chat: 19 to create: 19",
    ]
    assert told[2] == "24 released; the next `syncd sync` sends them (valid 24 h)."


@pytest.mark.parametrize(
    ("options", "told"),
    [
        (["--only", "p99@corp.example"], "nobody is called p99@corp.example; did you mean p9@corp.example"),
        (["--only", "nobody/E1"], "nobody is called nobody/E1"),
        (["--only", "p1@corp.example"], "none of the 5 changes that run 2 holds is meant"),
        (["--kind", "delete"], "none of the 5 changes that run 2 holds is meant"),
    ],
)
def test_a_release_of_nobody_says_so(office: Office, options: list[str], told: str) -> None:
    lose(office, 5)
    said = office.run("held", "release", "2", *options)
    assert (said.code, said.out) == (1, "") and told in said.err


def test_a_name_that_several_people_bear_names_them_all(office: Office) -> None:
    lose(office, 5)
    office.rows = [
        {**one, "displayName": "Same", "email": "p6@corp.example"} if one["employeeNumber"] == "E2" else one for one in office.rows
    ]
    office.save()
    office.run("sync", "--yes")
    said = office.run("held", "release", "2", "--only", "p6@corp.example")
    assert said.code == 1 and "p6@corp.example names 2 people: p6@corp.example (" in said.err
