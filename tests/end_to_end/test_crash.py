"""A run is really killed (SIGKILL) at each point of each step: afterwards there is exactly one account a person, and nothing is lost."""

from __future__ import annotations

import asyncio
import os
import signal
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

from syncd.environment import Environment
from syncd.sandbox import Sandbox, serve
from tests import stores
from tests.end_to_end.wired import run

REPOSITORY = Path(__file__).parent.parent.parent
CONFIG = """
version: 1
store: {{lease: 1s}}
connections:
  people: {{connector: file, path: people.csv, id: id, authoritative: true}}
  chat:
    connector: twilio
    base_url: {url}
    account_sid: {account}
    auth_token: {token}
    settle: 0s
    rate: {{concurrency: 1}}
    write: {{deprovision: {{out_of_scope: delete, departed: delete, grace: 0s}}}}
"""
BEFORE = "id,email,name\n1,ann@corp.example,Ann\n2,bob@corp.example,Bob\n3,cy@corp.example,Cy\n"
AFTER = "id,email,name\n1,ann@corp.example,Ann Renamed\n2,bob@corp.example,Bob\n4,di@corp.example,Di\n"
NAMES = {"ann@corp.example": "Ann Renamed", "bob@corp.example": "Bob", "di@corp.example": "Di"}


@pytest.fixture
def sandbox(tmp_path: Path) -> Iterator[Sandbox]:
    made = Sandbox()
    with serve(made) as url:
        text = CONFIG.format(url=url, account=made.twilio.account_sid, token=made.twilio.auth_token)
        (tmp_path / "syncd.yaml").write_text(text)
        yield made


def killed(config: Path, point: str, count: int) -> None:
    """One run in a process of its own that dies at ``point``."""
    command = [sys.executable, "-m", "tests.end_to_end.wired", str(config), point, str(count)]
    environ = {**os.environ, **stores.environ(config.parent)}
    ended = subprocess.run(command, cwd=REPOSITORY, env=environ, capture_output=True, timeout=120, check=False)
    assert ended.returncode == -signal.SIGKILL, ended.stderr.decode()


def finish(config: Path) -> None:
    """Runs until one converges; two are enough."""
    first, _ = asyncio.run(run(Environment(), config))
    second, _ = asyncio.run(run(Environment(), config))
    assert second.converged, (first, second)


def creations(sandbox: Sandbox) -> list[str]:
    return [one.identity or "" for one in sandbox.twilio.log if one.method == "POST" and one.status == 201]


@pytest.mark.parametrize(
    ("point", "count"), [("before_intent", 2), ("after_intent", 2), ("after_send", 2), ("after_settle", 2), ("after_cursor", 1)]
)
def test_killed_while_creating(tmp_path: Path, sandbox: Sandbox, point: str, count: int) -> None:
    config = tmp_path / "syncd.yaml"
    (tmp_path / "people.csv").write_text(BEFORE)
    killed(config, point, count)
    finish(config)
    users = [user["identity"] for user in sandbox.twilio.service().users.values()]
    assert sorted(users) == ["ann@corp.example", "bob@corp.example", "cy@corp.example"]
    assert sorted(creations(sandbox)) == sorted(users), "each account was made once"


@pytest.mark.parametrize(
    ("point", "count"), [("after_intent", 1), ("after_send", 1), ("after_send", 2), ("after_send", 3), ("after_settle", 2)]
)
def test_killed_while_updating_deleting_and_creating(tmp_path: Path, sandbox: Sandbox, point: str, count: int) -> None:
    config = tmp_path / "syncd.yaml"
    (tmp_path / "people.csv").write_text(BEFORE)
    finish(config)
    (tmp_path / "people.csv").write_text(AFTER)
    killed(config, point, count)
    finish(config)
    assert {user["identity"]: user["friendly_name"] for user in sandbox.twilio.service().users.values()} == NAMES
    assert creations(sandbox).count("di@corp.example") == 1


def test_killed_twice_in_a_row_at_the_worst_moment(tmp_path: Path, sandbox: Sandbox) -> None:
    """Killed after sending, and again while that doubt is being settled."""
    config = tmp_path / "syncd.yaml"
    (tmp_path / "people.csv").write_text(BEFORE)
    killed(config, "after_send", 1)
    killed(config, "after_send", 1)
    finish(config)
    assert sorted(creations(sandbox)) == ["ann@corp.example", "bob@corp.example", "cy@corp.example"]
