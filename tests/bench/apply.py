"""T6: creates at 100 requests a second and 50 ms, by syncd and by the vendor's SDK in a loop."""

from __future__ import annotations

import asyncio
import json
import time

from twilio.rest import Client

from tests.bench.pacing import LATENCY, LIMIT, creates
from tests.bench.served import Served, served
from tests.bench.table import Figure, show

OURS, THEIRS = 600, 100


def main(repeat: int = 5) -> None:
    ours, theirs = Figure("syncd", "requests/s"), Figure("vendor SDK, one by one", "requests/s")
    for _ in range(repeat):
        with served("--per-second", str(LIMIT), "--latency", str(LATENCY)) as sandbox:
            ours.values.append(asyncio.run(creates(sandbox, LIMIT, OURS))[1])
            theirs.values.append(_sdk(sandbox))
    ratios = [("syncd against the SDK", ours.median / theirs.median, ">= 5")]
    show(f"T6 creates at {LIMIT} requests/s and {1000 * LATENCY:.0f} ms", [ours, theirs], ratios)


def _sdk(sandbox: Served) -> float:
    client = Client(*sandbox.credentials)
    client.conversations.base_url = sandbox.url
    started = time.perf_counter()
    for number in range(OURS, OURS + THEIRS):
        attributes = json.dumps({"externalId": str(number)})
        client.conversations.v1.users.create(identity=f"p{number}@corp.example", friendly_name=f"Person {number}", attributes=attributes)
    return THEIRS / (time.perf_counter() - started)
