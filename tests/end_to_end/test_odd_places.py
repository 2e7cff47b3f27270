"""Directories whose names are long, foreign or have spaces, and a socket of the service manager that no path leads to."""

from __future__ import annotations

import os
import signal
import subprocess

import pytest

from tests.end_to_end.confined import SYNCD, said
from tests.end_to_end.service import MakeService


@pytest.mark.parametrize("name", ["a b 'c' é 漢", "x" * 120])
def test_names_of_directories(make: MakeService, name: str) -> None:
    one = make()
    one.hire(1)
    there = one.root / name / "deeper"
    there.mkdir(parents=True)
    for each in ("syncd.yaml", "people.csv", "token"):
        (one.root / each).rename(there / each)
    done = said([], "sync", "--yes", at=there)
    assert done.returncode == 0 and len(one.users) == 1, done
    environ = {"PATH": os.environ["PATH"], "NOTIFY_SOCKET": str(there / "notify"), "WATCHDOG_USEC": "1000000"}
    with (one.root / "log").open("wb") as log:
        one.process = subprocess.Popen([*SYNCD, "run"], cwd=there, env=environ, stderr=log)
    one.until(lambda: one.events("started"))
    assert one.ends(signal.SIGTERM) == 0
