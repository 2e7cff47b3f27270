"""T9: peak memory of the whole process, for a first load and for an unchanged full cycle, at 100,000 and 1,000,000 accounts."""

from __future__ import annotations

import sys
import tempfile
from pathlib import Path

from tests.bench.load import configured
from tests.bench.process import Cost, cost
from tests.bench.recorded import recorded
from tests.bench.served import served
from tests.bench.table import Figure, show

SIZES = (100_000, 1_000_000)


def main(repeat: int = 3) -> None:
    """A first load is measured once at each size."""
    figures: list[Figure] = []
    for size in SIZES:
        first, quiet = Figure(f"first load of {size:,}", "MB"), Figure(f"unchanged full cycle of {size:,}", "MB")
        with tempfile.TemporaryDirectory() as root, served("--users", str(size)) as sandbox, recorded(sandbox) as pages:
            config = configured(Path(root), {"app": pages.source})
            loaded = _run(config)
            first.values.append(loaded.peak)
            print(f"first load of {size:,}: {loaded.wall:.0f} s, {loaded.cpu:.0f} s of CPU", flush=True)
            again = [_run(config) for _ in range(repeat)]
            quiet.values += [one.peak for one in again]
            print(f"unchanged full cycle of {size:,}: {min(one.cpu for one in again):.2f} s of CPU", flush=True)
        figures += [first, quiet]
    few, many = (f"{size:,}" for size in SIZES)
    ratios = [
        (f"{many} against {few}, first load", figures[2].median / figures[0].median, "<= 1.3"),
        (f"{many} against {few}, unchanged", figures[3].median / figures[1].median, "<= 1.3"),
        (f"{many}, unchanged, against 100 MB", figures[3].median / 100, "<= 1"),
    ]
    show("T9 peak memory of the whole process, accounts that make people, Twilio", figures, ratios)


def _run(config: Path) -> Cost:
    ended = cost([sys.executable, "-m", "syncd", "--config", str(config), "sync", "--full", "--yes"], config.parent)
    assert ended.code == 0, ended
    return ended
