"""check, status, verify, identities: from what is there, without changing it."""

from __future__ import annotations

import csv
import io
import re
from datetime import timedelta

import pytest

from syncd.store import Store, presence
from tests import stores
from tests.cli.conftest import MakeOffice
from tests.cli.office import DISABLING, Office, person
from tests.cli.schemas import valid
from tests.world import Clock


def test_check_says_what_each_connection_can_do(office: Office) -> None:
    office.hire(1)
    said = office.run("check")
    assert (said.code, said.err) == (0, "")
    assert said.out == (
        f"configuration: {office.config}\npeople  ok  read\n"
        "chat    ok  read, create, update, disable (overlay), delete, proves absence\nEverything answers. Next: syncd plan\n"
    )
    made = valid(office.run("check", "--json").json, "check")
    assert made["connections"][1] == {
        "name": "chat", "ok": True, "capabilities": ["read", "create", "update", "disable (overlay)", "delete", "proves absence"],
        "permissions": {"read": True}, "problems": [],
    }  # fmt: skip


def test_a_connection_that_is_only_read_can_do_nothing_else(office: Office) -> None:
    office.configure("")
    office.save()
    assert valid(office.run("check", "--json").json, "check")["connections"][1]["capabilities"] == ["read", "proves absence"]


def test_check_finds_a_refused_token_and_a_missing_column(office: Office) -> None:
    office.config.write_text(
        office.config.read_text().replace("    authoritative", "    read: {attributes: {title: jobTitle}}\n    authoritative")
    )
    office.environ["CHAT_TOKEN"] = "another-token-than-theirs"
    office.hire(1)
    said = office.run("check")
    assert said.code == 1 and said.last == "2 connections have a problem."
    assert "people: people.csv: no column 'jobTitle'" in said.out and "check account_sid and its auth_token" in said.out
    assert "chat: not permitted: read" in said.out
    made = valid(office.run("check", "--json").json, "check")
    assert [one["ok"] for one in made["connections"]] == [False, False] and all(one["problems"] for one in made["connections"])


def test_check_tells_where_leavers_are_kept(office: Office) -> None:
    office.configure("    write: {}\n")
    office.save()
    assert "note: leavers of chat are kept" in office.run("check").out


def test_status_before_anything_was_read(office: Office) -> None:
    office.save()
    said = office.run("status")
    assert said.code == 0 and said.out.splitlines()[0] == "Nothing has been read yet. Next: syncd plan"
    made = valid(office.run("status", "--json").json, "status")
    assert [one["last_full"] for one in made["connections"]] == [None, None]


STATUS = """\
All 2 in step; nothing waits for you.

CONNECTION  ACCOUNTS  LINKED  READ
people      2         2       delta 3 d ago, full 3 d ago
chat        3         2       delta 3 d ago, full 3 d ago
No daemon is at work (syncd run): connections are read when you, or cron, say `syncd sync`.
"""


def test_status_in_step(make_office: MakeOffice) -> None:
    clock = Clock()
    office = make_office(clock)
    office.sandbox.twilio.service().create("stranger")
    office.settled(1, 2)
    office.run("sync", "--yes")
    clock.pass_time(timedelta(days=3))
    assert office.run("status").out == STATUS
    made = valid(office.run("status", "--json").json, "status")
    chat = made["connections"][1]
    assert (made["summary"], made["identities"]) == ("All 2 in step; nothing waits for you.", 2)
    assert (chat["accounts"], chat["links"], chat["last_full"][:10]) == (3, 2, "2026-01-01")


def test_status_tells_what_a_daemon_does_next(make_office: MakeOffice) -> None:
    """As long as it says that it is at work."""
    clock = Clock()
    office = make_office(clock)
    office.settled(1)
    store = Store(stores.url(office.root))
    presence.appear(store, "here:1", clock.now())
    store.run("UPDATE connection SET failures = 5 WHERE name = 'chat'")
    clock.pass_time(timedelta(seconds=40))
    lines = office.run("status").out.splitlines()
    assert re.fullmatch(r"people +1 +1 +delta 40 s ago, full 40 s ago, next in 4 min", lines[3])
    assert re.fullmatch(r"chat +1 +1 +delta 40 s ago, full 40 s ago, suspended, tried again in 7 min", lines[4])
    made = valid(office.run("status", "--json").json, "status")["connections"]
    assert [(one["suspended"], one["next_run"][:16]) for one in made] == [(False, "2026-01-01T00:05"), (True, "2026-01-01T00:08")]
    presence.appear(store, "here:1", clock.now(), refused=True)
    assert (
        office.run("status")
        .out.splitlines()[0]
        .endswith(
            " The daemon here:1 refused its configuration when it was last reloaded and works by the one before: its log says why;"
            " mend it and reload (SIGHUP)."
        )
    )
    presence.leave(store, "here:1")
    assert office.run("status", "--json").json["connections"][0]["next_run"] is None
    store.close()


def test_status_names_what_waits_and_what_failed(office: Office) -> None:
    office.settled(*range(1, 11))
    del office.rows[5:]
    office.save()
    office.run("sync", "--yes")
    out = office.run("status").out
    assert out.startswith("1 of 2 in step; 5 held for you (syncd pending).\n")
    assert re.search(r"HELD .*\n.*\nchat .* 5 ", out)
    office.environ["CHAT_TOKEN"] = "another-token-than-theirs"
    office.run("sync", "--yes")
    assert re.match(r"1 of 2 in step; 5 held for you \(syncd pending\); chat: .*401", office.run("status").out)


def test_status_counts_those_who_have_not_departed(office: Office) -> None:
    office.settled(1, 2)
    del office.rows[1]
    office.save()
    office.run("sync", "--yes")
    assert office.run("status", "--json").json["identities"] == 1


def test_verify_finds_no_difference_and_then_one(office: Office) -> None:
    office.settled(1, 2)
    said = office.run("verify")
    told = r"2 identities verified: every decision follows from the documents\.\nThe journal holds: 3 entries, up to [0-9a-f]{32}\.\n"
    assert said.code == 0 and re.fullmatch(told, said.out)
    assert valid(office.run("verify", "--json").json, "verify")["differences"] == []
    store = Store(stores.url(office.root))
    with store.transaction():
        store.run("UPDATE link SET desired = actual WHERE desired = actual AND id = 1")
        store.run("UPDATE link SET desired = :other WHERE id = 1", other=b"x" * 16)
    store.close()
    said = office.run("verify")
    assert said.code == 1 and "chat: identity " in said.out and said.last == "1 difference."
    assert len(valid(office.run("verify", "--json").json, "verify")["differences"]) == 1


def test_verify_misses_what_was_taken_out_of_the_journal_also_under_rules_it_has_not_seen(office: Office) -> None:
    office.settled(1, 2)
    store = Store(stores.url(office.root))
    with store.transaction():
        store.run("DELETE FROM payload WHERE entry = 3")
        store.run("DELETE FROM entry WHERE seq = 3")
    store.close()
    cut = "the journal ends with entry 2, and is not the one that ended with entry 3"
    assert valid(office.run("verify", "--json").json, "verify")["differences"] == [cut]
    office.configure(DISABLING + "      scope: department == 'Sales'\n")
    said = office.run("verify")
    assert (said.code, cut in said.out, said.last) == (1, True, "2 differences.")


def test_verify_compares_nothing_under_rules_the_store_has_not_seen(office: Office) -> None:
    office.settled(1)
    office.configure(DISABLING + "      scope: department == 'Sales'\n")
    said = office.run("verify")
    assert said.code == 1 and "chat: its map, scope or sources changed since the last run; `syncd plan` decides anew" in said.out
    office.run("plan")
    assert office.run("verify").code == 0


IDENTITIES = r"""LIVE  USERNAME +DISPLAYNAME +EMAIL +EXTERNALID +PEOPLE +CHAT
live  p1@corp.example  Person 1 +p1@corp.example  E1 +E1 +US[0-9a-f]{32}
live  p2@corp.example  Person 2 +p2@corp.example  E2 +E2 +US[0-9a-f]{32}
2 identities\.
"""


def test_identities_in_order_of_name(office: Office) -> None:
    office.settled(2, 1)
    assert re.fullmatch(IDENTITIES, office.run("identities").out)
    made = valid(office.run("identities", "--json").json, "identities")
    one = next(one for one in made["identities"] if one["attributes"]["externalId"] == "E1")
    assert [(account["connection"], account["state"]) for account in one["accounts"]] == [("chat", "live"), ("people", "source")]


def test_identities_of_an_empty_store(office: Office) -> None:
    office.save()
    assert office.run("identities").last == "0 identities."
    assert valid(office.run("identities", "--json").json, "identities")["identities"] == []


@pytest.mark.parametrize("start", ["=", "+", "-", "@", "\t"])
def test_a_spreadsheet_runs_no_cell(office: Office, start: str) -> None:
    office.rows = [person(1) | {"employeeNumber": f"{start}SUM(A1)"}]
    office.save()
    office.run("plan")
    said = office.run("identities", "--csv")
    (row,) = csv.DictReader(io.StringIO(said.out, newline=""))
    assert row["people"] == f"'{start}SUM(A1)"
    assert (row["userName"], row["live"]) == ("p1@corp.example", "live")
