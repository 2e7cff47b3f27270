"""config, connection, connector; and what a refused configuration looks like."""

from __future__ import annotations

from datetime import timedelta
from pathlib import Path

import pytest

from syncd.store import Store, lease
from tests import stores
from tests.cli.conftest import MakeOffice
from tests.cli.office import DISABLING, Office
from tests.cli.schemas import valid
from tests.world import Clock

SCHEMA = Path(__file__).parents[2] / "config" / "syncd.schema.json"


def test_the_schema_needs_no_configuration(office: Office) -> None:
    office.config.unlink()
    said = office.run("config", "schema")
    assert said.code == 0 and said.out == SCHEMA.read_text(encoding="utf-8")


def test_the_effective_configuration_hides_its_secrets(office: Office) -> None:
    office.save()
    said = office.run("config", "show")
    assert said.code == 0 and said.out.startswith(f"# {office.config}\n") and "auth_token: '***'" in said.out
    made = office.run("config", "show", "--json").json
    assert made["connections"]["chat"]["auth_token"] == "***" and made["connections"]["chat"]["limits"]["delete"]["max"] == 20


def test_a_refused_configuration_ends_with_78_and_names_every_place(office: Office) -> None:
    office.save()
    office.config.write_text(office.config.read_text().replace("authoritative", "authoritive").replace("version: 1", "version: 2"))
    said = office.run("plan")
    assert (said.code, said.out) == (78, "")
    first, *_ = said.err.splitlines()
    assert first.startswith(f"{office.config}:1:10: ") and f"{office.config}:7:5: " in said.err
    assert 'did you mean "authoritative"?' in said.err


def test_a_configuration_that_is_not_there(office: Office) -> None:
    office.config.unlink()
    said = office.run("status")
    assert said.code == 78 and "named by --config" in said.err


def test_a_literal_secret_is_accepted_with_a_warning_that_q_silences(office: Office) -> None:
    office.save()
    office.config.write_text(office.config.read_text().replace("env:CHAT_TOKEN", "'literal/secret'"))
    said = office.run("status")
    assert said.code == 0 and said.err.startswith("warning: ") and "literal/secret" not in said.err
    assert office.run("-q", "status").err == ""


def test_a_store_of_another_instance_ends_with_78(office: Office) -> None:
    office.settled(1)
    office.config.write_text(office.config.read_text() + "instance: other\n")
    said = office.run("sync", "--yes")
    assert said.code == 78 and "belongs to instance 'default'" in said.err


def test_connectors_for_people(office: Office) -> None:
    said = office.run("connector", "list")
    assert said.code == 0 and [line.split()[0] for line in said.out.splitlines()] == ["appwrite", "chatbotkit", "file", "twilio", "waii"]
    made = valid(office.run("connector", "list", "--json").json, "connectors")
    assert [one["name"] for one in made["connectors"]] == ["appwrite", "chatbotkit", "file", "twilio", "waii"]


def renamed(office: Office) -> None:
    office.settled(1, 2)
    office.config.write_text(office.config.read_text().replace("  chat:", "  talk:"))


def test_a_renamed_connection_is_refused_until_the_store_is_told(office: Office) -> None:
    renamed(office)
    said = office.run("plan")
    assert said.code == 78 and "syncd connection rename chat talk" in said.err
    said = office.run("connection", "rename", "chat", "talk")
    assert (said.code, said.out) == (0, "chat is talk from now on.\n")
    store = Store(stores.url(office.root))
    assert store.value("SELECT until FROM lease WHERE connection = 'talk'") == "", "the lease was given back under the new name"
    store.close()
    writes = office.writes
    assert office.run("sync", "--yes").code == 0 and office.writes == writes, "everything is still known"


def test_a_forgotten_connection_is_met_for_the_first_time(office: Office) -> None:
    office.settled(1, 2)
    said = office.run("connection", "forget", "chat", "--yes")
    assert said.code == 0 and said.out == "chat is forgotten, with 2 accounts; the next run meets it for the first time.\n"
    assert "first contact" in office.run("plan").out and len(office.users) == 2


@pytest.mark.parametrize(("answer", "forgotten"), [("y\n", True), ("\n", False)])
def test_forgetting_asks_on_a_terminal(office: Office, answer: str, forgotten: bool) -> None:
    office.settled(1)
    said = office.run("connection", "forget", "chat", typing=answer)
    assert said.code == 0 and bool(said.out) == forgotten
    assert said.err.startswith("Forget all links and accounts of chat? [y/N] ")
    assert ("Nothing was forgotten." in said.err) != forgotten
    assert ("first contact" in office.run("plan").out) == forgotten


@pytest.mark.parametrize("command", ["rename caht talk", "forget caht --yes"])
def test_an_unknown_connection_names_those_that_are_known(office: Office, command: str) -> None:
    office.settled(1)
    said = office.run("connection", *command.split())
    assert (said.code, said.err) == (1, "syncd: the store knows no connection 'caht' (did you mean 'chat'?)\n")


def test_a_connection_at_work_is_left_alone(make_office: MakeOffice) -> None:
    clock = Clock()
    office = make_office(clock)
    office.settled(1)
    store = Store(stores.url(office.root))
    lease.acquire(store, ["chat"], "another", clock.now(), timedelta(minutes=5))
    store.close()
    assert office.run("connection", "rename", "chat", "talk").code == 75
    assert office.run("connection", "forget", "chat", "--yes").code == 75


def test_variables_of_the_environment_are_stronger_than_the_file(office: Office) -> None:
    office.environ["SYNCD_STORE__URL"] = stores.url(office.root, "elsewhere.db")
    office.configure(DISABLING)
    office.hire(1)
    assert office.run("plan").code == 0
    store = Store(office.environ["SYNCD_STORE__URL"])
    assert store.value("SELECT COUNT(*) FROM run") == 1
    store.close()
