"""T9: peak memory of the whole process, for a first load and for an unchanged full cycle, at 10,000 and 100,000 accounts."""

from __future__ import annotations

import sys
import tempfile
from pathlib import Path

from tests.bench.load import prepared
from tests.bench.process import Cost, cost
from tests.bench.served import served
from tests.bench.table import Figure, show

SIZES = (10_000, 100_000)


def main(repeat: int = 3) -> None:
    figures: list[Figure] = []
    for size in SIZES:
        first, quiet = Figure(f"first load of {size:,}", "MB"), Figure(f"unchanged full cycle of {size:,}", "MB")
        with tempfile.TemporaryDirectory() as root, served() as sandbox:
            config = prepared(Path(root), sandbox, size)
            loaded = _run(config)
            first.values.append(loaded.peak)
            print(f"first load of {size:,}: {loaded.wall:.0f} s, {loaded.cpu:.0f} s of CPU")
            _run(config)
            again = [_run(config) for _ in range(repeat)]
            quiet.values += [one.peak for one in again]
            print(f"unchanged full cycle of {size:,}: {min(one.cpu for one in again):.2f} s of CPU")
        figures += [first, quiet]
    ratios = [("100,000 against 10,000, unchanged", figures[3].median / figures[1].median, "<= 1.3")]
    show("T9 peak memory of the whole process", figures, ratios)


def _run(config: Path) -> Cost:
    ended = cost([sys.executable, "-m", "syncd", "--config", str(config), "sync", "--full", "--yes"], config.parent)
    assert ended.code == 0, ended
    return ended
