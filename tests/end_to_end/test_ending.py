"""SIGTERM ends `syncd sync` as it does the daemon: what is under way is written down, the leases are given back, nobody is doubled."""

from __future__ import annotations

import os
import re
import signal
import sqlite3
import subprocess
import time
from collections.abc import Iterator
from contextlib import closing
from datetime import timedelta
from pathlib import Path

import pytest

from syncd.environment import Environment
from syncd.store import Store, lease
from tests.end_to_end.fleet import Fleet

TERMINATED = 128 + signal.SIGTERM
pytestmark = pytest.mark.sqlite("its own file is looked into")


@pytest.fixture
def fleet(tmp_path: Path) -> Iterator[Fleet]:
    """Whoever dies without giving its leases back is waited for in vain."""
    with Fleet(tmp_path, lease="1h", latency=0.05).served() as one:
        one.settle()
        yield one


def begun(one: Fleet, *, writes: int = 0, requests: int = 0) -> subprocess.Popen[bytes]:
    """`syncd sync`, after so many of its requests."""
    began = time.monotonic()
    one.start("a", "sync", "--yes")
    process = one.members["a"]
    one.until(
        lambda: (
            process.poll() is not None
            or (len(one.requests(began, writes=True)) >= writes and len(one.requests(began)) >= requests and heeds(process))
        )
    )
    return process


def heeds(process: subprocess.Popen[bytes]) -> bool:
    """Whether it catches SIGTERM by now (proc_pid_status(5))."""
    caught = re.search(r"SigCgt:\t(\w+)", Path(f"/proc/{process.pid}/status").read_text())
    return caught is not None and bool(int(caught[1], 16) >> (signal.SIGTERM - 1) & 1)


def works(process: subprocess.Popen[bytes]) -> bool:
    """Whether its run has begun: something waits for events in it."""
    return any(os.readlink(one) == "anon_inode:[eventpoll]" for one in Path(f"/proc/{process.pid}/fd").iterdir() if one.is_symlink())


def ended(process: subprocess.Popen[bytes]) -> int:
    process.send_signal(signal.SIGTERM)
    return process.wait(10)


def open_steps(one: Fleet) -> int:
    """Requests that left, and of which it is not written down how they went."""
    with closing(sqlite3.connect(one.root / "syncd.db")) as door:
        return int(door.execute("SELECT COUNT(*) FROM step WHERE state = 'sent'").fetchone()[0])


def concluded(one: Fleet, many: int) -> None:
    """The next run has the leases at once, and does the rest."""
    said = one.run("sync", "--yes")
    assert said.returncode == 0, said
    assert len(one.users()) == many and one.doubled() == []
    said = one.run("plan", "--full", "--detailed-exitcode")
    assert said.returncode == 0, said


def test_what_is_under_way_is_written_down_and_the_rest_is_left_to_the_next_run(fleet: Fleet) -> None:
    fleet.hire(200)
    assert ended(begun(fleet, writes=10)) == TERMINATED
    assert 10 < len(fleet.users()) < 150 and open_steps(fleet) == 0
    assert "syncd: interrupted; what was under way is settled by the next run" in fleet.logs()
    concluded(fleet, 200)


def test_at_whatever_moment(fleet: Fleet) -> None:
    """While the store is opened, people are read, accounts are listed, sent to, and all is summed up."""
    many, codes = 1, []
    for requests in (0, 1, 2, 5, 20, 38):
        many += 40
        fleet.hire(many)
        codes.append(ended(begun(fleet, requests=requests)))
        assert open_steps(fleet) == 0
    assert codes[:5] == [TERMINATED] * 5 and codes[5] in (TERMINATED, 0)
    concluded(fleet, many)


def test_while_it_waits_for_the_lease_of_another(fleet: Fleet) -> None:
    other = Store(f"sqlite:///{fleet.root}/syncd.db")
    assert isinstance(lease.acquire(other, ["chat"], "another", Environment().now(), timedelta(hours=1)), dict)
    other.close()
    process = begun(fleet)
    fleet.until(lambda: works(process))
    assert ended(process) == TERMINATED


def test_what_does_not_answer_is_not_waited_for_and_looked_for_by_the_next_run(fleet: Fleet) -> None:
    fleet.sandbox.faults = "timeout@create:1;when=after"  # type: ignore[assignment]
    fleet.hire(3)
    process = begun(fleet, writes=2)
    assert ended(process) == TERMINATED
    fleet.until(lambda: fleet.run("sync", "--yes").returncode == 0)
    concluded(fleet, 3)


def test_a_second_one_does_not_wait(fleet: Fleet) -> None:
    fleet.sandbox.faults = "timeout@create:1"  # type: ignore[assignment]
    fleet.hire(3)
    process = begun(fleet, writes=2)
    process.send_signal(signal.SIGTERM)
    fleet.until(lambda: fleet.events("a", "stopping"))
    assert ended(process) == TERMINATED and "interrupted" not in fleet.logs()
