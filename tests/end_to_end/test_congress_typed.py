"""The same walk typed at the command line, within minutes on the real clock: only the elections wait for a person."""

from __future__ import annotations

import io
import json
import re
import shutil
from collections.abc import Iterator
from contextlib import redirect_stderr, redirect_stdout
from pathlib import Path

import pytest

from syncd.cli.main import main
from syncd.sandbox import Sandbox, serve
from tests import stores
from tests.end_to_end.congress import ELECTIONS, SNAPSHOTS, accounts, configure, people

LIMITS = "    limits: {delete: {max: 30, percent: 6}, create: {percent: 50}}\n"


class Desk:
    """A directory with a configuration, and `syncd` typed in it."""

    def __init__(self, root: Path, sandbox: Sandbox) -> None:
        self.root, self.sandbox = root, sandbox

    def type(self, *arguments: str) -> tuple[int, str]:
        """(exit code, standard output), without a terminal."""
        out = io.StringIO()
        with redirect_stdout(out), redirect_stderr(io.StringIO()):
            code = main(["--config", str(self.root / "syncd.yaml"), *arguments], stores.environ(self.root))
        return code, out.getvalue()


@pytest.fixture
def desk(tmp_path: Path) -> Iterator[Desk]:
    sandbox = Sandbox()
    with serve(sandbox) as url:
        configure(tmp_path / "syncd.yaml", sandbox, url, LIMITS)
        yield Desk(tmp_path, sandbox)


def test_only_the_elections_are_held_and_a_release_lets_exactly_those_go(desk: Desk) -> None:
    for snapshot in SNAPSHOTS:
        shutil.copy(snapshot, desk.root / "people.csv")
        code, said = desk.type("sync", "--yes")
        if snapshot.stem in ELECTIONS:
            _release(desk, code, said, *ELECTIONS[snapshot.stem])
        else:
            assert code == 0, said
        assert accounts(desk.sandbox) == people(snapshot)
    _rests(desk)


def _release(desk: Desk, code: int, said: str, left: int, share: str, came: int) -> None:
    assert code == 3
    assert f"{left} leave ({share}, limit 30" in said
    assert f"; {came} came meanwhile" in said and f"{came} created" in said
    command = re.search(r"syncd (held release \d+)", said)
    assert command is not None, said
    assert desk.type(*command[1].split())[0] == 0
    code, said = desk.type("--json", "sync", "--yes")
    report = json.loads(said)
    assert code == 0 and report["converged"]
    assert report["connections"][1]["applied"] == {"create": 0, "adopt": 0, "update": 0, "disable": 0, "delete": left}


def _rests(desk: Desk) -> None:
    """An immediate further run writes nothing and sends only list requests."""
    desk.sandbox.twilio.requests.clear()
    writes = len(desk.sandbox.twilio.log)
    assert desk.type("sync", "--yes")[0] == 0
    assert len(desk.sandbox.twilio.log) == writes
    assert {(one.method, one.path) for one in desk.sandbox.twilio.requests} == {("GET", "/v1/Users")}
    assert desk.type("verify")[0] == 0
