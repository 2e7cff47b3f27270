"""Peak memory of a whole process that makes a plan of 10,000 and of 100,000 changes and prints or saves it: what is printed streams, so
that every form costs what the short text of a few lines costs."""

from __future__ import annotations

import sys
import tempfile
from pathlib import Path

from tests.bench.load import prepared
from tests.bench.process import Cost, cost
from tests.bench.served import served
from tests.bench.table import Figure, show

SIZES = (10_000, 100_000)
FORMS = {
    "text": (), "text, whole": ("-v",), "json": ("--json",), "markdown, whole": ("-v", "--format", "markdown"),
    "csv": ("--format", "csv"), "a file": ("--out", "syncd.plan"),
}  # fmt: skip


def main(repeat: int = 3) -> None:
    figures: dict[str, dict[int, Figure]] = {form: {} for form in FORMS}
    for size in SIZES:
        with tempfile.TemporaryDirectory() as root, served() as sandbox:
            config = prepared(Path(root), sandbox, size)
            _run(config)
            for form, options in FORMS.items():
                figure = figures[form][size] = Figure(f"{form}, {size:,} changes", "MB")
                runs = [_run(config, *options) for _ in range(repeat)]
                figure.values += [one.peak for one in runs]
                print(f"{figure.name}: {min(one.cpu for one in runs):.1f} s of CPU")
    most = {form: by[SIZES[1]].median for form, by in figures.items()}
    ratios = [(f"{form}, beside the short text", peak / most["text"], "<= 1.1") for form, peak in most.items()]
    show("a plan at first contact, peak memory of the whole process", [one for by in figures.values() for one in by.values()], ratios)


def _run(config: Path, *options: str) -> Cost:
    ended = cost([sys.executable, "-m", "syncd", "--config", str(config), "plan", *options], config.parent)
    assert ended.code in (0, 2), ended
    return ended
