"""T5: creates at a provider that allows 100 requests a second and takes 50 ms: its limit known, unknown, and known where hardly any burst
is allowed while every processor is busy with something else."""

from __future__ import annotations

import asyncio
import os
import subprocess
import sys
import time
from collections.abc import Iterator
from contextlib import AbstractContextManager, contextmanager, nullcontext
from dataclasses import dataclass

from syncd.model import Change, Rate
from tests.bench.served import Served, creation, served
from tests.bench.table import Figure, show

LIMIT, LATENCY, AT_ONCE = 100, 0.05, 16
SPIN = "while True: pass"


@dataclass(frozen=True)
class Case:
    """``burst``: seconds' worth of requests that the provider takes at once. ``rate``, ``refused``: the least part of the limit, and the
    most percent of refused requests, that are the target."""

    name: str
    known: bool
    burst: float
    busy: bool
    count: int
    rate: float
    refused: float


CASES = (
    Case("limit known", True, 1.0, False, 600, 0.98, 0.0),
    Case("limit unknown", False, 1.0, False, 3000, 0.97, 0.3),
    Case("limit known, burst of 0.1 s, busy processors", True, 0.1, True, 1000, 0.95, 0.1),
)


def main(repeat: int = 5) -> None:
    figures: list[Figure] = []
    ratios: list[tuple[str, float, str]] = []
    for case in CASES:
        rate, refused = Figure(case.name, "requests/s"), Figure("... refused", "%")
        for _ in range(repeat):
            with _sandbox(case) as sandbox, _busy() if case.busy else nullcontext():
                throttled, per_second = asyncio.run(creates(sandbox, LIMIT if case.known else None, case.count))
            rate.values.append(per_second)
            refused.values.append(100 * throttled / (case.count + throttled))
        figures += [rate, refused]
        ratios.append((f"{case.name}: of the limit", rate.median / LIMIT, f">= {case.rate}"))
        ratios.append((f"{case.name}: percent refused of all {repeat} runs", sum(refused.values) / repeat, f"<= {case.refused}"))
    show(f"T5 creates at {LIMIT} requests/s and {1000 * LATENCY:.0f} ms", figures, ratios)


def _sandbox(case: Case) -> AbstractContextManager[Served]:
    return served("--per-second", str(LIMIT), "--latency", str(LATENCY), "--burst", str(case.burst))


async def creates(sandbox: Served, limit: int | None, count: int) -> tuple[int, float]:
    """How many requests were refused, and how many creates were done in a second. ``limit``: as configured."""
    connector = sandbox.connector(Rate(per_second=limit, concurrency=AT_ONCE))
    queue = iter([creation(number) for number in range(count)])

    async def work(changes: Iterator[Change]) -> None:
        for change in changes:
            for step in connector.steps(change):
                await connector.perform(step)

    started = time.perf_counter()
    await asyncio.gather(*(work(queue) for _ in range(AT_ONCE)))
    took = time.perf_counter() - started
    await connector.aclose()
    return connector.meter.throttled, count / took


@contextmanager
def _busy() -> Iterator[None]:
    """One process for each processor that does nothing else than use it."""
    spinning = [subprocess.Popen([sys.executable, "-c", SPIN]) for _ in range(os.cpu_count() or 1)]
    try:
        yield
    finally:
        for one in spinning:
            one.kill()
            one.wait()
