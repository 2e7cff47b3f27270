"""`syncd forget`: a departed person leaves no trace in the store's files; what is still at a provider stays nobody's."""

from __future__ import annotations

import re
import sqlite3
from datetime import timedelta

import pytest

from syncd.core.correlation import identity_id
from syncd.environment import Environment
from syncd.store import Store, backend, chain, lease
from tests import stores
from tests.cli.office import DISABLING, Office
from tests.cli.schemas import valid

WHO = "p3@corp.example"
DELETING = DISABLING + "      deprovision: {departed: delete, grace: 0s}\n      limits: {delete: {percent: 100}}\n"


def left(office: Office, rest: str = DELETING) -> Office:
    """The third of three has left."""
    office.configure(rest.replace("      limits", "    limits"))
    office.settled(1, 2, 3)
    account = office.users[WHO]["sid"]
    office.rows.pop()
    office.save()
    office.run("sync", "--yes")
    office.environ["ACCOUNT"] = account
    return office


def traces(office: Office, *canaries: str) -> list[tuple[str, str]]:
    """(file, canary) wherever one stands in the bytes of the store's files."""
    return [(name, one) for name, held in stores.files(office.root).items() for one in canaries if one.encode() in held]


def held(office: Office) -> list[tuple[str, int]]:
    """(identity, owned) of each link."""
    store = Store(stores.url(office.root))
    rows = [(row.identity, row.owned) for row in store.rows("SELECT identity, owned FROM link")]
    store.close()
    return rows


def canaries(office: Office) -> list[str]:
    return [WHO, "Person 3", office.environ["ACCOUNT"], identity_id("default", "people", "E3")]


def test_no_byte_of_a_departed_person_stays_and_the_journal_holds(office: Office) -> None:
    left(office)
    assert {one for _, one in traces(office, *canaries(office))} == set(canaries(office))
    before = valid(office.run("verify", "--json").json, "verify")["journal"]["entries"]
    said = office.run("forget", WHO, "--yes")
    assert (said.code, said.out.splitlines()[0]) == (
        0, "Forgotten: the person, 2 accounts that are gone, what 3 entries of the journal said."
    )  # fmt: skip
    assert traces(office, *canaries(office)) == []
    verified = valid(office.run("verify", "--json").json, "verify")
    assert (verified["differences"], verified["identities"], verified["journal"]["entries"]) == ([], 2, before + 1)
    told = office.run("history").out
    assert told.count("what it said was forgotten with the person") == 3 and "Person 3" not in told
    assert office.run("history", WHO).code == 1
    assert office.run("sync", "--yes", "--full").code == 0 and office.run("verify").code == 0
    assert traces(office, *canaries(office)) == [], "no later run brings it back"


@pytest.mark.sqlite("it looks into the file")
def test_what_older_versions_of_a_row_left_in_the_file_goes_too(office: Office) -> None:
    left(office)
    database = sqlite3.connect(office.root / "syncd.db")
    database.execute("PRAGMA secure_delete=OFF")
    database.execute("INSERT INTO setting VALUES ('old', ?)", ("their old name " * 100,))
    database.commit()
    database.execute("DELETE FROM setting WHERE name = 'old'")
    database.commit()
    database.close()
    assert traces(office, "their old name")
    assert office.run("forget", WHO, "--yes").code == 0
    assert traces(office, "their old name") == []


def test_what_was_said_of_others_names_them_no_more(office: Office) -> None:
    left(office)
    other = identity_id("default", "people", "E1")
    store = Store(stores.url(office.root))
    with store.transaction():
        event = chain.Event(chain.DECIDED, "chat", {"command": "identities merge", "with": WHO}, other)
        chain.append(store, [event], Environment().now())
        store.run("UPDATE change SET error = :text WHERE identity = :other", text=f"taken by {WHO.upper()}, who left", other=other)
    store.close()
    assert office.run("forget", WHO, "--yes").code == 0
    assert traces(office, *canaries(office), WHO.upper()) == [] and office.run("verify").code == 0
    store = Store(stores.url(office.root))
    assert store.value("SELECT error FROM change WHERE identity = :other", other=other) == "taken by (forgotten), who left"
    store.close()


def test_an_account_that_stays_is_nobodys_and_neither_doubled_nor_given_away(office: Office) -> None:
    left(office, DISABLING + "      deprovision: {departed: keep}\n")
    said = office.run("forget", WHO, "--yes", "--json")
    document = valid(said.json, "forget")
    assert document["stays"] == [{"connection": "chat", "account": office.environ["ACCOUNT"]}]
    assert traces(office, "Person 3") == [] and office.run("history", "people/E3").code == 1
    assert (document["known_as"], 0) in held(office), "it is not ours any more"
    office.sandbox.twilio.service().update(office.environ["ACCOUNT"], friendly_name="Person 3 as it is now")
    writes = office.writes
    for _ in range(2):
        assert office.run("sync", "--yes", "--full").code == 0 and office.run("verify").code == 0
    stores.tidy(office.root)
    assert (office.writes, traces(office, "Person 3")) == (writes, []), "a listing shows it, and its attributes are not kept"
    office.rows.append({"employeeNumber": "E9", "email": WHO, "displayName": "Another", "department": "Support"})
    office.save()
    assert office.run("sync", "--yes").code == 3
    assert "was a leaver's: rehire, or a reused address?" in office.run("pending").out
    assert office.writes == writes


def test_what_stayed_is_forgotten_too_once_it_is_gone(office: Office) -> None:
    left(office, DISABLING + "      deprovision: {departed: keep}\n")
    alias = office.run("forget", WHO, "--yes", "--json").json["known_as"]
    office.sandbox.twilio.service().delete(office.environ["ACCOUNT"])
    office.run("sync", "--yes", "--full")
    store = Store(stores.url(office.root))
    assert not [table for table in ("account", "identity", "link") if "forgotten-" in str(store.rows(f"SELECT * FROM {table}"))]
    store.close()
    assert office.run("forget", alias, "--yes").code == 0
    assert traces(office, *canaries(office)) == [] and office.run("verify").code == 0


def test_who_is_rehired_after_that_is_a_newcomer(office: Office) -> None:
    left(office)
    office.run("forget", WHO, "--yes")
    office.hire(3)
    assert office.run("sync", "--yes").code == 0 and office.run("verify").code == 0
    assert WHO in office.users and len(office.users) == 3


@pytest.mark.parametrize(
    ("rest", "error"),
    [
        (DISABLING + "      deprovision: {departed: delete, grace: 7d}\n", r"chat/US\w+ is deleted on \d{4}-\d\d-\d\d\n  forget them then"),
        (DISABLING + "      deprovision: {departed: delete, grace: 0s, retain: department}\n", r"`retain` holds chat/US\w+"),
    ],
)
@pytest.mark.sqlite("it looks into the file")
def test_who_is_still_to_be_deleted_or_retained_is_not_forgotten(office: Office, rest: str, error: str) -> None:
    left(office, rest)
    before = (office.root / "syncd.db").read_bytes()
    said = office.run("forget", WHO, "--yes")
    assert said.code == 1 and re.search(error, said.err)
    assert (office.root / "syncd.db").read_bytes() == before


def test_the_living_are_not_forgotten_nor_those_whose_deletion_is_held(office: Office) -> None:
    left(office)
    said = office.run("forget", "p1@corp.example", "--yes")
    assert said.code == 1 and said.err.startswith("syncd: p1@corp.example has not departed: people/E1 is there\n")
    office.configure(DELETING.replace("      limits: {delete: {percent: 100}}", "    limits: {delete: {max: 0, percent: 0}}"))
    office.rows.clear()
    office.save()
    assert office.run("sync", "--yes").code == 3
    said = office.run("forget", "p1@corp.example", "--yes")
    assert said.code == 1 and "is still to be deleted\n  `syncd sync` does it, or `syncd pending` says what it waits for" in said.err


def test_it_asks_and_a_no_changes_nothing(office: Office) -> None:
    left(office)
    assert office.run("forget", WHO).code == 64
    said = office.run("forget", WHO, typing="n\n")
    assert (said.code, "cannot be undone" in said.err) == (0, True)
    assert office.run("history", WHO).code == 0
    assert office.run("forget", WHO, typing="y\n").code == 0
    assert traces(office, *canaries(office)) == []


def test_nothing_is_forgotten_while_a_run_is_at_work(office: Office) -> None:
    left(office)
    store = Store(stores.url(office.root))
    assert isinstance(lease.acquire(store, ["chat"], "a run", Environment().now(), timedelta(minutes=1)), dict)
    store.close()
    said = office.run("forget", WHO, "--yes")
    assert (said.code, "a run holds its lease" in said.err) == (75, True)
    assert office.run("history", WHO).code == 0


def test_what_could_not_be_cleared_because_somebody_read_it_is_cleared_by_typing_it_again(
    office: Office, monkeypatch: pytest.MonkeyPatch
) -> None:
    left(office)
    monkeypatch.setattr(backend, "PATIENCE", 0.1)
    with stores.read(office.root):
        said = office.run("forget", WHO, "--yes")
        assert (said.code, "what was erased stands in its files still" in said.err) == (75, True)
    said = office.run("forget", WHO, "--yes")
    assert (said.code, said.out) == (0, "What was forgotten before stands in no file of the store any more.\n")
    assert traces(office, *canaries(office)) == []
    assert office.run("forget", WHO, "--yes").code == 1


def test_who_was_forgotten_is_nobody_to_link_or_merge_with_but_the_account_can_be_given(office: Office) -> None:
    left(office, DISABLING + "      deprovision: {departed: keep}\n")
    alias = office.run("forget", WHO, "--yes", "--json").json["known_as"]
    sid = office.environ["ACCOUNT"]
    for line in (
        ["identities", "merge", alias, "people/E1", "--yes"],
        ["identities", "merge", "people/E1", alias, "--yes"],
        ["link", "-c", "chat", sid, alias],
    ):
        said = office.run(*line)
        assert (said.code, said.out) == (1, "") and f"{alias} was forgotten, and is nobody any more" in said.err
    office.hire(3)
    office.run("plan")
    assert office.run("link", "-c", "chat", sid, "people/E3").code == 0
    assert office.run("sync", "--yes").code == 0 and office.run("verify").code == 0
    assert (identity_id("default", "people", "E3"), 1) in held(office) and len(office.users) == 3


def test_a_backup_from_before_brings_them_back_and_the_restore_says_so(office: Office) -> None:
    """Who was forgotten before it stays so, and is not counted."""
    backup = str(office.root / "copy.db")
    left(office)
    assert office.run("forget", WHO, "--yes").code == 0
    office.run("store", "backup", backup)
    assert valid(office.run("store", "restore", backup, "--yes", "--json").json, "restore")["forgotten"] == []
    assert "forgotten" not in office.run("store", "restore", backup, "--yes").out
    assert office.run("sync", "--yes", "--full").code == 0
    assert "p2@corp.example" in office.users
    office.rows.pop()
    office.save()
    assert office.run("sync", "--yes", "--full").code == 0 and office.run("forget", "p2@corp.example", "--yes").code == 0
    said = office.run("store", "restore", backup, "--yes")
    assert re.search(
        r"Since that backup 1 person was forgotten \(\S+ \S+ UTC\): what it knew of them is back\.\n  Forget them again", said.out
    )
    assert office.run("history", "p2@corp.example").code == 0, "it is so"
    assert office.run("sync", "--yes", "--full").code == 0 and office.run("forget", "p2@corp.example", "--yes").code == 0
    for kept in office.root.glob("*.before-restore-*"):
        kept.unlink()
    assert traces(office, "p2@corp.example", "Person 2") == [] and office.run("verify").code == 0


@pytest.mark.sqlite("a file that is lost")
def test_a_lost_store_cannot_say_whom_its_backup_brings_back(office: Office) -> None:
    backup = str(office.root / "copy.db")
    left(office)
    office.run("store", "backup", backup)
    stores.lose(office.root)
    assert "Who was forgotten since that backup is known again, if it knew them." in office.run("store", "restore", backup, "--yes").out
