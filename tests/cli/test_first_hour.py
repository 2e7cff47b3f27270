"""The first hour of the README: every command of it is typed into a shell, and prints what the README shows."""

from __future__ import annotations

import os
import re
import shutil
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[2]
LEFT_OUT = "…"
MARK = "@@@"


def transcript() -> Iterator[tuple[str, list[str]]]:
    """Each command of the section, with what it prints."""
    section = (ROOT / "README.md").read_text(encoding="utf-8").partition("## A first hour\n")[2].partition("\n## ")[0]
    for block in re.findall(r"```console\n(.*?)```", section, re.DOTALL):
        for command, _, shown in re.findall(r"^\$ (.*)(\n|\Z)((?:(?!\$ ).*\n)*)", block, re.MULTILINE):
            yield command, shown.splitlines()


HOUR = list(transcript())


def script() -> str:
    """All of it for one shell; what a person would wait for is waited for, and the exit code is kept for `echo $?`."""
    lines = ["code=0"]
    for number, (command, _) in enumerate(HOUR):
        lines += [f"echo '{MARK} {number}'", f"(exit $code); {command}", "code=$?"]
        if command.endswith("&"):
            lines += ["until [ -s syncd.yaml ]; do sleep 0.1; done"]
    return "\n".join(lines)


def pattern(shown: list[str]) -> str:
    """A line that is left out stands for any number of lines, else it stands for any text within its line."""
    told = ["(?:.*\n)*?" if line == LEFT_OUT else re.escape(line).replace(LEFT_OUT, ".*") + "\n" for line in shown]
    return "".join(told)


@pytest.fixture(scope="module")
def printed(tmp_path_factory: pytest.TempPathFactory) -> dict[int, str]:
    """Number of the command -> its standard output."""
    desk = tmp_path_factory.mktemp("desk")
    shutil.copytree(ROOT / "config", desk / "config")
    environ = {"PATH": f"{Path(sys.executable).parent}:{os.environ['PATH']}", "HOME": str(desk), "NO_COLOR": "1"}
    done = subprocess.run(["bash", "-c", script()], cwd=desk, env=environ, capture_output=True, text=True, check=False, timeout=300)
    parts = re.split(rf"^{MARK} (\d+)\n", done.stdout, flags=re.MULTILINE)
    assert "Traceback" not in done.stderr, done.stderr
    return {int(number): text for number, text in zip(parts[1::2], parts[2::2], strict=True)}


def test_there_is_an_hour_to_type() -> None:
    names = {word for command, _ in HOUR for word in re.findall(r"syncd ([a-z]+)", command)}
    assert names >= {
        "check",
        "plan",
        "apply",
        "sync",
        "explain",
        "eval",
        "pending",
        "history",
        "revert",
        "pause",
        "resume",
        "store",
        "verify",
    }


@pytest.mark.parametrize("number", range(len(HOUR)), ids=[command for command, _ in HOUR])
def test_it_prints_what_is_shown(printed: dict[int, str], number: int) -> None:
    command, shown = HOUR[number]
    assert re.fullmatch(pattern(shown), printed[number]), f"$ {command}\n{printed[number]}"
