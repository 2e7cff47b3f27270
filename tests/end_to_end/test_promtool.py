"""/metrics as Prometheus' own tool judges it."""

from __future__ import annotations

import os
import shutil
import subprocess

import pytest

from tests.end_to_end.service import MakeService, answer


@pytest.fixture
def promtool() -> str:
    found = shutil.which("promtool")
    if found is None and os.environ.get("THIRD_PARTY") == "required":
        pytest.fail("needs promtool")
    if found is None:
        pytest.skip("needs promtool (Debian: prometheus)")
    return found


def test_promtool_finds_nothing_to_say(make: MakeService, port: int, promtool: str) -> None:
    """With every family filled: changes of each outcome, answers that were slowed down, something held."""
    one = make(f"server: {{listen: 127.0.0.1:{port}}}", faults="429@create:1")
    one.settle(*range(1, 6))
    one.hire(1)
    one.until(lambda: one.events("held"))
    one.hire(*range(1, 8))
    one.until(lambda: len(one.users) == 7)
    one.until(lambda: 'syncd_changes_total{connection="chat"' in answer(port, "/metrics")[1])
    checked = subprocess.run([promtool, "check", "metrics"], input=answer(port, "/metrics")[1], capture_output=True, text=True, timeout=30)
    assert (checked.returncode, checked.stdout, checked.stderr) == (0, "", "")
