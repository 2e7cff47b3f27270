"""`syncd sync`, really killed in the middle of the first listing of each provider that lets it go on: the next one asks for the rest."""

from __future__ import annotations

import signal
import subprocess
import sys
import time
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import pytest

from syncd.sandbox import Sandbox, serve
from syncd.store import Store, connections

USERS = 1000
PAGES = {"twilio": 20, "appwrite": 12, "chatbotkit": 11}
"""How many requests a listing in one go costs: the last page of the latter two is empty, and Appwrite is asked for its version."""
PATIENCE = 60.0


@dataclass
class Desk:
    """Somebody's directory with a configuration of one target, whose name is the provider's."""

    root: Path
    sandbox: Sandbox
    provider: str

    def start(self) -> subprocess.Popen[str]:
        command = [sys.executable, "-m", "syncd", "--config", str(self.root / "syncd.yaml"), "sync", "--yes"]
        return subprocess.Popen(command, cwd=self.root, text=True, stdout=subprocess.PIPE, stderr=subprocess.STDOUT)

    def listed(self) -> int:
        """How many pages were asked for."""
        return sum(count for what, count in self.sandbox.providers[self.provider].journal.counts().items() if what.startswith("list "))

    def cut(self) -> int:
        """A run that is killed when half of the pages are read; returns how many were asked for."""
        process, half, until = self.start(), PAGES[self.provider] // 2 + 1, time.monotonic() + PATIENCE
        while self.listed() < half and process.poll() is None and time.monotonic() < until:
            time.sleep(0.01)
        process.kill()
        said, _ = process.communicate(timeout=PATIENCE)
        assert process.returncode == -signal.SIGKILL, said
        while self.sandbox.traffic.inside and time.monotonic() < until:
            time.sleep(0.01)
        return self.listed()

    def sync(self) -> tuple[int, str]:
        """How many pages a run asks for, and what it says."""
        before, process = self.listed(), self.start()
        said, _ = process.communicate(timeout=PATIENCE)
        assert process.returncode == 0, said
        return self.listed() - before, said

    def accounts(self) -> int | None:
        """How many the last listing showed, if it was complete."""
        store = Store(f"sqlite:///{self.root}/sandbox.db")
        try:
            (row,) = [one for one in connections.every(store) if one.connector == self.provider]
            return int(row.accounts) if row.complete else None
        finally:
            store.close()


@pytest.fixture(params=PAGES)
def desk(request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[Desk]:
    sandbox = Sandbox(only=[request.param], users=USERS, latency=0.15)
    with serve(sandbox) as url:
        config = sandbox.config_yaml(url, [request.param])
        (tmp_path / "syncd.yaml").write_text(config.replace("url: sqlite:///sandbox.db", "url: sqlite:///sandbox.db, lease: 1s"))
        (tmp_path / "people.csv").write_text("employeeNumber,email,name\n")
        yield Desk(tmp_path, sandbox, request.param)


def test_the_next_run_reads_the_rest(desk: Desk) -> None:
    """Again come: the last page that was stored, and those on their way, or not stored yet, when the process was killed."""
    pages = PAGES[desk.provider]
    before = desk.cut()
    asked, said = desk.sync()
    assert pages - before <= asked <= pages - before + 4 and asked < pages, said
    assert "was cut off: it goes on at page" in said
    assert desk.accounts() == USERS


def test_a_cursor_that_the_provider_refuses_by_then_costs_one_request(desk: Desk) -> None:
    if desk.provider != "twilio":
        pytest.skip("its cursors are users, and do not expire")
    desk.cut()
    desk.sandbox.faults = "cursor@page"
    asked, said = desk.sync()
    assert asked == PAGES["twilio"] + 1, (desk.sandbox.faults.struck, said)
    assert "cannot go on there" in said and "it begins anew" in said
