"""CPU of a `syncd run` to which nothing happens: a people file and three targets, 1,000 accounts each, every 5 minutes."""

from __future__ import annotations

import os
import subprocess
import sys
import tempfile
import time
from pathlib import Path

from ruamel.yaml import YAML

from syncd.sandbox import Sandbox, serve
from syncd.store import Store
from tests.bench.load import LIMITLESS, PEOPLE, configured
from tests.bench.process import cost
from tests.bench.table import Figure, show

PROVIDERS = ("twilio", "appwrite", "chatbotkit")
PEOPLE_COUNT, MINUTES, HOUR = 1000, 15, 3600
SYNCD = [sys.executable, "-m", "syncd"]


def main(minutes: float = MINUTES) -> None:
    """Longer than two turns of every connection, so that what a turn costs is there in its proportion."""
    with tempfile.TemporaryDirectory() as root:
        sandbox = Sandbox(only=PROVIDERS)
        with serve(sandbox) as url:
            config = _converged(Path(root), sandbox.config_yaml(url, PROVIDERS))
            with subprocess.Popen([*SYNCD, "--config", str(config), "run"], cwd=root, stderr=subprocess.DEVNULL) as daemon:
                try:
                    _measure(daemon.pid, Path(root), minutes)
                finally:
                    daemon.terminate()


def _converged(root: Path, config: str) -> Path:
    """Everybody has an account everywhere; the configuration's path."""
    rows = (f"{n},p{n},Person {n},p{n}@corp.example\n" for n in range(PEOPLE_COUNT))
    (root / "people.csv").write_text("id,userName,displayName,email\n" + "".join(rows), encoding="utf-8")
    _, *targets = YAML(typ="safe").load(config)["connections"].items()
    made = configured(root, {"people": PEOPLE, **{name: {**target, "limits": LIMITLESS} for name, target in targets}})
    for wanted in ("sync", "plan"):
        ended = cost([*SYNCD, "--config", str(made), wanted, *(["--yes"] if wanted == "sync" else ["--detailed-exitcode"])], root)
        assert ended.code == 0, (wanted, ended)
    return made


def _measure(daemon: int, root: Path, minutes: float) -> None:
    store = Store(f"sqlite:///{root}/syncd.db")
    time.sleep(30)  # its start is not idle time
    before, runs, started = _cpu(daemon), _runs(store), time.monotonic()
    time.sleep(60 * minutes)
    took, cpu, cycles = time.monotonic() - started, _cpu(daemon) - before, _runs(store) - runs
    store.close()
    hourly = Figure(f"CPU seconds an hour, from {took / 60:.1f} real minutes with {cycles} cycles")
    hourly.values.append(cpu * HOUR / took)
    show("an idle hour of `syncd run`, 4 connections every 5 minutes", [hourly])


def _cpu(process: int) -> float:
    """Seconds, its own and those of its children (proc(5))."""
    fields = Path(f"/proc/{process}/stat").read_text().rpartition(")")[2].split()
    return sum(map(int, fields[11:15])) / os.sysconf("SC_CLK_TCK")


def _runs(store: Store) -> int:
    return int(store.value("SELECT MAX(id) FROM run"))
