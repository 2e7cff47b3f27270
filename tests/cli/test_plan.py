"""`syncd plan`: what a person reads, what a script reads, and its exit codes."""

from __future__ import annotations

import re
from collections.abc import Mapping
from typing import Any

import pytest

from syncd.cli import wiring
from syncd.engine.context import Connected
from syncd.model import Change, Kind
from tests.cli.conftest import MakeOffice
from tests.cli.office import DISABLING, Office, Said, person
from tests.cli.schemas import valid

NOTHING = {"create": 0, "adopt": 0, "update": 0, "disable": 0, "delete": 0}


def plain(said: Said) -> str:
    """Without what differs from run to run: ids, the time of day."""
    text = re.sub(r"US[0-9a-f]{32}", "US...", said.out)
    text = re.sub(r"\d{4}-\d\d-\d\d \d\d:\d\d UTC", "<moment>", text)
    return re.sub(r"default:[0-9a-f-]{36}", "default:<id>", text)


FIRST = """\
Plan of run 1
people: 2 accounts in 1 page, complete; 2 linked
chat: 1 account in 1 page, complete; 0 linked, 1 adoptable

chat:
  ! 2 held (1 to create, 1 to adopt): first contact: nothing of this connection has been changed by syncd yet
    + create p1@corp.example: new
        attributes.externalId  "E1"
        attributes.syncd       "default:<id>"
        friendly_name          "Person 1"
        identity               "p1@corp.example"
    ~ adopt p2@corp.example (US...): matches by the provider's key
        attributes.externalId  (none) -> "E2"
        attributes.syncd       (none) -> "default:<id>"
        friendly_name          "Two" -> "Person 2"
    `syncd sync` asks and sends these (in cron: syncd sync --yes); or let them go: syncd held release 1

Plan: 0 to create, 0 to adopt, 0 to update, 0 to disable, 0 to delete; 2 held.
"""


def test_a_first_plan(office: Office) -> None:
    office.sandbox.twilio.service().create("p2@corp.example", "Two")
    office.hire(1, 2)
    said = office.run("plan")
    assert (said.code, plain(said), said.err) == (0, FIRST, "")
    assert office.users.keys() == {"p2@corp.example"}


LATER = """\
Plan of run 2
people: 12 accounts in 1 page, complete; 12 linked
chat: 12 accounts in 1 page, complete; 12 linked; 4 requests to send, under a second

chat:
  ~ update p2@corp.example (US...): friendly_name changed
      friendly_name  "Person 2" -> "Renamed"
  + create p13@corp.example: new
      attributes.externalId  "E13"
      attributes.syncd       "default:<id>"
      friendly_name          "Person 13"
      identity               "p13@corp.example"
  - disable p12@corp.example (US...): departed
      attributes.active  (none) -> false

Plan: 1 to create, 0 to adopt, 1 to update, 1 to disable, 0 to delete; 0 held.
"""


def blocks(text: str) -> list[str]:
    """The paragraphs of one indentation, in no order: changes are planned in order of links, which are made in order of ids."""
    return sorted(re.split(r"\n(?=  [~+-] )|\n\n", text))


def test_a_later_plan(office: Office) -> None:
    office.settled(*range(1, 13))
    office.rows[1]["displayName"] = "Renamed"
    del office.rows[11]
    office.hire(13)
    said = office.run("plan")
    assert said.code == 0 and blocks(plain(said)) == blocks(LATER)
    assert said.last == LATER.splitlines()[-1]


APP = """\
  app:
    connector: appwrite
    base_url: {url}/v1
    project: {project}
    api_key: {key}
    write: {{}}
"""
EACH = """\
app:
  ! 5 held (5 to adopt)
    adopt p1@corp.example: account p1 matches by email, which its holder can edit; release = adopt it and end its sessions
    adopt p2@corp.example: account p2 matches by email, which its holder can edit; release = adopt it and end its sessions
    adopt p3@corp.example: account p3 matches by email, which its holder can edit; release = adopt it and end its sessions
    ... and 2 more
    let them go: syncd held release 1 -c app   keep as it is: syncd held reject 1 -c app
"""


def test_reasons_that_speak_of_one_account_each_are_one_group(office: Office) -> None:
    """And several connections at first contact show fewer examples of each."""
    appwrite = office.sandbox.appwrite
    office.configure(DISABLING + APP.format(url=office.url, project=appwrite.project_id, key=appwrite.api_key))
    office.hire(1, 2, 3, 4, 5)
    for n in range(1, 6):
        appwrite.project.create(f"p{n}", f"p{n}@corp.example")
    out = office.run("plan").out
    assert re.sub("p[0-9]", "p", EACH) in re.sub("p[0-9]", "p", out)
    assert out.count("    + create ") == 1 and "    ... and 4 more to create\n" in out
    assert "more\n" not in office.run("plan", "-v").out


def test_a_delta_says_how_many_changed(office: Office) -> None:
    appwrite = office.sandbox.appwrite
    office.configure(DISABLING + APP.format(url=office.url, project=appwrite.project_id, key=appwrite.api_key))
    office.settled(1, 2)
    office.run("sync", "--yes")
    assert "\napp: 0 changed accounts in 1 page, complete; 2 linked\n" in office.run("plan").out
    assert "\napp: 0 changes read, 1 request in " in office.run("sync", "--yes").out
    assert "\napp: 2 accounts in 2 pages, complete; 2 linked\n" in office.run("plan", "--full").out


HELD = """\
chat:
  ! 3 held (3 to disable): 3 leave (30 % of 10, limit 1): all vanished from people between two readings (<moment>); it is 30 % shorter
    disable p8@corp.example, p9@corp.example, p10@corp.example
    let them go: syncd held release 2   keep as it is: syncd held reject 2

Plan: 0 to create, 0 to adopt, 0 to update, 0 to disable, 0 to delete; 3 held.
"""


def test_a_mass_departure_is_shown_with_its_arithmetic_and_the_run_that_first_held_it(office: Office) -> None:
    office.settled(*range(1, 11))
    del office.rows[7:]
    office.save()
    office.run("plan")
    shown = plain(office.run("plan"))
    assert "Plan of run 3" in shown
    names = re.search(r"disable (.*)\n", shown)
    assert names is not None and set(names[1].split(", ")) == {f"p{number}@corp.example" for number in (8, 9, 10)}
    assert shown.split("\n\n", 1)[1].replace(names[1], "...") == HELD.replace(
        "p8@corp.example, p9@corp.example, p10@corp.example", "..."
    ).replace("; it is 30 % shorter", "")


def test_many_held_changes_are_named_by_the_first_few_and_v_names_all(office: Office) -> None:
    office.settled(*range(1, 11))
    del office.rows[2:]
    office.save()
    assert "and 5 more\n" in office.run("plan").out
    whole = office.run("plan", "-v").out
    assert "more" not in whole and all(f"p{number}@corp.example" in whole for number in range(3, 11))


def test_the_document(office: Office) -> None:
    office.sandbox.twilio.service().create("p2@corp.example", "Two")
    office.hire(1, 2)
    made = valid(office.run("plan", "--json").json, "plan")
    people, chat = made["connections"]
    assert (people["name"], people["counts"], people["verdict"], people["reason"]) == ("people", NOTHING, "passed", None)
    assert people["accounts"]["linked"] == 2 and people["listing"] == {"complete": True, "accounts": 2, "pages": 1}
    assert chat["counts"] == {**NOTHING, "create": 1, "adopt": 1} and chat["verdict"] == "held"
    assert chat["accounts"] == {"linked": 0, "adoptable": 1, "ambiguous": 0, "unmanaged": 0, "ignored": 0, "rejected": 0}
    changes = {one["kind"]: one for one in made["changes"]}
    assert changes["create"]["account"] is None and changes["create"]["who"] == "p1@corp.example"
    assert changes["adopt"]["attributes"]["friendly_name"] == ["Two", "Person 2"]
    assert changes["create"]["held"] == chat["reason"] and chat["reason"].startswith("first contact")


def test_a_plan_cannot_write_whatever_is_asked(office: Office, monkeypatch: pytest.MonkeyPatch) -> None:
    """The connectors themselves refuse, should the engine ever be wrong."""

    async def meddle(_: Any, __: Any, connected: Mapping[str, Connected], *___: Any, **____: Any) -> Any:
        chat = connected["chat"].connector
        change = Change("c", "chat", Kind.CREATE, "i", "ann", None, {"identity": (None, "ann")}, "new")
        return await chat.perform(chat.steps(change)[0])

    office.hire(1)
    monkeypatch.setattr(wiring, "cycle", meddle)
    assert office.run("plan").code == 1 and not office.users
    office.run("sync", "--yes")
    assert office.users.keys() == {"ann"}, "and only because nobody asked for a plan"


def test_two_plans_of_the_same_state_have_the_same_digest_and_another_state_another(office: Office) -> None:
    office.hire(1, 2)
    first, second = (office.run("plan", "--json").json for _ in range(2))
    office.hire(3)
    third = office.run("plan", "--json").json
    assert first["digest"] == second["digest"] != third["digest"] and first["config"] == third["config"]
    assert [one["id"] for one in (first, second, third)] == [1, 2, 3]


def test_detailed_exit_codes(office: Office) -> None:
    office.hire(1)
    assert office.run("plan", "--detailed-exitcode").code == 2, "held changes are changes"
    assert office.run("sync", "--yes").code == 0
    assert office.run("plan", "--detailed-exitcode").code == 0
    office.rows[0]["displayName"] = "Renamed"
    office.save()
    assert office.run("plan", "--detailed-exitcode").code == 2
    assert office.run("plan").code == 0
    assert office.run("plan", "-c", "people", "--detailed-exitcode").code == 0, "chat was not asked for"


def test_a_source_that_is_not_complete_ends_with_1_whatever_else_there_is(office: Office) -> None:
    office.settled(1, 2)
    (office.root / "people.csv").write_text((office.root / "people.csv").read_text().rstrip("\n") + '\nE3,"half')
    said = office.run("plan", "--detailed-exitcode")
    assert said.code == 1 and "INCOMPLETE (" in said.out and "no leaver is planned" in said.out
    document = office.run("plan", "--json").json
    assert document["connections"][0]["listing"]["complete"] is False


def test_a_target_that_refuses_us_ends_with_1(office: Office) -> None:
    office.hire(1)
    office.environ["CHAT_TOKEN"] = "another-token-than-theirs"
    said = office.run("plan")
    assert said.code == 1 and "chat: 0 accounts" in said.out and "401" in said.out


def test_leavers_that_are_kept_are_said_in_each_plan(office: Office) -> None:
    office.configure("    write: {}\n")
    office.settled(1, 2, 3)
    del office.rows[1:]
    office.save()
    office.run("plan")
    out = office.run("plan").out
    assert "note: leavers of chat are kept" in out and "\n  2 leavers kept\n" in out


def test_values_cannot_speak_to_the_terminal(office: Office) -> None:
    office.rows = [person(1) | {"displayName": "\x1b[31mred\nPlan: 0 to create\u202e\x07"}]
    office.save()
    out = office.run("plan").out
    assert not set(out) & set("\x1b\x07\u202e") and "Plan: 0 to create\n" not in out
    assert r'"\u001b[31mred\nPlan: 0 to create\u202e\u0007"' in out


def test_long_values_are_shortened(office: Office) -> None:
    office.configure(DISABLING + "      attributes: {attributes.note: department}\n")
    office.rows = [person(1) | {"department": "x" * 500}]
    office.save()
    out = office.run("plan").out
    assert f'"{"x" * 58}…\n' in out and "x" * 59 not in out


@pytest.mark.parametrize(("users", "shown"), [(200, 200), (203, 200)])
def test_a_long_plan_shows_200_changes_and_how_to_see_the_rest(make_office: MakeOffice, users: int, shown: int) -> None:
    office = make_office()
    office.settled(1)
    office.configure(DISABLING + "    limits: {create: {max: 1000, percent: 100000}}\n")
    office.hire(*range(2, 2 + users))
    out = office.run("plan").out
    assert out.count("+ create") == shown and ("-v` shows all" in out) == (users > shown)
    assert office.run("plan", "-v").out.count("+ create") == users
    assert out.splitlines()[-1].startswith(f"Plan: {users} to create")
