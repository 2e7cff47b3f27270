"""T7: users of one server into one PostgreSQL, by syncd and by dlt (rest_api source, merge): a first load, then a second run unchanged."""

from __future__ import annotations

import json
import os
import subprocess
import sys
import tempfile
from collections.abc import Mapping
from importlib.util import find_spec
from pathlib import Path
from typing import Any

from tests.bench.inside import Inside
from tests.bench.load import PEOPLE, write_people
from tests.bench.postgres import Cluster, cluster
from tests.bench.recorded import Recorded, recorded
from tests.bench.served import served
from tests.bench.table import Figure, show

NEEDED = "dlt is not installed, and syncd does not need it: pip install 'dlt[postgres]'"
RUNS = ("first load", "second run, unchanged")
TARGETS = (">= 5", ">= 50")


def main(count: int = 100_000, repeat: int = 5) -> None:
    if find_spec("dlt") is None:
        print(NEEDED)
        return
    bound = Figure("download + orjson")
    theirs, people, accounts = (
        [Figure(f"{name}: {run}") for run in RUNS] for name in ("dlt", "syncd, a source of people", "syncd, a target's accounts")
    )
    with cluster() as postgres, served("--users", str(count)) as sandbox, recorded(sandbox) as pages:
        with tempfile.TemporaryDirectory() as root, Inside(Path(root), {"app": pages.source}) as inside:
            inside.cycle()
        for _ in range(repeat):
            bound.measure(pages.download)
            _theirs(postgres, pages, theirs)
            _ours(postgres, people, {"app": pages.source})
            _ours(postgres, accounts, {"people": PEOPLE, "app": pages.target})
    ratios = []
    for ours in (people, accounts):
        for mine, other, target in zip(ours, theirs, TARGETS, strict=True):
            ratios.append((f"{mine.name}, times as fast as dlt", other.median / mine.median, target))
            ratios.append(("... by CPU, that of the database included", other.cpu / mine.cpu, target))
    ratios.append(("dlt's second run against the download", theirs[1].median / bound.median, "no syncd can be faster than this"))
    show(f"T7 {count:,} Twilio users, pages of 50, into PostgreSQL", [bound, *theirs, *people, *accounts], ratios)


def _theirs(postgres: Cluster, pages: Recorded, figures: list[Figure]) -> None:
    """Without what dlt needs to start, and without its telemetry."""
    environment = {**os.environ, "RUNTIME__DLTHUB_TELEMETRY": "false", "RUNTIME__LOG_LEVEL": "ERROR"}
    with tempfile.TemporaryDirectory() as root:
        command = [sys.executable, "-m", "tests.bench.dlt_load", pages.url, *pages.sandbox.credentials, postgres.database(), root]
        with subprocess.Popen(command, env=environment, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True) as process:
            assert process.stdin is not None and process.stdout is not None
            for figure in figures:
                before = postgres.cpu()
                process.stdin.write("\n")
                process.stdin.flush()
                seconds, cpu = json.loads(next(line for line in process.stdout if line.startswith("[")))
                figure.values.append(seconds)
                figure.cpus.append(cpu + postgres.cpu() - before)


def _ours(postgres: Cluster, figures: list[Figure], connections: Mapping[str, Mapping[str, Any]]) -> None:
    """Making the tables is part of the first load, as it is of dlt's."""
    with tempfile.TemporaryDirectory() as root:
        write_people(Path(root), 0)
        url = postgres.database()

        def load() -> None:
            with Inside(Path(root), connections, url) as inside:
                inside.cycle()

        for figure in figures:
            before = postgres.cpu()
            figure.measure(load)
            figure.cpus[-1] += postgres.cpu() - before
