"""T10: CPU of `syncd --version`, and of `syncd sync` with nothing to do on 1,000 accounts."""

from __future__ import annotations

import sys
import tempfile
from pathlib import Path

from tests.bench.load import prepared
from tests.bench.process import cost
from tests.bench.served import served
from tests.bench.table import Figure, show

SYNCD = [sys.executable, "-m", "syncd"]


def main(repeat: int = 7) -> None:
    version, idle, bare = Figure("syncd --version"), Figure("syncd sync, nothing to do, 1,000 accounts"), Figure("python -c pass")
    with tempfile.TemporaryDirectory() as root, served() as sandbox:
        config = prepared(Path(root), sandbox, 1000)
        first = cost([*SYNCD, "--config", str(config), "sync", "--yes"], Path(root))
        assert first.code == 0, first
        for _ in range(repeat):
            bare.values.append(cost([sys.executable, "-c", "pass"], Path(root)).cpu)
            version.values.append(cost([*SYNCD, "--version"], Path(root)).cpu)
            quiet = cost([*SYNCD, "--config", str(config), "sync", "--yes"], Path(root))
            assert quiet.code == 0, quiet
            idle.values.append(quiet.cpu)
    ratios = [("--version against 0.25 s", version.median / 0.25, "<= 1"), ("idle sync against 1 s", idle.median, "<= 1")]
    show("T10 CPU of whole processes", [bare, version, idle], ratios)
