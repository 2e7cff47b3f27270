"""identities merge: two people of two sources are one, for good."""

from __future__ import annotations

import json

import pytest

from syncd.core.correlation import identity_id
from syncd.store import Store
from tests import stores
from tests.cli.office import Office, person, write
from tests.cli.schemas import valid
from tests.cli.test_forget import traces

CONFIG = """\
version: 1
{more}
connections:
  people:
    connector: file
    path: people.csv
    id: employeeNumber
    authoritative: true
  staff:
    connector: file
    path: staff.csv
    id: employeeNumber
    authoritative: true
  chat:
    connector: twilio
    base_url: {url}
    account_sid: {account}
    auth_token: env:CHAT_TOKEN
    limits: {{delete: {{percent: 100}}}}
    write:
      scope: department == "Support"
      deprovision: {{out_of_scope: delete, departed: delete, grace: 0s}}
"""


def identity(name: str, number: int) -> str:
    return identity_id("default", name, f"E{number}")


def configure(office: Office, more: str = "") -> None:
    text = CONFIG.format(url=office.url, account=office.sandbox.twilio.account_sid, more=more)
    office.config.write_text(text, encoding="utf-8")


@pytest.fixture
def two(office: Office) -> Office:
    """1 and 2 in people; in staff 2 once more under another number and address, and 3."""
    configure(office)
    write(office.root / "staff.csv", [{**person(12), "displayName": "Person Two", "department": "Sales"}, person(3)])
    office.hire(1, 2)
    assert office.run("sync", "--yes").code == 0
    assert office.users.keys() == {"p1@corp.example", "p2@corp.example", "p3@corp.example"}
    return office


@pytest.mark.parametrize(("typed", "code", "people"), [("y\n", 0, 3), ("n\n", 0, 4), (None, 64, 4)])
def test_it_is_asked_about_first(two: Office, typed: str | None, code: int, people: int) -> None:
    """It cannot be taken back; where nobody can be asked, it takes a --yes."""
    said = two.run("identities", "merge", "people/E2", "staff/E12", typing=typed)
    assert (said.code, len(everybody(two))) == (code, people)
    if typed is None:
        assert "say --yes" in said.err
    else:
        one, other = identity("people", 2), identity("staff", 12)
        assert said.err.startswith(f"Is p12@corp.example ({other}) the same person as p2@corp.example ({one}), for good? [y/N] ")
        assert ("Nothing was merged." in said.err) is (people == 4)


def everybody(office: Office) -> dict[str, list[tuple[str, str]]]:
    """Identity -> its accounts."""
    made = office.run("identities", "--json").json["identities"]
    return {one["id"]: sorted((each["connection"], each["account"]) for each in one["accounts"]) for one in made}


def test_the_sources_of_both_make_one_person_for_good(two: Office) -> None:
    writes = two.writes
    said = two.run("identities", "merge", "p2@corp.example", "staff/E12", "--yes")
    kept = identity("people", 2)
    assert (said.code, said.out) == (0, f"p12@corp.example is p2@corp.example from now on ({kept}).\n")
    assert two.writes == writes
    sid = two.users["p2@corp.example"]["sid"]
    for _ in range(2):
        assert everybody(two)[kept] == [("chat", sid), ("people", "E2"), ("staff", "E12")]
        assert len(everybody(two)) == 3 and two.run("verify").code == 0
        assert two.run("sync", "--yes", "--full").code == 0 and two.writes == writes
    configure(two, "precedence: {displayName: [staff, people]}")
    assert two.run("sync", "--yes").code == 0
    assert two.users["p2@corp.example"]["friendly_name"] == "Person Two", "everybody was made anew, and they are one still"
    (two.root / "staff.csv").write_text((two.root / "staff.csv").read_text().replace("Person Two", "Person II"))
    assert two.run("sync", "--yes").code == 0
    assert two.users["p2@corp.example"]["friendly_name"] == "Person II", "and when it is read again"
    assert everybody(two)[kept] == [("chat", sid), ("people", "E2"), ("staff", "E12")]
    two.rows = [one for one in two.rows if one["employeeNumber"] != "E2"]
    two.save()
    two.run("sync", "--yes")
    assert everybody(two)[kept] == [("staff", "E12")], "who is left at one source only is no leaver; out of scope there, though"


def test_who_stays_answers_to_the_ids_of_both(two: Office) -> None:
    gone = identity("staff", 12)
    assert two.run("identities", "merge", "p2@corp.example", gone, "--yes").code == 0
    sid = two.users["p2@corp.example"]["sid"]
    assert f"account {sid} is nobody's" in two.run("unlink", "-c", "chat", sid).out
    said = two.run("link", "-c", "chat", sid, gone)
    assert f"account {sid} is p2@corp.example's" in said.out


def test_an_account_of_the_other_moves_where_the_one_has_none(two: Office) -> None:
    """Who stays is the one of staff, who has no account: that of the other is theirs, with its marker."""
    sid = two.users["p2@corp.example"]["sid"]
    said = two.run("identities", "merge", "staff/E12", "people/E2", "--json", "--yes")
    document = valid(said.json, "merge")
    assert document["moved"] == [{"connection": "chat", "account": sid}] and document["unlinked"] == []
    kept = identity("staff", 12)
    assert document["identity"] == kept
    assert ("chat", sid) in everybody(two)[kept]
    said = two.run("sync", "--yes")
    assert said.code == 0 and "1 updated" in said.out and len(two.users) == 3, "its marker says who it is now"
    assert json.loads(two.users["p2@corp.example"]["attributes"])["syncd"] == f"default:{kept}"
    assert two.run("sync", "--yes").last == "In step." and two.run("verify").code == 0


def test_of_two_accounts_at_one_target_that_of_the_other_is_nobodys(two: Office) -> None:
    sid = two.users["p3@corp.example"]["sid"]
    said = two.run("identities", "merge", "people/E2", "staff/E3", "--yes")
    assert said.code == 0 and f"chat: account {sid} is nobody's now, for they have another one there" in said.out
    before, writes = two.users, two.writes
    for _ in range(2):
        assert two.run("sync", "--yes").code == 0
    assert (two.users, two.writes) == (before, writes), "it is not touched, and no leaver's"
    assert two.run("verify").code == 0
    two.sandbox.twilio.service().delete("p2@corp.example")
    assert two.run("sync", "--yes").code == 0
    assert two.users.keys() == {"p1@corp.example", "p3@corp.example"}, "nor are they given a third"


def test_after_a_lost_store_markers_of_both_are_ours(two: Office) -> None:
    two.run("identities", "merge", "staff/E12", "people/E2", "--yes")
    two.run("sync", "--yes")
    stores.lose(two.root)
    writes = two.writes
    said = two.run("sync", "--yes")
    assert said.code in (0, 3) and len(two.users) == 3 and two.writes - writes <= 1


@pytest.mark.parametrize(
    ("line", "told"),
    [
        ("people/E2 p2@corp.example", "people/E2 and p2@corp.example are one person already"),
        ("people/E1 people/E2", "p1@corp.example and p2@corp.example cannot be one person: both have an account at people, which tells"),
        ("people/E1 nobody@corp.example", "nobody is called nobody@corp.example"),
    ],
)
def test_what_cannot_be_is_refused_and_nothing_done(two: Office, line: str, told: str) -> None:
    before = everybody(two)
    said = two.run("identities", "merge", *line.split(), "--yes")
    assert (said.code, said.out) == (1, "") and told in said.err
    assert everybody(two) == before


def test_a_doubt_is_settled_first(two: Office) -> None:
    two.hire(4)
    two.sandbox.faults = "reset@create:*"
    assert two.run("sync", "--yes").code == 3
    said = two.run("identities", "merge", "people/E4", "staff/E3", "--yes")
    assert said.code == 1 and "at chat the outcome of a create for one of them is unknown" in said.err


def test_the_words_of_both_are_kept(two: Office) -> None:
    sid = two.users["p2@corp.example"]["sid"]
    two.run("unlink", "-c", "chat", sid)
    assert two.run("identities", "merge", "staff/E12", "people/E2", "--yes").code == 0
    store = Store(stores.url(two.root))
    rows = store.rows("SELECT identity, yes FROM word")
    store.close()
    assert [tuple(row) for row in rows] == [(identity("staff", 12), 0)]
    assert two.run("sync", "--yes").code == 0 and len(two.users) == 3


def test_history_and_forget_know_them_under_the_names_of_both(two: Office) -> None:
    two.run("identities", "merge", "people/E2", "staff/E3", "--yes")
    told = two.run("history", "p2@corp.example").out
    assert "create p2@corp.example" in told and "create p3@corp.example" in told
    two.sandbox.twilio.service().delete("p3@corp.example")
    write(two.root / "staff.csv", [{**person(12), "displayName": "Person Two", "department": "Sales"}])
    two.rows.pop()
    two.save()
    two.run("sync", "--yes")
    said = two.run("forget", identity("people", 2), "--yes")
    assert (said.code, said.err) == (0, "")
    canaries = ("p3@corp.example", "p2@corp.example", "Person 2", "Person 3", identity("staff", 3), identity("people", 2))
    assert traces(two, *canaries) == []
    assert two.run("verify").code == 0 and two.run("sync", "--yes").code == 0


def test_history_tells_of_a_merge_that_moved_an_account(two: Office) -> None:
    sid = two.users["p2@corp.example"]["sid"]
    two.run("identities", "merge", "staff/E12", "people/E2", "--yes")
    for line in (["history"], ["history", "staff/E12"], ["history", "--csv"]):
        said = two.run(*line)
        assert said.code == 0 and "identities merge staff/E12 people/E2" in said.out
    (told,) = [
        one for one in valid(two.run("history", "--json").json, "history")["entries"] if one["command"] and "merge" in one["command"]
    ]
    assert (told["attributes"], told["more"]["moved"]) == ({}, [["chat", sid]])
