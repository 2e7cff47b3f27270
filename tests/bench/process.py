"""A command as a whole process: its CPU seconds and its peak memory, as the operating system counted them."""

from __future__ import annotations

import os
import subprocess
import time
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path


@dataclass(frozen=True)
class Cost:
    """``cpu`` and ``wall`` in seconds, ``peak`` in MB, ``code`` the exit code."""

    cpu: float
    wall: float
    peak: float
    code: int


def cost(command: Sequence[str], directory: Path) -> Cost:
    """Run it to its end; what it prints is thrown away. Byte code is kept, as an installation does."""
    environment = {name: value for name, value in os.environ.items() if name != "PYTHONDONTWRITEBYTECODE"}
    started = time.perf_counter()
    with subprocess.Popen(command, cwd=directory, env=environment, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL) as process:
        _, status, usage = os.wait4(process.pid, 0)
        process.returncode = os.waitstatus_to_exitcode(status)
    return Cost(usage.ru_utime + usage.ru_stime, time.perf_counter() - started, usage.ru_maxrss / 1024, process.returncode)
