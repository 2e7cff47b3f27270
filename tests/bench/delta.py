"""T4: a delta cycle over 1,000,000 accounts of which 0, 100 and 10,000 changed, against its own requests by a plain client."""

from __future__ import annotations

import tempfile
from collections.abc import Sequence
from functools import partial
from itertools import product
from pathlib import Path

import httpx
import orjson

from tests.bench.inside import InPostgres, Inside
from tests.bench.load import PEOPLE, write_people
from tests.bench.postgres import cluster
from tests.bench.recorded import Recorded, recorded
from tests.bench.served import Served, served
from tests.bench.table import Figure, show

CHANGED = (0, 100, 10_000)
LATENCIES = (0.0, 0.05)


def main(count: int = 1_000_000, repeat: int = 5, changed: Sequence[int] = CHANGED) -> None:
    """Each of a source of people, and of a target's accounts, with its store in either database."""
    with cluster() as postgres:
        for kind, database in product(("a source of people", "a target's accounts"), ("SQLite", "PostgreSQL")):
            with (
                tempfile.TemporaryDirectory() as root,
                served(str(count), module="tests.bench.aged") as sandbox,
                recorded(sandbox) as pages,
            ):
                write_people(Path(root), 0)
                connections = {"app": pages.source} if kind == "a source of people" else {"people": PEOPLE, "app": pages.target}
                made = Inside(Path(root), connections) if database == "SQLite" else InPostgres(Path(root), connections, postgres)
                with made as inside:
                    inside.cycle()
                    inside.keep()
                    title = f"T4 delta of k of {count:,} accounts, {kind}, Appwrite, pages of 100, store in {database}"
                    _measure(inside, sandbox, pages, title, repeat, changed)


def _measure(inside: Inside, sandbox: Served, pages: Recorded, title: str, repeat: int, steps: Sequence[int]) -> None:
    """The very same delta again and again, each time from the store as it was before, after one that found nothing: as in a daemon."""
    users = _some(pages, max(steps))
    bounds: list[Figure] = []
    cycles: list[Figure] = []
    before = 0
    for changed in steps:
        _rename(sandbox, users[before:changed])
        before = changed
        pages.forget()
        inside.restore()
        inside.delta()
        asked = pages.pages
        for latency in LATENCIES:
            name = f"k = {changed:,}, {1000 * latency:.0f} ms"
            bound, cycle = Figure(f"{name}: its {len(asked)} requests"), Figure(f"{name}: delta cycle")
            for _ in range(repeat):
                inside.restore()
                pages.hush(True)
                inside.delta()
                pages.hush(False)
                pages.delay(latency)
                bound.measure(partial(pages.download, asked))
                cycle.measure(inside.delta)
                pages.delay(0)
            bounds.append(bound)
            cycles.append(cycle)
    figures = [one for pair in zip(bounds, cycles, strict=True) for one in pair]
    ratios = [
        (f"{cycle.name} against its requests", cycle.median / bound.median, "<= 1.2") for bound, cycle in zip(bounds, cycles, strict=True)
    ]
    none, *some = cycles[:: len(LATENCIES)]
    for changed, cycle in zip(steps[1:], some, strict=True):
        ratios.append(
            (f"CPU of k = {changed:,} beyond that of k = 0, milliseconds an account", 1000 * (cycle.cpu - none.cpu) / changed, "constant")
        )
    show(title, figures, ratios)


def _some(pages: Recorded, count: int) -> Sequence[str]:
    """Ids of users from all over the listing: the first of each page, then the second of each."""
    addresses = [one for one in pages.pages if "users" in one]
    with httpx.Client(base_url=pages.url, trust_env=False) as client:
        listed = [[user["$id"] for user in orjson.loads(client.get(one).content)["users"]] for one in addresses]
    found = [ids[place] for place in range(100) for ids in listed if place < len(ids)]
    return found[:count]


def _rename(sandbox: Served, users: Sequence[str]) -> None:
    target = sandbox.target
    headers = {"X-Appwrite-Project": str(target["project"]), "X-Appwrite-Key": str(target["api_key"])}
    with httpx.Client(base_url=sandbox.url, headers=headers, trust_env=False) as client:
        for user in users:
            client.patch(f"/users/{user}/name", json={"name": f"Renamed {user}"}).raise_for_status()
