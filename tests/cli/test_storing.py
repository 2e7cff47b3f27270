"""`syncd store backup` and `syncd store restore`, typed: during a run, with a question, and refused with a cure."""

from __future__ import annotations

import json
import subprocess
import sys
from datetime import timedelta

import pytest

from syncd.environment import Environment
from syncd.store import Store, lease
from tests import stores
from tests.cli.conftest import MakeOffice
from tests.cli.office import Office
from tests.cli.schemas import valid


class Copying(Environment):
    """While a run sends, somebody backs the store up from another terminal."""

    office: Office
    answered = 0

    def reached(self, point: str) -> None:
        self.answered += point == "after_intent"
        if point == "after_intent" and self.answered == 20:
            file = str(self.office.root / "copy.db")
            typed = [sys.executable, "-m", "syncd", "--config", str(self.office.config), "store", "backup", file]
            subprocess.run(typed, check=True, capture_output=True, env=self.office.environ)


def test_a_backup_in_the_middle_of_a_run_and_back(make_office: MakeOffice) -> None:
    """What was under way in it is looked for; nobody is made twice."""
    environment = Copying()
    office = environment.office = make_office(environment)
    office.hire(*range(1, 41))
    assert office.run("sync", "--yes").code == 0 and len(office.users) == 40
    office.environment = None
    made = office.writes
    said = office.run("store", "restore", str(office.root / "copy.db"), "--yes")
    assert said.code == 0 and "The store as it was: " in said.out and said.last == "Next: syncd plan, which reads everything anew."
    said = office.run("sync", "--yes")
    assert (said.code, len(office.users), office.writes) == (0, 40, made), said
    assert office.run("verify").code == 0
    assert office.run("sync", "--yes").last == "In step."


def test_what_is_told(office: Office) -> None:
    file = str(office.root / "copy.db")
    office.settled(1, 2)
    made = valid(office.run("store", "backup", file, "--json").json, "backup")
    assert (made["file"], made["identities"], made["accounts"]) == (file, 2, 4)
    said = office.run("store", "backup", str(office.root / "second.db"))
    assert (
        said.out.startswith(f"{office.root}/second.db: 2 identities, 4 accounts, last run 20") and "checked.\nTo put it back:" in said.out
    )
    office.settled(3)
    said = office.run("store", "restore", file, typing="n\n")
    assert said.code == 0 and said.out == ""
    assert (
        f"{file} holds 2 identities" in said.err
        and (stores.places.postgresql or "syncd.db holds 3 identities" in said.err)
        and "Nothing was restored." in said.err
    )
    told = valid(office.run("store", "restore", file, "--json", "--yes").json, "restore")
    assert (told["identities"], told["epoch"]) == (2, 1) and ".before-restore-" in told["kept"]


@pytest.mark.parametrize(
    ("line", "code", "told"),
    [
        ("store restore copy.db", 64, "`syncd store restore` asks first, and here is no terminal: say --yes"),
        ("store restore none.db --yes", 1, "cannot be read: No such file or directory"),
        ("store restore people.csv --yes", 1, "no store of syncd: not an SQLite database"),
        ("store backup people.csv", 1, "exists already and is not overwritten"),
        ("store backup", 64, "Missing argument 'FILE'"),
    ],
)
def test_wrongly_asked(office: Office, line: str, code: int, told: str, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(office.root)
    office.settled(1)
    said = office.run(*line.split())
    assert said.code == code and told in said.err and said.out == ""
    assert office.run("status", "--json").json["identities"] == 1


def test_not_while_a_run_is_at_work(office: Office) -> None:
    office.settled(1)
    file = str(office.root / "copy.db")
    office.run("store", "backup", file)
    store, now = Store(stores.url(office.root)), Environment().now()
    tokens = lease.acquire(store, ["chat"], "another", now, timedelta(minutes=5))
    assert isinstance(tokens, dict)
    said = office.run("store", "restore", file, "--yes")
    assert said.code == 75 and "a run is at work on this store (chat by another): restore when it is over" in said.err
    lease.release(store, tokens)
    store.close()
    assert office.run("store", "restore", file, "--yes").code == 0


@pytest.mark.sqlite("a file that is not there yet")
def test_before_there_is_a_store(office: Office) -> None:
    office.hire(1)
    stores.lose(office.root)
    said = office.run("store", "backup", str(office.root / "copy.db"))
    assert said.code == 1 and "there is no store yet at" in said.err
    assert not (office.root / "syncd.db").exists() and not (office.root / "copy.db").exists()


def test_another_instances_backup_is_refused(office: Office) -> None:
    office.settled(1)
    Store(f"sqlite:///{office.root}/other.db", "test").close()
    said = office.run("store", "restore", str(office.root / "other.db"), "--yes")
    assert said.code == 1 and "is of instance 'test', the configuration says 'default': nothing was changed" in said.err
    assert json.loads(office.run("status", "--json").out)["identities"] == 1
