"""`syncd eval`, typed and read."""

from __future__ import annotations

import pytest

from tests.cli.office import DISABLING, Office
from tests.cli.schemas import valid

SUPPORT = DISABLING + '      scope: department == "Support"\n'


@pytest.fixture
def desk(office: Office) -> Office:
    """Five people in Support and two in Sales, one of whom has no name."""
    office.configure(SUPPORT)
    office.hire(*range(1, 8))
    for number in (6, 7):
        office.rows[number - 1]["department"] = "Sales"
    office.rows[6]["displayName"] = ""
    office.save()
    office.run("plan")
    return office


ONE = """\
2 of 7 match; +2 -5 against the present scope of chat (department == "Support")
  + p6@corp.example, p7@corp.example
  - p1@corp.example, p2@corp.example, p4@corp.example and 2 more
"""
ALL = """\
6 of 7 match
chat: +1 -0 against its present scope (department == "Support")
  + p6@corp.example
"""
UNDECIDED = """\
1 of 7 match; +0 -0 against the present scope of chat (department == "Support")
6 cannot be judged (as a scope this would freeze their accounts):
  cannot convert string to int: 6 people
"""


def test_against_the_scope_of_one_target(desk: Office) -> None:
    assert desk.run("eval", 'department == "Sales"', "-c", "chat").out == ONE


def test_against_the_scope_of_every_target(desk: Office) -> None:
    assert desk.run("eval", 'displayName != ""').out == ALL


def test_who_cannot_be_judged_is_no_match(desk: Office) -> None:
    desk.rows[0]["displayName"] = "7"
    desk.rows[0]["department"] = "Support"
    desk.save()
    desk.run("plan")
    said = desk.run("eval", "int(displayName) > 5", "-c", "chat")
    assert (said.code, said.out) == (0, UNDECIDED)


def test_the_document(desk: Office) -> None:
    made = valid(desk.run("eval", 'department == "Sales" || int(userName) > 1', "--json").json, "eval")
    assert (made["identities"], made["matching"], made["undecided"][0]["identities"]) == (7, 2, 5)
    (chat,) = made["connections"]
    assert (chat["scope"], chat["joining"], chat["leaving"]) == ('department == "Support"', 2, 0)
    assert sorted(chat["newcomers"]) == ["p6@corp.example", "p7@corp.example"]


@pytest.mark.parametrize(
    "line, told",
    [
        (["dept == 'x'"], "the expression: unknown name 'dept'"),
        (["department"], "the expression: gives string where bool is needed (at 1:1)"),
        (["department == "], "the expression: the expression ends too early (at 1:"),
        (["true", "-c", "people"], "people is only read: a connection without `write` has no scope"),
        (["true", "-c", "chta"], "no connection is named 'chta' (did you mean 'chat'?)"),
    ],
)
def test_what_cannot_be_evaluated_is_said_at_once(desk: Office, line: list[str], told: str) -> None:
    said = desk.run("eval", *line)
    assert (said.code, said.out) == (64, "") and told in said.err


def test_nobody_is_asked_and_no_credentials_are_needed(desk: Office) -> None:
    desk.environ.clear()
    desk.sandbox.faults = "500@*:*"
    assert desk.run("eval", "true").code == 0


def test_before_anything_was_read(office: Office) -> None:
    office.save()
    assert office.run("eval", "true").out == "Nobody is in the store yet. Next: syncd plan\n"
