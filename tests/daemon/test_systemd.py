"""sd_notify: one datagram a message, nothing where nobody listens."""

from __future__ import annotations

import os
import socket
from pathlib import Path

import pytest

from syncd.daemon.systemd import Supervisor


def test_nobody_asked() -> None:
    one = Supervisor({})
    one.ready("x")
    one.alive()
    assert one.beat is None


def test_a_socket_that_is_gone_disturbs_nothing(tmp_path: Path) -> None:
    Supervisor({"NOTIFY_SOCKET": str(tmp_path / "none")}).stopping()


@pytest.mark.parametrize(
    ("usec", "pid", "beat"),
    [
        ("30000000", "", 15.0),
        ("30000000", "{mine}", 15.0),
        ("30000000", "1", None),
        ("0", "", None),
        ("x", "", None),
        ("\u00b2", "", None),
        ("30000000", "me", None),
        ("", "", None),
    ],
)
def test_signs_of_life_come_twice_as_often_as_they_are_wanted(tmp_path: Path, usec: str, pid: str, beat: float | None) -> None:
    environ = {"NOTIFY_SOCKET": str(tmp_path / "s"), "WATCHDOG_USEC": usec, "WATCHDOG_PID": pid.format(mine=os.getpid())}
    assert Supervisor(environ).beat == beat


def test_messages(tmp_path: Path) -> None:
    with socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM) as manager:
        manager.bind(str(tmp_path / "s"))
        one = Supervisor({"NOTIFY_SOCKET": str(tmp_path / "s")})
        one.ready("4 connections")
        one.status("idle")
        one.alive()
        one.stopping()
        said = [manager.recv(1000).decode() for _ in range(4)]
    assert said == ["READY=1\nSTATUS=4 connections", "STATUS=idle", "WATCHDOG=1", "STOPPING=1\nSTATUS=finishing what is under way"]
