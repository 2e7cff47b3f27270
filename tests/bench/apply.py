"""T6: 600 creates at a known limit of 100 requests a second and 50 ms latency: syncd's connector, and the vendor's SDK in a loop."""

from __future__ import annotations

import asyncio
import json
import time

from twilio.rest import Client

from syncd.connectors.twilio import TwilioConnector
from syncd.model import Rate
from tests.bench.served import Served, creation, served
from tests.bench.table import Figure, show

LIMIT, LATENCY, OURS, THEIRS = 100, 0.05, 600, 100


def main(repeat: int = 5) -> None:
    ours, theirs, refused = Figure("syncd", "requests/s"), Figure("vendor SDK, one by one", "requests/s"), Figure("refusals of syncd's", "")
    for _ in range(repeat):
        with served("--per-second", str(LIMIT), "--latency", str(LATENCY)) as sandbox:
            throttled, rate = asyncio.run(_syncd(sandbox))
            ours.values.append(rate)
            refused.values.append(throttled)
            theirs.values.append(_sdk(sandbox))
    ratios = [("syncd against the SDK", ours.median / theirs.median, ">= 5"), ("syncd against the limit", ours.median / LIMIT, ">= 0.98")]
    show(f"T6/T5 creates at {LIMIT} requests/s and {1000 * LATENCY:.0f} ms", [ours, theirs, refused], ratios)


async def _syncd(sandbox: Served) -> tuple[int, float]:
    connector = sandbox.connector(Rate(per_second=LIMIT, concurrency=16))
    queue = iter([creation(number) for number in range(OURS)])
    started = time.perf_counter()
    await asyncio.gather(*(_work(connector, queue) for _ in range(16)))
    took = time.perf_counter() - started
    await connector.aclose()
    return connector.meter.throttled, OURS / took


async def _work(connector: TwilioConnector, queue: object) -> None:
    for change in queue:  # type: ignore[attr-defined]
        for step in connector.steps(change):
            await connector.perform(step)


def _sdk(sandbox: Served) -> float:
    client = Client(sandbox.account_sid, sandbox.auth_token)
    client.conversations.base_url = sandbox.url
    started = time.perf_counter()
    for number in range(OURS, OURS + THEIRS):
        attributes = json.dumps({"externalId": str(number)})
        client.conversations.v1.users.create(identity=f"p{number}@corp.example", friendly_name=f"Person {number}", attributes=attributes)
    return THEIRS / (time.perf_counter() - started)
