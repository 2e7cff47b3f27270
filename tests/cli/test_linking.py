"""link and unlink: a person decides what correlation could not, and the next run goes by it."""

from __future__ import annotations

import json
from datetime import timedelta

import pytest

from syncd.store import Store, chain, lease
from tests import stores
from tests.cli.conftest import MakeOffice
from tests.cli.office import DISABLING, Office
from tests.cli.schemas import valid
from tests.cli.test_waiting import items
from tests.world import Clock


def stranger(office: Office, identity: str, **attributes: str) -> str:
    """An account that somebody else made; its id."""
    office.sandbox.twilio.service().create(identity, attributes=json.dumps(attributes))
    return str(office.users[identity]["sid"])


def held(office: Office) -> str:
    """p1 has an account; a stranger's account says to be that of p2, by a key that its holder can edit. The stranger's account."""
    office.settled(1)
    sid = stranger(office, "stranger", externalId="E2")
    office.hire(2)
    assert office.run("sync", "--yes").code == 3
    return sid


def test_a_link_settles_what_was_held_and_the_next_run_adopts(office: Office) -> None:
    sid = held(office)
    (row,) = items(office)
    assert row["command"] == f"syncd link -c chat {sid} p2@corp.example"
    writes = office.writes
    said = office.run(*row["command"].split()[1:])
    assert (said.code, said.err) == (0, "")
    assert said.out == f"chat: account {sid} is p2@corp.example's from now on; the next `syncd sync` adopts it.\n"
    assert office.writes == writes, "the command writes to nobody"
    assert items(office) == []
    planned = office.run("plan", "--json").json
    assert [(one["kind"], one["account"], one["reason"], one["held"]) for one in planned["changes"]] == [
        ("adopt", sid, "matches by your word", None)
    ]
    assert planned["connections"][1]["accounts"]["adoptable"] == 1
    assert office.run("sync", "--yes").code == 0 and len(office.users) == 2
    assert office.users["stranger"]["friendly_name"] == "Person 2"
    assert office.run("sync", "--yes").last == "In step." and office.run("verify").code == 0


def test_a_link_ends_in_a_document_and_in_the_journal(office: Office) -> None:
    sid = held(office)
    document = valid(office.run("link", "-c", "chat", sid, "people/E2", "--json").json, "link")
    assert [(one["connection"], one["account"], one["who"]) for one in document["linked"]] == [("chat", sid, "p2@corp.example")]
    store = Store(stores.url(office.root))
    rows = store.rows(
        "SELECT e.connection, p.identity, p.body FROM entry AS e JOIN payload AS p ON p.entry = e.seq"
        " WHERE e.what = 'decided' AND p.identity IS NOT NULL"
    )
    assert [(row.connection, row.identity, json.loads(row.body)["command"]) for row in rows] == [
        ("chat", document["linked"][0]["identity"], f"link -c chat {sid} people/E2")
    ]
    assert list(chain.broken(store)) == []
    store.close()


def test_the_key_of_an_account_names_it_as_well(office: Office) -> None:
    sid = held(office)
    assert f"account {sid} is p2@corp.example's" in office.run("link", "-c", "chat", "Stranger", "E2").out


def test_an_account_that_is_anothers_is_refused_until_it_is_unlinked(office: Office) -> None:
    held(office)
    sid = office.users["p1@corp.example"]["sid"]
    said = office.run("link", "-c", "chat", sid, "E2")
    assert (said.code, said.out) == (1, "") and f"account {sid} is p1@corp.example's (" in said.err
    assert said.err.endswith(f"  take it from them first: syncd unlink -c chat {sid}\n")
    assert office.run("unlink", "-c", "chat", sid).code == 0
    assert office.run("link", "-c", "chat", sid, "E2").code == 0
    said = office.run("link", "-c", "chat", sid, "E1")
    assert said.code == 1 and "is p2@corp.example's" in said.err, "from the word on, not from the adoption on"
    said = office.run("sync", "--yes")
    assert "chat: 1 adopted" in said.out
    assert office.users["p1@corp.example"]["friendly_name"] == "Person 2"


@pytest.mark.parametrize(
    ("line", "told"),
    [
        ("link -c chat strangr E2", "chat has no account strangr; did you mean stranger?"),
        ("link -c chat XYZ E2", "chat has no account XYZ that syncd has seen (`syncd plan` looks again)"),
        ("link -c chat stranger p9@corp.example", "nobody is called p9@corp.example"),
        ("link -c people E1 E2", "people is not written: accounts are linked at targets"),
        ("unlink -c people E1", "people is a source"),
        ("unlink -c chat stranger", " is nobody's"),
        ("unlink -c chat nobody", "chat has no account nobody"),
        ("unlink -c chat E1", "E1 is a person; their account at chat is US"),
        ("unlink -c chat E2", "chat has no account E2"),
        ("link -c chat p1@corp.example p1@corp.example", ""),
    ],
)
def test_what_cannot_be_says_why_and_does_nothing(office: Office, line: str, told: str) -> None:
    held(office)
    before = items(office)
    said = office.run(*line.split())
    assert said.code == (1 if told else 0) and told in said.err
    assert items(office) == before
    assert office.run("sync", "--yes").code == 3 and items(office) == before


@pytest.mark.parametrize(
    ("line", "told"),
    [
        ("link", "needs -c NAME, ACCOUNT and WHO, or --from FILE.csv"),
        ("link -c chat US1", "needs -c NAME, ACCOUNT and WHO"),
        ("link -c chat US1 ann --from x.csv", "takes either ACCOUNT and WHO, or --from FILE.csv"),
        ("link -c chta US1 ann", "no connection is named 'chta' (did you mean 'chat'?)"),
        ("unlink US1", "needs -c NAME and ACCOUNT"),
    ],
)
def test_wrong_usage(office: Office, line: str, told: str) -> None:
    office.save()
    said = office.run(*line.split())
    assert (said.code, said.out) == (64, "") and told in said.err


def test_somebody_has_one_account_at_a_connection(office: Office) -> None:
    sid = held(office)
    said = office.run("link", "-c", "chat", sid, "E1")
    own = office.users["p1@corp.example"]["sid"]
    assert (
        said.code == 1 and f"p1@corp.example has account {own} at chat\n  take it from them first: syncd unlink -c chat {own}" in said.err
    )


def test_where_nothing_is_adopted_nothing_is_linked(office: Office) -> None:
    sid = held(office)
    office.configure(DISABLING + "      adopt: never\n")
    said = office.run("link", "-c", "chat", sid, "E2")
    assert said.code == 1 and "say `adopt: matched`" in said.err


def test_an_account_on_the_ignore_list_is_not_linked(office: Office) -> None:
    sid = held(office)
    with office.config.open("a", encoding="utf-8") as file:
        file.write("ignore: [stranger]\n")
    office.run("sync", "--yes")
    said = office.run("link", "-c", "chat", sid, "E2")
    assert said.code == 1 and "is on the ignore list" in said.err


def test_nothing_is_moved_beside_a_run(make_office: MakeOffice) -> None:
    clock = Clock()
    office = make_office(clock)
    sid = held(office)
    store = Store(stores.url(office.root))
    assert isinstance(lease.acquire(store, ["chat"], "a run", clock.now(), timedelta(minutes=1)), dict)
    store.close()
    for line in (f"link -c chat {sid} E2", "unlink -c chat p1@corp.example"):
        said = office.run(*line.split())
        assert said.code == 75 and "chat: a run holds its lease" in said.err
    assert len(items(office)) == 1


def test_an_unlinked_account_is_kept_and_its_person_not_doubled(office: Office) -> None:
    office.settled(1, 2)
    sid = office.users["p1@corp.example"]["sid"]
    before, writes = dict(office.users), office.writes
    said = office.run("unlink", "-c", "chat", "p1@corp.example")
    assert said.code == 0 and said.out.splitlines() == [
        f"chat: account {sid} is nobody's from now on, and p1@corp.example gets no other there: kept by you.",
        f"  to take it back: syncd link -c chat {sid} p1@corp.example",
    ]
    office.rows[0]["displayName"] = "Renamed"
    office.save()
    said = office.run("sync", "--yes")
    assert said.code == 0 and "1 kept" in said.out and office.users == before and office.writes == writes
    assert "1 kept by you" in office.run("plan").out
    assert items(office) == [] and office.run("verify").code == 0
    del office.rows[0]
    office.save()
    assert office.run("sync", "--yes").code == 0
    assert office.users == before and office.writes == writes, "it is no leaver's"


def test_an_unlinked_account_is_explained_by_what_was_said(office: Office) -> None:
    office.settled(1)
    sid = office.users["p1@corp.example"]["sid"]
    assert office.run("unlink", "-c", "chat", sid).code == 0
    office.run("sync", "--yes")
    assert "unlinked: you said that it is not p1@corp.example's; nothing is written to it" in office.run("explain", f"chat/{sid}").out


def test_a_link_takes_an_unlink_back(office: Office) -> None:
    office.settled(1, 2)
    office.run("unlink", "-c", "chat", "p1@corp.example")
    office.run("sync", "--yes")
    office.rows[0]["displayName"] = "Renamed"
    office.save()
    command = office.run("unlink", "-c", "chat", "p2@corp.example").out.splitlines()[-1].partition("syncd ")[2]
    assert office.run("sync", "--yes").code == 0
    assert office.run(*command.split()).code == 0
    assert office.run("link", "-c", "chat", "p1@corp.example", "E1").code == 0
    said = office.run("sync", "--yes")
    assert (said.code, "chat: 2 adopted" in said.out) == (0, True)
    assert office.users["p1@corp.example"]["friendly_name"] == "Renamed"


def test_when_the_unlinked_account_is_gone_its_person_gets_a_new_one(office: Office) -> None:
    office.settled(1, 2)
    office.run("unlink", "-c", "chat", "p1@corp.example")
    assert office.run("sync", "--yes").code == 0 and len(office.users) == 2
    office.sandbox.twilio.service().delete("p1@corp.example")
    said = office.run("sync", "--yes")
    assert "chat: 1 created" in said.out and len(office.users) == 2


def test_when_the_unlinked_account_is_anothers_its_person_is_judged_as_ever(office: Office) -> None:
    """p1's account was p2's in truth: p2 is given it, and p1's own is found."""
    office.hire(1)
    sid = stranger(office, "chat-of-two", externalId="E1")
    office.run("plan")
    office.run("link", "-c", "chat", sid, "E1")
    assert office.run("sync", "--yes").code == 0
    office.hire(2)
    assert office.run("sync", "--yes", "-c", "people").code == 0
    office.run("unlink", "-c", "chat", sid)
    office.run("link", "-c", "chat", sid, "E2")
    said = office.run("sync", "--yes")
    assert "1 created, 1 adopted" in said.out, said
    assert {name: one["friendly_name"] for name, one in office.users.items()} == {
        "chat-of-two": "Person 2", "p1@corp.example": "Person 1",
    }  # fmt: skip
