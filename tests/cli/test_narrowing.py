"""--only and --max-changes narrow what is provisioned, never what is read."""

from __future__ import annotations

import pytest

from tests.cli.office import Office


def who(office: Office) -> list[str]:
    return sorted(office.users, key=lambda name: int(name[1:].partition("@")[0]))


def test_a_newcomer_alone(office: Office) -> None:
    office.settled(1)
    office.hire(2, 3)
    made = office.run("plan", "--only", "P2@corp.example", "--json").json
    assert [change["who"] for change in made["changes"]] == ["p2@corp.example"]
    assert made["connections"][1]["counts"]["create"] == 1
    left = "left out by --only: at chat 1 change to others"
    assert f"note: {left}" in office.run("plan", "--only", "p2@corp.example").out.splitlines()
    assert f"- note: {left}" in office.run("plan", "--only", "p2@corp.example", "--format", "markdown").out.splitlines()
    assert "left out" not in office.run("plan", "--only", "p2@corp.example", "--only", "people/E3").out
    said = office.run("sync", "--only", "people/E3", "--yes")
    assert said.code == 0 and who(office) == ["p1@corp.example", "p3@corp.example"]
    said = office.run("sync", "--yes")
    assert said.code == 0 and len(office.users) == 3


def test_what_waits_of_others_waits_on(office: Office) -> None:
    office.settled(*range(1, 11))
    del office.rows[5:]
    office.hire(11)
    assert office.run("sync", "--yes").code == 3
    before = office.run("pending", "--json").json["items"]
    office.hire(12)
    assert "note: left out by --only: at chat 5 changes to others (5 held)" in office.run("plan", "--only", "p12@corp.example").out
    said = office.run("sync", "--only", "p12@corp.example", "--yes")
    assert "p12@corp.example" in office.users and office.run("pending", "--json").json["items"] == before
    assert said.code == 3, "something is held all the same"


def test_at_the_first_contact_the_first_few(office: Office) -> None:
    office.hire(*range(1, 8))
    said = office.run("sync", "--max-changes", "3", "--yes")
    assert (said.code, len(office.users)) == (0, 3)
    assert "3 created, 4 not sent" in said.out
    assert office.run("sync", "--max-changes", "0", "--yes").code == 0 and len(office.users) == 3
    assert office.run("sync", "--yes").code == 0 and len(office.users) == 7


@pytest.mark.parametrize("command", [("plan",), ("sync", "--yes")])
def test_nobody_of_that_name_is_said_and_nothing_is_sent(office: Office, command: tuple[str, ...]) -> None:
    office.settled(1)
    office.hire(2)
    said = office.run(*command, "--only", "p22@corp.example")
    assert (said.code, said.out, len(office.users)) == (1, "", 1)
    assert "nobody is called p22@corp.example; did you mean p2@corp.example" in said.err
    assert office.run("sync", "--yes").code == 0 and len(office.users) == 2


def test_a_name_that_two_people_bear_means_neither(office: Office) -> None:
    office.settled(1)
    office.hire(2, 3)
    for row in office.rows[1:]:
        row["email"] = "desk@corp.example"
    office.save()
    said = office.run("sync", "--only", "desk@corp.example", "--yes")
    assert (said.code, said.out, len(office.users)) == (1, "", 1)
    assert "desk@corp.example names 2 people: " in said.err and said.err.rstrip().endswith("; say the id")


def test_what_is_left_of_others_is_no_step_in_step(office: Office) -> None:
    office.settled(1)
    office.hire(2, 3, 4)
    said = office.run("sync", "--only", "p2@corp.example", "--yes")
    assert (said.code, said.last) == (0, "Done; 2 changes to others are left. Next: syncd sync")
    assert office.run("sync", "--only", "p2@corp.example", "--yes", "--json").json["converged"] is False
    said = office.run("sync", "--max-changes", "1", "--yes")
    assert (said.code, said.last) == (0, "Done; 1 change is left. Next: syncd sync")
    assert office.run("sync", "--yes").last == "In step."
    assert office.run("sync", "--only", "p2@corp.example", "--yes").last == "In step.", "nobody else has anything to be done"


def test_several_are_one_list_and_a_leaver_can_be_named(office: Office) -> None:
    office.settled(1, 2, 3, 4)
    del office.rows[0]
    office.rows[0]["displayName"] = "Somebody Else"
    office.hire(5)
    made = office.run("plan", "--only", "p1@corp.example", "--only", "people/E2", "--json").json
    assert sorted((change["kind"], change["who"]) for change in made["changes"]) == [
        ("disable", "p1@corp.example"), ("update", "p2@corp.example"),
    ]  # fmt: skip
    assert made["connections"][0]["listing"]["complete"] is True
