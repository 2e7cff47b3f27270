"""The units: as systemd's own tools judge them, and under a real systemd, hardened as they are."""

from __future__ import annotations

import re
import subprocess
from pathlib import Path

import pytest

from tests.deploy.machine import UNITS, Machine
from tests.deploy.tools import run, tool

SERVICES = ("syncd.service", "syncd-sync.service")


def _lines(unit: str) -> list[str]:
    return [line for line in (UNITS / unit).read_text().splitlines() if line and not line.startswith(("#", "["))]


def test_they_are_well_formed(tmp_path: Path) -> None:
    """The one thing that is missing here is the program."""
    analyze = tool("systemd-analyze", "apt-get install systemd")
    for unit in UNITS.glob("syncd*"):
        (tmp_path / unit.name).write_text(unit.read_text().replace("/opt/syncd/bin/syncd", "/bin/true"))
    said = subprocess.run([analyze, "verify", *sorted(map(str, tmp_path.glob("syncd*")))], capture_output=True, text=True, timeout=60)
    assert (said.returncode, said.stdout + said.stderr) == (0, "")


@pytest.mark.parametrize("unit", SERVICES)
def test_what_they_are_exposed_to(unit: str) -> None:
    run(tool("systemd-analyze", "apt-get install systemd"), "security", "--offline=true", "--threshold=12", "--no-pager", UNITS / unit)


WALLS = re.compile(r"(Private|Protect|Restrict[A-Z]|System|Load|Dynamic|User|State|Capab|No|UM)")


def test_both_are_hardened_alike() -> None:
    daemon, run_once = ([line for line in _lines(unit) if WALLS.match(line)] for unit in SERVICES)
    own = {"NotifyAccess=main", "RestartPreventExitStatus=64 78 243"}
    assert [line for line in daemon if line not in own] == run_once and len(run_once) > 25


def test_the_timer_comes_four_times_an_hour() -> None:
    (when,) = (line.removeprefix("OnCalendar=") for line in _lines("syncd-sync.timer") if line.startswith("OnCalendar="))
    said = run(
        tool("systemd-analyze", "apt-get install systemd"), "calendar", "--iterations=4", "--base-time=2026-01-01 00:01:00 UTC", when
    )
    assert re.findall(r"(\d\d:\d\d):00 UTC", said)[:4] == ["00:15", "00:30", "00:45", "01:00"]


def test_the_daemon_at_work(machine: Machine) -> None:
    """Installed as the README says: first contact, a release, a newcomer, a reload, an end; nothing it needs is forbidden."""
    machine.furnish(1, 2)
    machine.sh("systemctl enable --now syncd.service")
    pid = machine.property("syncd", "MainPID")
    status = dict(line.split(":\t", 1) for line in machine.sh(f"cat /proc/{pid}/status").stdout.splitlines() if ":\t" in line)
    assert (status["NoNewPrivs"], status["Seccomp"], int(status["CapEff"], 16)) == ("1", "2", 0)
    assert int(status["Uid"].split()[0]) >= 61184, "a dynamic user"
    machine.until(lambda: 'syncd_held{connection="chat"} 2.0' in machine.metrics())
    released = re.search(r"syncd held release \d+", machine.sh("syncd pending").stdout)
    assert released is not None
    machine.sh(released[0])
    machine.until(lambda: _applied(machine, "create") == 2)
    machine.hire(1, 2, 3)
    machine.until(lambda: _applied(machine, "create") == 3)
    assert "process_resident_memory_bytes" in machine.metrics()
    owners = machine.sh("stat --format=%u /var/lib/private/syncd/* | sort -u").stdout.split()
    assert owners == [status["Uid"].split()[0]], "what root typed left nothing behind that the daemon cannot write"
    machine.sh("echo nonsense: true >> /etc/syncd/config.yaml && systemctl reload syncd")
    machine.until(lambda: "reload refused" in machine.sh("journalctl --unit=syncd").stdout)
    machine.sh("sed -i '/^nonsense/d' /etc/syncd/config.yaml && systemctl reload syncd")
    machine.until(lambda: '"reloaded"' in machine.sh("journalctl --unit=syncd").stdout)
    machine.sh("systemctl stop syncd")
    assert [machine.property("syncd", name) for name in ("ActiveState", "Result", "NRestarts")] == ["inactive", "success", "0"]
    assert "syncd.service" in machine.sh("SYNCD_SECRETS_DIR=/etc/syncd/secrets syncd plan --detailed-exitcode; systemctl cat syncd").stdout


def _applied(machine: Machine, kind: str) -> float:
    found = re.search(rf'syncd_changes_total{{connection="chat",kind="{kind}",outcome="applied"}} (\S+)', machine.metrics())
    return float(found[1]) if found else 0


def test_how_it_ends_and_comes_back(machine: Machine) -> None:
    machine.furnish(1)
    machine.drop_in("syncd.service", "[Service]\nRestartSec=0\nWatchdogSec=2\n")
    machine.sh("systemctl start --no-block syncd && systemctl stop syncd")
    assert machine.property("syncd", "Result") == "success", "stopped at once after its start"
    machine.sh("systemctl start syncd && systemctl kill --signal=KILL syncd")
    machine.until(lambda: machine.property("syncd", "NRestarts") == "1")
    machine.until(lambda: machine.property("syncd", "ActiveState") == "active")
    machine.sh("systemctl kill --signal=STOP syncd")
    machine.until(lambda: machine.property("syncd", "NRestarts") == "2")
    machine.until(lambda: machine.property("syncd", "ActiveState") == "active")
    machine.sh("systemctl stop syncd && echo nonsense: true >> /etc/syncd/config.yaml")
    assert machine.sh("systemctl start syncd", check=False).returncode == 1
    ended = [machine.property("syncd", name) for name in ("ActiveState", "ExecMainStatus", "NRestarts")]
    assert ended == ["failed", "78", "0"], "a refused configuration is not tried again"
    machine.sh("sed -i '/^nonsense/d' /etc/syncd/config.yaml && rm -r /etc/syncd/secrets")
    assert machine.sh("systemctl start syncd", check=False).returncode == 1
    assert machine.property("syncd", "ExecMainStatus") == "243", "its secrets were not handed over (systemd.exec(5))"


TELLS = "[Service]\nExecStopPost=/bin/sh -c 'echo $EXIT_STATUS $SERVICE_RESULT > /var/lib/syncd/end'\n"
"""A unit that ended well is forgotten at once, and with it how it ended."""


def test_runs_by_the_timer(machine: Machine) -> None:
    """0 and 3 are no failures, nor are 75 and 143; 1 is one."""
    machine.furnish(*range(1, 5))
    machine.drop_in("syncd-sync.service", TELLS)
    assert _end(machine) == "0 success"
    machine.hire(1)
    assert _end(machine) == "3 success"
    assert "disable" in machine.sh("syncd pending").stdout
    for code in (75, 143):
        machine.drop_in("syncd-sync.service", f"{TELLS}ExecStart=\nExecStart=/bin/sh -c 'exit {code}'\n")
        assert _end(machine) == f"{code} success"
    machine.drop_in("syncd-sync.service", TELLS)
    machine.sh("printf 'employeeNumber,email,name\\nE1,p1@corp.exa' > /etc/syncd/people.csv")
    assert _end(machine) == "1 exit-code"
    machine.hire(1, 2, 3, 4)
    machine.drop_in("syncd-sync.timer", "[Timer]\nOnCalendar=\nOnCalendar=*:*:*\nRandomizedDelaySec=0\n")
    machine.sh("systemctl enable --now syncd-sync.timer")
    machine.until(lambda: machine.sh("cat /var/lib/private/syncd/end").stdout.strip() == "0 success")
    assert "syncd-sync.service" in machine.sh("systemctl list-timers syncd-sync.timer").stdout


def _end(machine: Machine) -> str:
    """Exit code and verdict of one run."""
    machine.sh("systemctl start syncd-sync.service", check=False)
    return machine.sh("cat /var/lib/private/syncd/end").stdout.strip()
