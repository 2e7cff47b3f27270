"""T8: CPU of this process for one request, at concurrency 1 and at concurrency 64; a plain httpx client beside it."""

from __future__ import annotations

import asyncio
import time
from collections.abc import Awaitable, Callable

import httpx

from syncd.model import Rate, Ref
from tests.bench.served import Served, served
from tests.bench.table import Figure, show

COUNT = 1500


def main(repeat: int = 5) -> None:
    alone, crowded = Figure("syncd, concurrency 1", "us"), Figure("syncd, concurrency 64", "us")
    plain = Figure("httpx with its default pool, concurrency 64", "us")
    with served("--users", "1000", "--latency", "0.002") as sandbox:
        for _ in range(repeat):
            alone.values.append(asyncio.run(_ours(sandbox, 1, COUNT // 5)))
            crowded.values.append(asyncio.run(_ours(sandbox, 64, COUNT)))
            plain.values.append(asyncio.run(_plain(sandbox, 64, COUNT)))
    ratios = [
        ("64 against 1", crowded.median / alone.median, "<= 1.2"),
        ("httpx against syncd at 64", plain.median / crowded.median, "> 1"),
    ]
    show("T8 CPU a request (fetch of one user)", [alone, crowded, plain], ratios)


async def _ours(sandbox: Served, width: int, count: int) -> float:
    """At a limit known to be far away: where it is not known, the first requests are few at once."""
    connector = sandbox.connector(Rate(100_000, width))
    page = await connector.list(None)
    sids = [connector.parse(record).id for record in page.records]
    try:
        return await _cpu(width, count, lambda number: connector.fetch(Ref(sids[number % len(sids)])))
    finally:
        await connector.aclose()


async def _plain(sandbox: Served, width: int, count: int) -> float:
    async with httpx.AsyncClient(auth=sandbox.credentials, base_url=sandbox.url, trust_env=False) as client:
        first = (await client.get("/v1/Users", params={"PageSize": 50})).json()["users"]
        return await _cpu(width, count, lambda number: client.get(f"/v1/Users/{first[number % len(first)]['sid']}"))


async def _cpu(width: int, count: int, ask: Callable[[int], Awaitable[object]]) -> float:
    """Microseconds of CPU a request."""
    numbers = iter(range(count))

    async def work() -> None:
        for number in numbers:
            await ask(number)

    started = time.process_time()
    await asyncio.gather(*(work() for _ in range(width)))
    return 1e6 * (time.process_time() - started) / count
