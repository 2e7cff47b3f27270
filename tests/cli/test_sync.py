"""`syncd sync`: asks on a terminal, needs --yes elsewhere, says what it did and what to do next."""

from __future__ import annotations

import os
import pty
import re
import signal
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import timedelta

import pytest

from syncd.store import Store, lease
from tests import stores
from tests.cli.conftest import MakeOffice
from tests.cli.office import DISABLING, Office
from tests.cli.schemas import valid
from tests.world import Clock

NOTHING = {"create": 0, "adopt": 0, "update": 0, "disable": 0, "delete": 0}


def test_a_first_yes_sends_the_plan_and_the_next_run_writes_nothing(office: Office) -> None:
    office.hire(1, 2)
    said = office.run("sync", "--yes")
    assert said.code == 0 and office.users.keys() == {"p1@corp.example", "p2@corp.example"}
    assert "+ create p1@corp.example: new" in said.out and "held (" not in said.out, "what was agreed to is not shown as held"
    assert "Plan: 2 to create, 0 to adopt, 0 to update, 0 to disable, 0 to delete; 0 held.\n" in said.out
    assert re.search(r"\npeople: 2 accounts read\nchat: 2 created, 3 requests in \d\.\d s\nIn step\.\n$", said.out)
    writes = office.writes
    again = office.run("sync", "--yes")
    assert (again.code, again.last, office.writes) == (0, "In step.", writes)
    assert "Plan" not in again.out, "there was nothing to show"


def test_many_changes_are_counted_and_not_shown_one_by_one(office: Office) -> None:
    office.hire(*range(1, 12))
    out = office.run("sync", "--yes").out
    assert "\nchat: 11 changes to send (-v shows them)\n" in out and "+ create" not in out
    assert "chat: 11 created" in out


def test_the_report(office: Office) -> None:
    office.hire(1, 2)
    said = office.run("sync", "--yes", "--json")
    made = valid(said.json, "report")
    people, chat = made["connections"]
    assert (made["run"], made["mode"], made["converged"]) == (1, "delta", True)
    assert chat["applied"] == {**NOTHING, "create": 2} and chat["requests"] == 3 and chat["seconds"] > 0
    assert people["listing"] == {"complete": True, "accounts": 2, "changed": 2, "pages": 1} and people["error"] is None
    assert office.run("sync", "--yes", "--full", "--json").json["mode"] == "full"


def test_what_waits_ends_with_3_and_the_command_to_paste(office: Office) -> None:
    office.settled(*range(1, 11))
    del office.rows[5:]
    office.hire(11)
    said = office.run("sync", "--yes")
    assert said.code == 3 and "p11@corp.example" in office.users, "what is held does not block the rest"
    assert said.last == "5 changes wait for you. Next: syncd held release 2"
    assert "! 5 held (5 to disable): 5 leave (50 % of 10, limit 1)" in said.out and said.out.count("Plan of run") == 1
    document = office.run("sync", "--yes", "--json")
    assert document.code == 3
    chat = valid(document.json, "report")["connections"][1]
    assert chat["held"] == 5 and document.json["converged"] is False
    assert office.run("sync", "--yes", "-c", "people").code == 0, "nothing waits at people"


def test_held_changes_are_shown_when_nothing_else_is_to_be_sent(office: Office) -> None:
    office.settled(*range(1, 11))
    del office.rows[5:]
    office.save()
    said = office.run("sync", "--yes")
    assert said.code == 3 and "let them go: syncd held release 2" in said.out


def test_a_failure_goes_before_what_waits(office: Office) -> None:
    office.settled(*range(1, 11))
    del office.rows[5:]
    office.save()
    assert office.run("sync", "--yes").code == 3
    (office.root / "people.csv").write_text("employeeNumber,email\nE1,p1@corp.example\n,nobody@corp.example\n")
    said = office.run("sync", "--yes")
    assert said.code == 1 and "people: FAILED: " in said.out and said.last.startswith("Failed: people.")


def test_a_provider_that_refuses_us_is_a_failure(office: Office) -> None:
    office.hire(1)
    office.environ["CHAT_TOKEN"] = "another-token-than-theirs"
    said = office.run("sync", "--yes")
    assert said.code == 1 and "401" in said.out and office.writes == 0
    assert valid(office.run("sync", "--yes", "--json").json, "report")["connections"][1]["error"]


def test_a_create_whose_answer_was_lost_is_in_doubt(office: Office) -> None:
    office.settled(1)
    office.hire(2)
    office.sandbox.faults = "reset@create:1"
    said = office.run("sync", "--yes")
    assert said.code == 3 and said.last == "1 change waits for you. Next: syncd sync"
    assert "chat: " in said.out and "1 in doubt" in said.out


def test_a_lease_held_by_another_run_ends_with_75(make_office: MakeOffice) -> None:
    clock = Clock()
    office = make_office(clock)
    office.hire(1)
    store = Store(stores.url(office.root))
    lease.acquire(store, ["chat"], "another", clock.now(), timedelta(minutes=5))
    store.close()
    said = office.run("sync", "--yes")
    assert (said.code, said.out) == (75, "") and "another run holds its lease" in said.err
    assert clock.elapsed >= 30


def test_logs_are_json_lines_on_stderr_and_q_silences_them(office: Office) -> None:
    office.hire(1)
    events = [line for line in office.run("sync", "--yes").err.splitlines() if '"event": "synced"' in line]
    assert len(events) == 2 and '"connection": "chat", "create": 1' in events[1]
    assert office.run("-q", "sync", "--yes").err == ""


def test_without_any_standard_input_a_yes_is_needed(office: Office) -> None:
    office.hire(1)
    command = f"{sys.executable} -m syncd --config {office.config} sync <&-"
    said = subprocess.run(command, shell=True, capture_output=True, text=True, check=False, env=dict(office.environ))
    assert said.returncode == 64 and "say --yes" in said.stderr


# ---- on a terminal -------------------------------------------------------------------------------------------------


def _interruptible() -> None:
    """A shell without job control starts what it puts in the background deaf to SIGINT; a terminal does not."""
    signal.signal(signal.SIGINT, signal.SIG_DFL)


class Terminal:
    """`syncd` with a person before it: stdin and stderr are a terminal, stdout a pipe."""

    def __init__(self, office: Office, *arguments: str) -> None:
        self._master, slave = pty.openpty()
        command = [sys.executable, "-m", "syncd", "--config", str(office.config), *arguments]
        environ = {**office.environ, "PATH": os.environ["PATH"], "TERM": "xterm"}
        self.process = subprocess.Popen(
            command, stdin=slave, stdout=subprocess.PIPE, stderr=slave, env=environ, text=True, preexec_fn=_interruptible
        )
        os.close(slave)
        self.err = ""

    def until(self, text: str) -> None:
        """Read what it says until it has said ``text``."""
        while text not in self.err:
            self.err += os.read(self._master, 4096).decode()

    def type(self, text: str) -> None:
        os.write(self._master, text.encode())

    def end(self) -> tuple[int, str]:
        out, _ = self.process.communicate(timeout=30)
        os.close(self._master)
        return self.process.returncode, out


@contextmanager
def typed(office: Office, *arguments: str) -> Iterator[Terminal]:
    terminal = Terminal(office, *arguments)
    yield terminal
    assert terminal.process.returncode is not None


@pytest.mark.parametrize(("answer", "sent"), [("y\n", True), ("YES\n", True), ("n\n", False), ("\n", False), ("\x04", False)])
def test_the_plan_is_shown_and_only_a_yes_sends_it(office: Office, answer: str, sent: bool) -> None:
    office.hire(1)
    said = office.run("sync", typing=answer)
    assert (said.code, bool(office.users)) == (0, sent)
    assert "Plan: 1 to create" in said.out and said.err.startswith("Send these changes? [y/N] ")
    assert said.last == ("In step." if sent else "Nothing was sent.")


def test_with_json_the_plan_and_the_question_are_on_stderr(office: Office) -> None:
    office.hire(1)
    with typed(office, "sync", "--json") as terminal:
        terminal.until("Send these changes? [y/N] ")
        assert "Plan: 1 to create" in terminal.err and office.writes == 0
        terminal.type("y\n")
        code, out = terminal.end()
    assert code == 0 and out.startswith("{") and '"kind": "report"' in out


@pytest.mark.parametrize(("number", "ends"), [(signal.SIGINT, 130), (signal.SIGTERM, 143)])
def test_an_interruption_at_the_question_sends_nothing(office: Office, number: int, ends: int) -> None:
    office.hire(1)
    with typed(office, "sync") as terminal:
        terminal.until("[y/N] ")
        terminal.process.send_signal(number)
        terminal.until("interrupted")
        code, out = terminal.end()
    assert (code, office.writes) == (ends, 0)
    assert ("Nothing was sent." in out) is (number == signal.SIGTERM), "it ends by itself, with its leases given back"
    office.configure(DISABLING)
    assert office.run("sync", "--yes").code == 0, "the lease was given back"


def test_a_long_thought_does_not_cost_the_lease(office: Office) -> None:
    office.config.write_text(office.config.read_text() + "store: {lease: 500ms}\n")
    office.hire(1)
    with typed(office, "sync") as terminal:
        terminal.until("[y/N] ")
        store = Store(stores.url(office.root))
        before = store.value("SELECT until FROM lease WHERE connection = 'chat'")
        while store.value("SELECT until FROM lease WHERE connection = 'chat'") == before:
            assert terminal.process.poll() is None
        store.close()
        terminal.type("y\n")
        assert terminal.end()[0] == 0
    assert office.users


def test_a_clock_that_jumped_is_told_even_if_there_is_nothing_to_send(make_office: MakeOffice) -> None:
    clock = Clock()
    office = make_office(clock)
    office.configure(DISABLING + "      deprovision: {departed: delete, grace: 7d}\n")
    office.settled(1, 2, 3)
    del office.rows[0]
    office.save()
    assert office.run("sync", "--yes").code == 0
    clock.pass_time(timedelta(days=400))
    said = office.run("sync", "--yes")
    assert "note: the clock stands 400 days after the last run: 1 account waits for deletion as long as at that run" in said.err
    assert said.last == "In step." and len(office.users) == 3
