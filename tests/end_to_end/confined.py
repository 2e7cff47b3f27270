"""Processes in places that do not let them: a read-only mount, a small disk, files that belong to others. Skipped where nobody may."""

from __future__ import annotations

import os
import shutil
import subprocess
import sys
from collections.abc import Sequence
from functools import cache
from pathlib import Path

import pytest

CAPABILITIES = "-dac_override,-dac_read_search,-net_bind_service"
SYNCD = (sys.executable, "-m", "syncd")


@cache
def _mounts() -> bool:
    """Whether this process may have mounts of its own (unshare(1), user namespaces)."""
    return shutil.which("unshare") is not None and subprocess.run(["unshare", "-rm", "true"], capture_output=True).returncode == 0


def mounted(script: str) -> list[str]:
    """The beginning of a command line; the rest of it runs behind ``script``, which mounts, and what it mounts goes with it."""
    if not _mounts():
        pytest.skip("mounts of its own are not allowed here (unshare -rm)")
    return ["unshare", "-rm", "sh", "-ec", f'{script}; exec "$@"', "sh"]


def powerless() -> list[str]:
    """The beginning of a command line; the rest of it obeys the modes of files, also when this is root."""
    if os.geteuid() != 0:
        return []
    if shutil.which("setpriv") is None:
        pytest.skip("root ignores the modes of files, and here is no setpriv")
    return ["setpriv", f"--bounding-set={CAPABILITIES}", f"--inh-caps={CAPABILITIES}", "--"]


def said(begin: Sequence[str], *arguments: str, at: Path, **more: str) -> subprocess.CompletedProcess[str]:
    """A command, typed in the directory ``at``; ``more``: of its environment."""
    environ = {"PATH": os.environ["PATH"], "HOME": str(at), **more}
    return subprocess.run([*begin, *SYNCD, *arguments], cwd=at, env=environ, capture_output=True, text=True, timeout=60)
