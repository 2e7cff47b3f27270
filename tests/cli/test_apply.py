"""`syncd plan --out FILE` and `syncd apply FILE`, typed: what is sent, what is refused, and what is said."""

from __future__ import annotations

import json
import os
import re
import stat
from collections.abc import Callable
from datetime import timedelta
from hashlib import blake2b
from pathlib import Path

import pytest

from syncd.cli.plan_opening import opened
from syncd.errors import Outdated
from syncd.store import Store
from tests import stores
from tests.cli.conftest import MakeOffice
from tests.cli.office import DISABLING, Office, Said
from tests.cli.schemas import valid
from tests.world import Clock

NOBODY = {"create": 0, "adopt": 0, "update": 0, "disable": 0, "delete": 0}


def file(office: Office) -> Path:
    return office.root / "syncd.plan"


def save(office: Office, *more: str) -> Said:
    said = office.run("plan", "--out", str(file(office)), *more)
    assert said.code == 0, said
    return said


def apply(office: Office, *more: str) -> Said:
    return office.run("apply", str(file(office)), *more)


def rename(office: Office, number: int, name: str) -> None:
    """At the provider, by somebody else."""
    service = office.sandbox.twilio.service()
    service.update(office.users[f"p{number}@corp.example"]["sid"], friendly_name=name)


def test_a_plan_is_not_written_over_what_syncd_lives_by(office: Office) -> None:
    office.hire(1)
    for name in ("syncd.yaml", "people.csv", *([] if stores.places.postgresql else ["syncd.db"])):
        before = (office.root / name).read_bytes()
        said = office.run("plan", "--out", str(office.root / name))
        assert (said.code, said.out) == (1, "") and "it is the configuration, or a file that it names" in said.err
        assert (office.root / name).read_bytes() == before


@pytest.fixture
def changed(office: Office) -> Office:
    """Twelve people in step; one is renamed, one leaves, one is new, and that is saved."""
    office.settled(*range(1, 13))
    office.rows[0]["displayName"] = "Renamed"
    del office.rows[11]
    office.hire(13)
    save(office)
    return office


def test_exactly_the_plan_is_sent_and_no_user_is_listed(changed: Office) -> None:
    changed.hire(14)
    before = len(changed.sandbox.twilio.requests)
    said = apply(changed)
    assert (said.code, said.out.splitlines()[-1]) == (0, "Applied.")
    assert re.search(r"chat: 1 created, 1 updated, 1 disabled, 7 requests in ", said.out)
    asked = [(one.method, one.operation) for one in changed.sandbox.twilio.requests[before:]]
    assert sorted(asked) == [("GET", "fetch")] * 4 + [("POST", "create")] + [("POST", "update")] * 2, "one is merged into what is there"
    assert changed.users["p1@corp.example"]["friendly_name"] == "Renamed"
    assert "p13@corp.example" in changed.users and "p14@corp.example" not in changed.users
    assert "1 to create, 0 to adopt, 0 to update, 0 to disable" in changed.run("plan").last


def test_it_does_not_ask_and_needs_no_yes(office: Office) -> None:
    office.hire(1, 2)
    save(office)
    assert apply(office).code == 0 and len(office.users) == 2, "at the first contact it is the consent"
    assert office.run("sync", "--yes").out.splitlines()[-1] == "In step."


def test_the_report(changed: Office) -> None:
    report = valid(apply(changed, "--json").json, "report")
    assert (report["mode"], report["converged"]) == ("apply", True)
    people, chat = report["connections"]
    assert chat["applied"] == {**NOBODY, "create": 1, "update": 1, "disable": 1}
    assert chat["listing"] == {"complete": False, "accounts": 0, "changed": 0, "pages": 0}, "it was not listed"
    assert people["listing"]["complete"] and people["listing"]["accounts"] == 12


def test_what_moved_is_skipped_with_the_reason_and_ends_with_3(changed: Office) -> None:
    rename(changed, 1, "Somebody")
    changed.sandbox.twilio.service().create("p13@corp.example", "Taken")
    said = apply(changed)
    assert said.code == 3 and said.last == "2 changes were not sent. Next: syncd plan"
    assert re.search(
        r"chat: skipped: update p1@corp.example: account US\w+ was changed since the plan was made \(friendly_name\)\n", said.out
    )
    assert re.search(r"chat: skipped: create p13@corp.example: account US\w+ is there by now \(matches by the provider's key\)\n", said.out)
    assert changed.users["p1@corp.example"]["friendly_name"] == "Somebody"
    assert "chat: 1 disabled, 2 not sent" in said.out


def test_as_a_document_the_reasons_are_on_stderr(changed: Office) -> None:
    rename(changed, 1, "Somebody")
    said = apply(changed, "--json")
    assert valid(said.json, "report")["connections"][1]["skipped"] == 1 and "skipped: update p1@corp.example: account" in said.err


def test_of_many_that_were_skipped_the_first_are_told(office: Office) -> None:
    office.hire(*range(1, 31))
    save(office)
    for number in range(1, 31):
        office.sandbox.twilio.service().create(f"p{number}@corp.example", "Taken")
    said = apply(office)
    assert said.out.count("skipped: create") == 20 and "chat: and more were skipped (-v shows them)" in said.out


# ---- the file ----


def test_the_file_is_the_document_and_what_apply_needs(changed: Office) -> None:
    made = json.loads(file(changed).read_bytes())
    more = {name: made.pop(name) for name in ("store", "whole", "seal")}
    assert more["whole"] is True and more["store"].keys() == {"id", "epoch"} and re.fullmatch("[0-9a-f]{64}", more["seal"])
    assert [part.pop("settled") for part in made["connections"]] == [0, 12]
    assert [change.pop("apply")["hold"] for change in made["changes"]] == ["", "", ""]
    valid(made, "plan")
    assert stat.S_IMODE(file(changed).stat().st_mode) == 0o600


def test_saving_prints_the_plan_as_ever(office: Office) -> None:
    office.settled(1)
    office.hire(2)
    plain = [line for line in office.run("plan").out.splitlines() if "Plan of run" not in line]
    said = save(office)
    assert [line for line in said.out.splitlines() if "Plan of run" not in line] == plain
    assert said.err == f"saved to {file(office)}; to send just that: syncd apply {file(office)}\n"
    assert valid(save(office, "--json").json, "plan") and json.loads(file(office).read_bytes())["seal"]


def test_an_earlier_file_is_replaced_whatever_it_was(office: Office) -> None:
    office.hire(1)
    file(office).write_text("mine")
    file(office).chmod(0o644)
    save(office)
    assert stat.S_IMODE(file(office).stat().st_mode) == 0o600 and file(office).read_bytes().startswith(b'{\n  "version": 1,')
    assert [one.name for one in office.root.iterdir() if "plan" in one.name] == ["syncd.plan"], "nothing is left beside it"


@pytest.mark.parametrize("place", ["nowhere/syncd.plan", "."])
def test_where_no_file_can_be_nothing_is_read(office: Office, place: str) -> None:
    office.hire(1)
    said = office.run("plan", "--out", str(office.root / place))
    assert (said.code, said.out, len(office.sandbox.twilio.requests)) == (1, "", 0)
    assert "the plan cannot be written to " in said.err and "choose another place with --out" in said.err


def test_a_file_that_cannot_be_finished_leaves_the_earlier_one(office: Office, monkeypatch: pytest.MonkeyPatch) -> None:
    office.hire(1)
    save(office)
    before = file(office).read_bytes()

    def full(_: int) -> None:
        raise OSError(28, "No space left on device")

    monkeypatch.setattr(os, "fsync", full)
    said = office.run("plan", "--out", str(file(office)))
    assert said.code == 1 and "No space left on device" in said.err
    assert file(office).read_bytes() == before and len(list(office.root.glob(".syncd.plan*"))) == 0


def test_no_secret_is_in_it(office: Office) -> None:
    office.hire(1)
    office.rows[0]["displayName"] = f"token {office.environ['CHAT_TOKEN']}"
    office.save()
    save(office)
    assert office.environ["CHAT_TOKEN"].encode() not in file(office).read_bytes()
    said = apply(office)
    assert said.code == 3 and not office.users, "and what is masked is not sent in its place"


# ---- refused ----


def refused(office: Office, why: str, code: int = 1) -> None:
    before = len(office.sandbox.twilio.requests)
    said = apply(office)
    assert (said.code, said.out) == (code, ""), said
    assert why in said.err and "\n  " in said.err, "with the cure"
    assert len(office.sandbox.twilio.requests) == before


def test_a_plan_altered_in_any_byte_is_refused(office: Office) -> None:
    """Every byte in turn, three ways; by the door that the command goes through."""
    office.hire(1)
    save(office)
    whole = file(office).read_bytes()
    config = json.loads(whole)["config"]
    store = Store(stores.url(office.root))
    assert opened(file(office), store, config).connections == ["people", "chat"]
    accepted = []
    for place in range(len(whole)):
        for other in {whole[place] ^ 1, whole[place] ^ 0x20, 0x20} - {whole[place]}:
            file(office).write_bytes(whole[:place] + bytes([other]) + whole[place + 1 :])
            try:
                opened(file(office), store, config)
                accepted.append(place)
            except Outdated as error:
                assert "syncd plan --out" in str(error)
    for cut in (*range(len(whole)), len(whole) + 1):
        file(office).write_bytes((whole + b"\n")[:cut] if cut != len(whole) + 1 else whole + b"\n")
        with pytest.raises(Outdated):
            opened(file(office), store, config)
    store.close()
    assert accepted == []


@pytest.mark.parametrize("part", [b"p1@corp.example", b'"whole"', b'"settled"', b'"hold"', b'"seal"', b'"created"', b"\n"])
def test_an_altered_plan_sends_nothing(office: Office, part: bytes) -> None:
    office.hire(1)
    save(office)
    whole = file(office).read_bytes()
    file(office).write_bytes(whole.replace(part, part[:-1] + bytes([part[-1] ^ 2]), 1))
    refused(office, "")
    file(office).write_bytes(whole)
    assert apply(office).code == 0, "and it is not used up"


def test_a_plan_is_sealed_with_the_key_of_its_store(office: Office) -> None:
    """Whoever has not the store can make no plan for it, even with its name."""
    office.hire(1)
    save(office)
    mine = file(office).read_bytes()
    stores.lose(office.root)
    save(office)
    theirs = json.loads(file(office).read_bytes())["store"]["id"]
    file(office).write_bytes(mine)
    refused(office, "was made with another store")
    file(office).write_bytes(mine.replace(json.loads(mine)["store"]["id"].encode(), theirs.encode()))
    refused(office, "was altered since it was made")


@pytest.mark.parametrize("key", [b"", b"0123456789abcdef"])
def test_a_seal_that_somebody_else_made_is_none(office: Office, key: bytes) -> None:
    office.hire(1)
    save(office)
    body, seal, _ = file(office).read_bytes().partition(b'  ],\n  "seal": ')
    body = body.replace(b"Person 1", b"Person 2")
    made = blake2b(body, key=key, digest_size=32, person=b"syncd.plan").hexdigest()
    file(office).write_bytes(body + seal + f'"{made}"\n}}\n'.encode())
    refused(office, "was altered since it was made")


def test_other_configurations(changed: Office) -> None:
    changed.configure(DISABLING + "      scope: department == 'Support'\n")
    refused(changed, "was made under another configuration")
    changed.configure(DISABLING + "# a comment changes nothing\n")
    assert apply(changed).code == 0


def test_another_token_is_no_other_configuration(changed: Office) -> None:
    changed.environ["CHAT_TOKEN"] = "another-token-than-theirs"
    said = apply(changed)
    assert said.code == 1 and "401" in said.out


def test_a_store_that_was_put_back(changed: Office) -> None:
    store = Store(stores.url(changed.root))
    assert store.epoch == 0
    with store.transaction():
        store.run("INSERT INTO setting (name, value) VALUES ('epoch', '1')")
    assert store.epoch == 1
    store.close()
    refused(changed, "is older than the restoring of this store")


def test_twice(changed: Office) -> None:
    assert apply(changed).code == 0
    refused(changed, "was applied already, by run ")


def test_a_copy_is_the_same_plan(changed: Office) -> None:
    copy = changed.root / "copy.plan"
    copy.write_bytes(file(changed).read_bytes())
    assert changed.run("apply", str(copy)).code == 0
    refused(changed, "was applied already")


def test_a_sync_since(changed: Office) -> None:
    assert changed.run("sync", "--yes", "--max-changes", "1").code == 0
    refused(changed, "is older than the last change that was made at chat")


def test_the_next_day(make_office: MakeOffice) -> None:
    clock = Clock()
    office = make_office(clock)
    office.hire(1)
    save(office)
    clock.pass_time(timedelta(hours=24, seconds=1))
    refused(office, "is over 24 h old")


@pytest.mark.parametrize(
    ("write", "why"),
    [
        (lambda path: None, "cannot be read: No such file or directory"),
        (lambda path: path.mkdir(), "cannot be read: Is a directory"),
        (lambda path: path.write_bytes(b""), "is no plan file of syncd"),
        (lambda path: path.write_text("employeeNumber,email\n"), "is no plan file of syncd"),
        (lambda path: path.write_bytes(b"\x00" * 100_000), "is no plan file of syncd"),
        (lambda path: path.write_text('{\n  "version": 1,\n  "kind": "report"\n}\n'), "is no plan file of syncd"),
        (
            lambda path: path.write_text('{"version": 2, "kind": "plan", "steps": []}'),
            "was made by a newer syncd (version 2, this one knows 1)",
        ),
        (lambda path: path.write_text('{\n  "version": 1,\n  "kind": "plan",\n'), "was altered, or is not whole"),
        (lambda path: path.write_text('{\n  "version": 1,\n  "kind": "plan",\n  "store": [],\n  "changes": [\n'), "was printed, not saved"),
    ],
)
def test_what_is_no_plan(office: Office, write: Callable[[Path], object], why: str) -> None:
    office.save()
    write(file(office))
    refused(office, why)


def test_a_printed_plan(office: Office) -> None:
    office.hire(1)
    file(office).write_text(office.run("plan", "--json").out)
    refused(office, "was printed, not saved: only what `syncd plan --out FILE` writes can be applied")


def test_a_plan_that_is_altered_between_two_looks_leaves_nothing_behind(changed: Office, monkeypatch: pytest.MonkeyPatch) -> None:
    """Verified a second time while it is read."""
    from syncd.cli import plan_opening

    verified = plan_opening._verified

    def meddle(path: Path, store: Store) -> str:
        seal = verified(path, store)
        path.write_bytes(path.read_bytes().replace(b"Renamed", b"Ruined!"))
        return seal

    monkeypatch.setattr(plan_opening, "_verified", meddle)
    before = changed.writes
    said = apply(changed)
    assert said.code == 1 and "was altered while it was read" in said.err and changed.writes == before
    store = Store(stores.url(changed.root))
    assert store.value("SELECT COUNT(*) FROM applied") == 0 and store.value("SELECT COUNT(*) FROM run WHERE mode = 'apply'") == 0
    store.close()


def test_a_plan_that_another_run_overtook_is_not_saved(office: Office, monkeypatch: pytest.MonkeyPatch) -> None:
    """Its changes are not in the journal any more, or not all of them."""
    from syncd.cli import plan_file

    office.hire(1, 2)
    write = plan_file.write

    def late(path: Path, made: object, *rest: object) -> None:
        office.run("sync", "--yes")
        write(path, made, *rest)  # type: ignore[arg-type]

    monkeypatch.setattr(plan_file, "write", late)
    said = office.run("plan", "--out", str(file(office)))
    assert said.code == 1 and "another run began before the plan was written: make it again" in said.err
    assert not file(office).exists()


# ---- review ----


def test_apply_review_waits_for_a_release_or_for_apply(changed: Office) -> None:
    changed.configure(DISABLING + "      apply: review\n")
    said = changed.run("sync", "--yes")
    assert said.code == 3 and re.search(r"! 3 held \(.*\): write.apply is review: sent once a person has released it\n", said.out)
    assert "review them and let them go (or save the plan, review that and send it: syncd plan --out FILE, syncd apply FILE): " in said.out
    waits = valid(changed.run("pending", "--json").json, "pending")["items"]
    assert {item["command"] for item in waits} == {f"syncd held release {waits[0]['run']}"} and len(waits) == 3
    save(changed)
    assert apply(changed).code == 0
    assert "p13@corp.example" in changed.users and changed.users["p1@corp.example"]["friendly_name"] == "Renamed"
    assert changed.run("pending", "--json").json["items"] == []


def test_apply_review_and_the_release_of_one(office: Office) -> None:
    office.settled(1)
    office.configure(DISABLING + "      apply: review\n")
    office.hire(2, 3)
    assert office.run("sync", "--yes").code == 3
    run = office.run("pending", "--json").json["items"][0]["run"]
    assert office.run("held", "release", str(run), "--only", "p2@corp.example").code == 0
    assert office.run("sync", "--yes").code == 3
    assert office.users.keys() == {"p1@corp.example", "p2@corp.example"}
