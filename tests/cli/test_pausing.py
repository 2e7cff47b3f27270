"""`syncd pause` and `syncd resume`, typed: obeyed by a run that is sending, seen in plan, report and status."""

from __future__ import annotations

import subprocess
import sys
from datetime import timedelta

import pytest

from syncd.environment import Environment
from tests.cli.conftest import MakeOffice
from tests.cli.office import Office
from tests.cli.schemas import valid
from tests.world import Clock

MOST = 200


class Elsewhere(Environment):
    """When the hundredth request has been answered, somebody pauses the target from another terminal."""

    office: Office
    answered = 0

    def reached(self, point: str) -> None:
        self.answered += point == "after_send"
        if point == "after_send" and self.answered == MOST // 2:
            typed = [sys.executable, "-m", "syncd", "--config", str(self.office.config), "pause", "-c", "chat", "--reason", "an audit"]
            subprocess.run(typed, check=True, capture_output=True, env=self.office.environ)
            self.paused_at = self.office.writes


def test_paused_by_another_process_in_the_middle_of_200_creates(make_office: MakeOffice) -> None:
    environment = Elsewhere()
    office = environment.office = make_office(environment)
    office.hire(*range(1, MOST + 1))
    said = office.run("sync", "--yes")
    made = len(office.users)
    assert said.code == 0, said
    assert environment.paused_at <= made <= environment.paused_at + 8 and made < MOST, "no more than those that were under way"
    assert f"chat: {made} created, {MOST - made} not sent" in said.out
    assert "chat: paused since" in said.out and said.last == f"{MOST - made} changes are not sent: chat is paused."
    status = valid(office.run("status", "--json").json, "status")
    assert [one["paused"] for one in status["connections"]] == [False, True]
    report = valid(office.run("sync", "--yes", "--json").json, "report")
    assert (report["converged"], report["connections"][1]["skipped"], report["connections"][1]["error"]) == (False, MOST - made, None)
    assert len(office.users) == made
    assert office.run("resume", "-c", "chat").code == 0
    assert office.run("sync", "--yes").code == 0 and len(office.users) == MOST
    assert office.run("verify").code == 0


def test_what_is_told(make_office: MakeOffice) -> None:
    clock = Clock()
    office = make_office(clock)
    office.settled(1)
    said = office.run("pause", "-c", "chat", "--until", "2h", "--reason", "an audit")
    told = "paused since 2026-01-01 00:00 UTC until 2026-01-01 02:00 UTC by a person: an audit; resume: syncd resume -c chat"
    assert (said.code, said.out) == (0, f"chat is {told}\nNothing is written there; runs go on to read, plan and report.\n")
    said = office.run("pause", "-c", "chat", "--until", "2026-01-01T03:00Z", "--reason", "a longer one")
    assert said.out.startswith("chat was paused already; now it is paused since 2026-01-01 00:00 UTC until 2026-01-01 03:00 UTC by")
    office.hire(2)
    plan = office.run("plan")
    assert "\nchat: paused since" in plan.out and "+ create p2@corp.example" in plan.out
    asked = office.run("sync", typing="y\n")
    assert "Send these changes?" not in asked.err and asked.last == "1 change is not sent: chat is paused."
    said = office.run("status")
    assert "chat is paused since 2026-01-01 00:00 UTC until" in said.out and ", PAUSED\n" in said.out
    clock.pass_time(timedelta(hours=3))
    assert "paused" not in office.run("status").out.lower()
    said = office.run("resume", "-c", "chat")
    assert (said.code, said.out) == (1, "chat was not paused.\n")
    assert office.run("sync", "--yes").code == 0 and len(office.users) == 2


def test_everything(office: Office) -> None:
    office.settled(1)
    assert office.run("pause", "--reason", "a migration", "--json").json["paused"][0]["connection"] is None
    assert office.run("pause", "-c", "chat", "--reason", "an audit").code == 0
    office.hire(2)
    assert office.run("sync", "--yes").code == 0 and len(office.users) == 1
    said = office.run("resume", "-c", "chat")
    assert said.out.startswith("chat is not paused any more. Next: syncd sync\neverything is still paused since")
    assert office.run("sync", "--yes").code == 0 and len(office.users) == 1
    said = office.run("resume")
    assert (said.code, said.out) == (0, "everything is not paused any more. Next: syncd sync\n")
    assert office.run("sync", "--yes").code == 0 and len(office.users) == 2


def test_what_is_held_waits_as_ever(office: Office) -> None:
    office.settled(*range(1, 11))
    del office.rows[5:]
    office.hire(11)
    office.run("pause", "--reason", "why")
    said = office.run("sync", "--yes")
    assert said.code == 3 and "1 not sent" in said.out


@pytest.mark.parametrize(
    ("line", "code", "told"),
    [
        ("pause", 64, "Missing option '--reason'"),
        ("pause --reason  ", 64, "Option '--reason' requires an argument"),
        ("pause -c chta --reason why", 64, "no connection is named 'chta' (did you mean 'chat'?)"),
        ("pause -c people --reason why", 1, "nothing is ever written at people"),
        (
            "pause --reason why --until yesterday",
            64,
            "--until 'yesterday' is no moment: say 2026-11-21T08:00Z, 2026-11-21, or in how long: 30m, 2h, 7d",
        ),
        ("pause --reason why --until 2020-01-01", 64, "--until 2020-01-01 has passed: it is"),
        ("pause --reason why --until 999999999d", 64, "farther away than a date can say"),
        ("pause --reason why --until 0s", 64, "has passed"),
        ("resume", 1, ""),
    ],
)
def test_wrongly_asked(office: Office, line: str, code: int, told: str) -> None:
    office.hire(1)
    said = office.run(*line.split())
    assert said.code == code and told in said.err
    assert office.run("sync", "--yes").code == 0 and len(office.users) == 1


def test_an_empty_reason_is_none(office: Office) -> None:
    assert office.run("pause", "--reason", " ").code == 64


def test_what_a_person_says_about_accounts_is_taken_also_while_nothing_is_written(office: Office) -> None:
    office.settled(1, 2)
    sid = str(office.users["p1@corp.example"]["sid"])
    assert office.run("pause", "--reason", "cleaning up").code == 0
    writes = office.writes
    for line in (["unlink", "-c", "chat", sid], ["link", "-c", "chat", sid, "p1@corp.example"]):
        said = office.run(*line)
        assert (said.code, said.err) == (0, ""), line
    assert office.run("sync", "--yes").code == 0 and office.writes == writes
    assert office.run("resume").code == 0 and office.run("verify").code == 0
