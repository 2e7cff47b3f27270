"""T3: the first load of 100,000 accounts into an empty store, against a plain download of the same pages through orjson."""

from __future__ import annotations

import tempfile
from pathlib import Path

from tests.bench.inside import Inside
from tests.bench.listing import PROVIDERS
from tests.bench.load import PEOPLE, write_people
from tests.bench.recorded import recorded
from tests.bench.served import Served, served
from tests.bench.table import Figure, show


def main(count: int = 100_000, repeat: int = 5) -> None:
    for provider, title in PROVIDERS.items():
        with tempfile.TemporaryDirectory() as root, served("--provider", provider, "--users", str(count)) as sandbox:
            _measure(Path(root), sandbox, f"T3 first load of {count:,} accounts, {title}", repeat)


def _measure(root: Path, sandbox: Served, title: str, repeat: int) -> None:
    bound, people, accounts = Figure("download + orjson"), Figure("load of people"), Figure("load of a target's accounts")
    write_people(root, 0)
    with (
        recorded(sandbox) as pages,
        Inside(root / "source", {"app": pages.source}) as source,
        Inside(root, {"people": PEOPLE, "app": pages.target}) as target,
    ):
        source.cycle()
        for _ in range(repeat):
            bound.measure(pages.download)
            for one, figure in ((source, people), (target, accounts)):
                one.forget()
                figure.measure(one.cycle)
    ratios = [(f"{one.name}: part of the download's speed", bound.median / one.median, ">= 0.4") for one in (people, accounts)]
    ratios += [(f"{one.name}: CPU of the download to its own", bound.cpu / one.cpu, ">= 0.4") for one in (people, accounts)]
    show(title, [bound, people, accounts], ratios)
