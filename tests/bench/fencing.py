"""A daemon is stopped beyond its lease, another takes over and writes, and it goes on: what it still sends then (target: nothing)."""

from __future__ import annotations

import random
import signal
from pathlib import Path
from tempfile import TemporaryDirectory

from tests.bench.table import Figure, show
from tests.end_to_end.fleet import Fleet, takeover

TRIALS = 100


def main() -> None:
    figure, late, chance = Figure("taken over after", "lease times"), 0, random.Random(1)
    with TemporaryDirectory() as root, Fleet(Path(root), lease="2s").served() as fleet:
        fleet.settle()
        fleet.busy()
        fleet.start("a")
        fleet.start("b")
        for _ in range(TRIALS):
            fleet.busy()
            taken = takeover(fleet, signal.SIGSTOP, chance)
            figure.values.append(taken.seconds / 2)
            late += len(taken.late)
        doubled, written = fleet.doubled(), len(fleet.users())
    show(f"SIGSTOP beyond a lease of 2 s, SIGCONT once another writes, {TRIALS} times, {written} accounts made", [figure])
    print(f"  unsafe requests begun by the one that was stopped, after the other's first: {late} (target 0)")
    print(f"  people with two accounts: {len(doubled)} (target 0)")
