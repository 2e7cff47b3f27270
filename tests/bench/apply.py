"""T5 and T6: creates at 100 requests a second and 50 ms: 600 that know the limit, 3,000 that do not, the vendor's SDK in a loop."""

from __future__ import annotations

import asyncio
import json
import time

from twilio.rest import Client

from syncd.connectors.twilio import TwilioConnector
from syncd.model import Rate
from tests.bench.served import Served, creation, served
from tests.bench.table import Figure, show

LIMIT, LATENCY, OURS, UNKNOWING, THEIRS = 100, 0.05, 600, 3000, 100


def main(repeat: int = 5) -> None:
    ours, theirs, refused = Figure("syncd", "requests/s"), Figure("vendor SDK, one by one", "requests/s"), Figure("refusals of syncd's", "")
    learning, learned = Figure("syncd, limit unknown", "requests/s"), Figure("refusals of its requests", "%")
    for _ in range(repeat):
        with served("--per-second", str(LIMIT), "--latency", str(LATENCY)) as sandbox:
            throttled, rate = asyncio.run(_syncd(sandbox, LIMIT, OURS))
            ours.values.append(rate)
            refused.values.append(throttled)
            theirs.values.append(_sdk(sandbox))
        with served("--per-second", str(LIMIT), "--latency", str(LATENCY)) as sandbox:
            throttled, rate = asyncio.run(_syncd(sandbox, None, UNKNOWING))
            learning.values.append(rate)
            learned.values.append(100 * throttled / (UNKNOWING + throttled))
    ratios = [
        ("syncd against the SDK", ours.median / theirs.median, ">= 5"),
        ("syncd against the limit", ours.median / LIMIT, ">= 0.98"),
        ("against an unknown limit", learning.median / LIMIT, ">= 0.97"),
    ]
    show(f"T6/T5 creates at {LIMIT} requests/s and {1000 * LATENCY:.0f} ms", [ours, theirs, refused, learning, learned], ratios)


async def _syncd(sandbox: Served, limit: int | None, count: int) -> tuple[int, float]:
    connector = sandbox.connector(Rate(per_second=limit, concurrency=16))
    queue = iter([creation(number) for number in range(count)])
    started = time.perf_counter()
    await asyncio.gather(*(_work(connector, queue) for _ in range(16)))
    took = time.perf_counter() - started
    await connector.aclose()
    return connector.meter.throttled, count / took


async def _work(connector: TwilioConnector, queue: object) -> None:
    for change in queue:  # type: ignore[attr-defined]
        for step in connector.steps(change):
            await connector.perform(step)


def _sdk(sandbox: Served) -> float:
    client = Client(*sandbox.credentials)
    client.conversations.base_url = sandbox.url
    started = time.perf_counter()
    for number in range(OURS, OURS + THEIRS):
        attributes = json.dumps({"externalId": str(number)})
        client.conversations.v1.users.create(identity=f"p{number}@corp.example", friendly_name=f"Person {number}", attributes=attributes)
    return THEIRS / (time.perf_counter() - started)
