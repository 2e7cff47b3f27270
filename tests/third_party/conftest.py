"""Where the programs are; without them these tests are skipped, or fail where THIRD_PARTY=required."""

from __future__ import annotations

import os
import shutil
from pathlib import Path

import pytest

HERE = Path(__file__).parent


@pytest.fixture(scope="session")
def node() -> str:
    """The path of Node, with the packages of package-lock.json beside it."""
    found = shutil.which("node")
    missing = "needs Node" if found is None else "" if (HERE / "node_modules" / ".package-lock.json").exists() else "needs its packages"
    if missing and os.environ.get("THIRD_PARTY") == "required":
        pytest.fail(missing)
    if found is None or missing:
        pytest.skip(f"{missing}: `npm ci` in tests/third_party")
    return found
