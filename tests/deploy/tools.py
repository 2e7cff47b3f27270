"""The real tools that check what is deployed; without them these tests are skipped, or fail where THIRD_PARTY=required."""

from __future__ import annotations

import os
import shutil
import subprocess
import sys
from pathlib import Path

import pytest

HERE = Path(__file__).parents[2]
DEPLOY = HERE / "deploy"
PATIENCE = 60.0
"""Seconds after which what a test waits for will not come."""


def tool(name: str, package: str) -> str:
    """The path of a program that ``package`` (as its manager calls it) brings."""
    found = shutil.which(name, path=f"{Path(sys.executable).parent}{os.pathsep}{os.environ.get('PATH', '')}")
    return found or missing(f"needs {name}: {package}")


def root() -> None:
    if os.geteuid() != 0:
        missing("needs root, for namespaces and mounts")


def missing(reason: str) -> str:
    if os.environ.get("THIRD_PARTY") == "required":
        pytest.fail(reason)
    pytest.skip(reason)


def run(*command: str | Path, cwd: Path = HERE, timeout: float = PATIENCE) -> str:
    """What it printed; whatever ends otherwise than with 0 fails the test with all it said."""
    done = subprocess.run([str(one) for one in command], cwd=cwd, capture_output=True, text=True, timeout=timeout)
    assert done.returncode == 0, f"{command}: {done.returncode}\n{done.stdout}\n{done.stderr}"
    return done.stdout
