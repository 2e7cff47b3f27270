"""How long after the loss of a daemon another is at work at its connection, in lease times (target: two)."""

from __future__ import annotations

import random
import signal
from pathlib import Path
from tempfile import TemporaryDirectory

from tests.bench.table import Figure, show
from tests.end_to_end.fleet import Fleet, takeover

LEASES = (10, 2)
"""Seconds; the first is the default."""
TIMES = 5


def main() -> None:
    for seconds in LEASES:
        figures = [Figure("killed (SIGKILL)", "lease times"), Figure("stopped (SIGSTOP)", "lease times")]
        with TemporaryDirectory() as root, Fleet(Path(root), lease=f"{seconds}s", latency=0.05).served() as fleet:
            fleet.settle()
            fleet.busy()
            fleet.start("a")
            fleet.start("b")
            for turn in range(TIMES):
                fleet.busy()
                for figure, number in zip(figures, (signal.SIGKILL, signal.SIGSTOP), strict=True):
                    figure.values.append(takeover(fleet, number, random.Random(turn)).seconds / seconds)
        show(f"From the loss of a daemon to the first request of another, at a lease of {seconds} s (target: at most 2)", figures)
