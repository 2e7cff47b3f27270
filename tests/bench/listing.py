"""T2: an unchanged full cycle over 100,000 and 1,000,000 accounts, against a plain download of the same pages through orjson."""

from __future__ import annotations

import tempfile
from collections.abc import Mapping
from pathlib import Path

from tests.bench.inside import Inside
from tests.bench.load import PEOPLE, write_people
from tests.bench.recorded import recorded
from tests.bench.served import Served, served
from tests.bench.table import compare, show

PROVIDERS = {"twilio": "Twilio, pages of 50", "appwrite": "Appwrite, pages of 100"}
REPEATS = {100_000: 5, 1_000_000: 3}
"""How often, by how many accounts."""


def main(repeats: Mapping[int, int] = REPEATS) -> None:
    for count, repeat in repeats.items():
        for provider, title in PROVIDERS.items():
            with tempfile.TemporaryDirectory() as root, served("--provider", provider, "--users", str(count)) as sandbox:
                _measure(Path(root), sandbox, f"T2 unchanged full cycle, {count:,} accounts, {title}", count, repeat)


def _measure(root: Path, sandbox: Served, title: str, count: int, repeat: int) -> None:
    with recorded(sandbox) as pages:
        write_people(root, count)
        with Inside(root / "alone", {"app": pages.source}) as alone, Inside(root, {"people": PEOPLE, "app": pages.target}) as both:
            alone.cycle()
            both.cycle()
            figures = compare(
                repeat,
                ("download + orjson", pages.download),
                ("full cycle over it alone", alone.cycle),
                (f"full cycle, with a people file of {count:,} rows", both.cycle),
            )
    bound, listed, whole = figures
    ratios = [
        ("alone against the download", listed.median / bound.median, "<= 1"),
        ("its CPU against that of the download", listed.cpu / bound.cpu, "<= 1"),
        ("with the file", whole.median / bound.median, "<= 1"),
        ("its CPU", whole.cpu / bound.cpu, "<= 1"),
    ]
    show(title, figures, ratios)
