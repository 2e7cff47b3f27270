"""`syncd explain` in the situations people ask about, typed and read: tests/data/explain/ holds what each prints, word by word.

Ids that the provider makes up are written ``US*`` there.
"""

from __future__ import annotations

import re
from collections.abc import Callable
from datetime import timedelta
from pathlib import Path

import pytest

from tests.cli.conftest import MakeOffice
from tests.cli.office import Office
from tests.cli.schemas import valid
from tests.world import Clock

GOLDEN = Path(__file__).parent.parent / "data" / "explain"
WRITE = """\
    write:
      disabled: {attributes.active: false}
      deprovision: {out_of_scope: delete, departed: delete}
"""
SCOPED = WRITE + "      scope: "
SUPPORT = SCOPED + 'department == "Support"\n'
TEN = range(1, 11)
P1 = "p1@corp.example"
P2 = "p2@corp.example"


@pytest.fixture
def desk(make_office: MakeOffice) -> Office:
    """Ten people with their accounts since yesterday."""
    office = make_office(Clock())
    office.configure(SUPPORT)
    office.settled(*TEN)
    later(office, days=1)
    return office


def later(office: Office, **duration: int) -> None:
    assert isinstance(office.environment, Clock)
    office.environment.pass_time(timedelta(**duration))


def changed(office: Office, number: int = 1, **values: str) -> None:
    office.rows[number - 1].update(values)
    office.save()


def sync(office: Office) -> None:
    office.run("sync", "--yes")


def account(office: Office, identity: str) -> str:
    return str(office.users[identity]["sid"])


def entitled(office: Office) -> str:
    return P1


def out_of_scope(office: Office) -> str:
    office.hire(11)
    changed(office, 11, department="Sales")
    sync(office)
    return "p11@corp.example"


def in_grace(office: Office) -> str:
    del office.rows[0]
    office.save()
    sync(office)
    return P1


def held_by_a_limit(office: Office) -> str:
    del office.rows[:5]
    office.save()
    sync(office)
    return P1


def kept_by_you(office: Office) -> str:
    held_by_a_limit(office)
    office.run("held", "reject", "2")
    return P1


def ambiguous(office: Office) -> str:
    for number in (1, 2):
        office.sandbox.twilio.service().create(f"x{number}", attributes='{"externalId": "E11"}')
    office.hire(11)
    sync(office)
    return "p11@corp.example"


def untrusted(office: Office) -> str:
    office.sandbox.twilio.service().create("x1", attributes='{"externalId": "E11"}')
    office.hire(11)
    sync(office)
    return "p11@corp.example"


def quarantined(office: Office) -> str:
    changed(office, displayName="Ann")
    office.sandbox.faults = "422@update:*"
    for _ in range(3):
        later(office, minutes=1)
        sync(office)
    office.sandbox.faults = ""
    return P1


def in_doubt(office: Office) -> str:
    office.sandbox.faults = "reset@create:1"
    office.hire(11)
    sync(office)
    return "p11@corp.example"


def frozen(office: Office) -> str:
    changed(office, department="seven")
    office.configure(SCOPED + 'department == "Support" || int(department) > 5\n')
    sync(office)
    return P1


def rejected(office: Office) -> str:
    changed(office, displayName="Ann " * 100)
    sync(office)
    return P1


def drifted(office: Office) -> str:
    office.sandbox.twilio.service().update(account(office, P1), friendly_name="Somebody")
    office.run("plan", "--full")
    return P1


def unmanaged(office: Office) -> str:
    office.sandbox.twilio.service().create("stranger")
    sync(office)
    return f"chat/{account(office, 'stranger')}"


def foreign(office: Office) -> str:
    office.sandbox.twilio.service().create("x1", attributes='{"syncd": "other:00000000-0000-5000-8000-000000000000"}')
    sync(office)
    return f"chat/{account(office, 'x1')}"


def ignored(office: Office) -> str:
    office.config.write_text("ignore: [svc-*]\n" + office.config.read_text())
    office.sandbox.twilio.service().create("svc-backup")
    sync(office)
    return f"chat/{account(office, 'svc-backup')}"


def a_leavers(office: Office) -> str:
    """The account that waits for somebody who is out of scope."""
    office.sandbox.twilio.service().create("p11@corp.example")
    return f"chat/{account(office, out_of_scope(office))}"


SITUATIONS = (
    entitled, out_of_scope, in_grace, held_by_a_limit, kept_by_you, ambiguous, untrusted, quarantined, in_doubt, frozen, rejected, drifted,
    unmanaged, foreign, ignored, a_leavers,
)  # fmt: skip


def plain(text: str) -> str:
    """PostgreSQL gives each number once, also where nothing came of it."""
    return re.sub(r"(syncd pending \w+) \d+", r"\1 1", re.sub(r"US[0-9a-f]{32}", "US*", text))


@pytest.mark.parametrize("situation", SITUATIONS, ids=lambda one: one.__name__)
def test_what_is_printed(desk: Office, situation: Callable[[Office], str]) -> None:
    who = situation(desk)
    said = desk.run("-q", "explain", who)
    assert (said.code, plain(said.out)) == (0, (GOLDEN / f"{situation.__name__}.txt").read_text(encoding="utf-8")), said.err
    made = valid(desk.run("-q", "explain", who, "--json").json, "explain" if made_of(who) else "explain_account")
    assert made["who"] == who


def made_of(who: str) -> bool:
    return not who.startswith("chat/")


def test_everything_is_said_with_v(desk: Office) -> None:
    out = desk.run("-q", "explain", P1, "-v").out
    for told in (
        "  precedence   department is \"Support\": people says so",
        "  correlation  account US* was created by syncd in run 1",
        "  map          friendly_name <- displayName = \"Person 1\"",
        "  scope        department == \"Support\" is true: department is \"Support\"",
        "  entitlement  live, in scope and active: they should have an account",
        "  decision     nothing is to be done",
    ):  # fmt: skip
        assert told in plain(out).splitlines()


@pytest.mark.parametrize("name", ["displayName", "friendly_name"])
def test_one_attribute_by_either_of_its_names(desk: Office, name: str) -> None:
    changed(desk, displayName="Ann")
    sync(desk)
    lines = [line for line in plain(desk.run("-q", "explain", P1, "--attribute", name).out).splitlines() if line.startswith("  ")]
    assert lines == [
        "  people/E1: as read in run 2, page 1 (2026-01-02 00:00 UTC)",
        '  precedence   displayName is "Ann": people says so',
        '  map          friendly_name <- displayName = "Ann"',
        "  answer       run 2 (2026-01-02 00:00 UTC): updated, 1 request: POST /v1/Users/{id} FriendlyName: applied",
        "  answer       run 1 (2026-01-01 00:00 UTC): created, 1 request: POST /v1/Users Attributes, FriendlyName, Identity: applied",
    ]


def test_an_attribute_that_nothing_knows(desk: Office) -> None:
    said = desk.run("explain", P1, "--attribute", "friendlyname")
    assert said.code == 1 and "an attribute 'friendlyname' (did you mean 'friendly_name'?)" in said.err


@pytest.mark.parametrize("who", ["nobody", "chat/US1", "nowhere/1"])
def test_who_is_nobody(desk: Office, who: str) -> None:
    said = desk.run("explain", who)
    assert (said.code, said.out) == (1, "") and f"nobody is called {who}" in said.err


def test_no_credentials_and_no_provider_are_needed(desk: Office) -> None:
    del desk.environ["CHAT_TOKEN"]
    desk.sandbox.faults = "500@*:*"
    before = desk.writes
    assert desk.run("explain", P1).code == 0 and desk.run("explain", P1, "--at", "1h").code == 0
    assert desk.writes == before and "CHAT_TOKEN is not set" in desk.run("plan").err


def test_a_configuration_without_what_a_connection_is_bound_by_is_refused(desk: Office) -> None:
    desk.config.write_text(re.sub("account_sid: .*", "account_sid: env:SID", desk.config.read_text()))
    said = desk.run("explain", P1)
    assert said.code == 78 and "environment variable SID is not set" in said.err


PAST = """\
p1@corp.example on 2026-01-01 12:00 UTC: live (52c52a54-08f0-5881-a856-9ea8341c1dd8)
  people/E1: there, and moved since

chat: account US*; entitled, as it should be
  before       run 1 (2026-01-01 00:00 UTC): create applied: POST /v1/Users Attributes, FriendlyName, Identity

note: maps, scope and precedence are those of the configuration of now: those of then are not kept
What happened next:
  people: run 2 (2026-01-02 00:00 UTC): account E1 moved: displayName "Person 1" -> "Ann"
  chat: run 2 (2026-01-02 00:00 UTC): update applied: POST /v1/Users/{id} FriendlyName: friendly_name "Person 1" -> "Ann"
  people: run 3 (2026-01-02 00:00 UTC): account E1 is gone
  ... and 1 more (-v)
"""


@pytest.mark.parametrize("then", ["2026-01-01T12:00:00Z", "2026-01-01T13:00:00+01:00", "2026-01-01T12:00", "12h"])
def test_a_past_time(desk: Office, then: str) -> None:
    changed(desk, displayName="Ann")
    sync(desk)
    del desk.rows[0]
    desk.save()
    sync(desk)
    said = desk.run("-q", "explain", P1, "--at", then)
    assert (said.code, plain(said.out)) == (0, PAST)
    made = valid(desk.run("-q", "explain", P1, "--at", then, "--json").json, "explain_past")
    assert made["attributes"]["displayName"] == "Person 1"
    assert made["connections"][0]["document"]["friendly_name"] == "Person 1"
    assert [(one["what"], one["connection"]) for one in made["after"]] == [("observed", "people"), ("observed", "people")]


@pytest.mark.parametrize(
    "then, told",
    [
        ("2025-12-31", "nothing is known of p1@corp.example at 2025-12-31T00:00:00.000000Z: the earliest instant known is 2026-01-01T00"),
        ("2030-01-01", "2030-01-01 00:00 UTC has not come yet"),
    ],
)
def test_a_time_of_which_nothing_is_known(desk: Office, then: str, told: str) -> None:
    said = desk.run("explain", P1, "--at", then)
    assert (said.code, said.out) == (1, "") and told in said.err


def test_what_is_no_moment(desk: Office) -> None:
    said = desk.run("explain", P1, "--at", "yesterday")
    assert said.code == 64 and "--at 'yesterday' is no moment: say 2026-11-21T08:00Z, 2026-11-21, or how long ago: 30m, 2h, 7d" in said.err


def test_a_pause_is_told_with_its_reason_and_its_end(desk: Office) -> None:
    changed(desk, displayName="Ann")
    assert desk.run("pause", "-c", "chat", "--reason", "an audit").code == 0
    desk.run("plan")
    out = desk.run("-q", "explain", P1).out
    assert "paused since 2026-01-02 00:00 UTC: an audit" in out
    assert "  chat: nothing is written while it is paused: syncd resume -c chat" in out.splitlines()
