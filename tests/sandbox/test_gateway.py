"""How much an emulated provider takes at once, and how slowly."""

from __future__ import annotations

import asyncio
import threading
import time

import httpx

from syncd.environment import Environment

from .conftest import Clock, Make


def test_the_rate_limit_refuses_without_doing(tenant: Make, clock: Clock) -> None:
    one = tenant(environment=clock, per_second=2, burst=1)
    statuses = [one.post("/v1/Users", Identity=str(n)).status_code for n in range(5)]
    assert statuses == [201, 201, 201, 429, 429]
    assert len(one.sandbox.twilio.log) == len(one.sandbox.twilio.service()) == 3
    clock.advance(0.5)
    assert [one.post("/v1/Users", Identity=str(n)).status_code for n in (3, 4)] == [201, 429]


def test_the_refusal_is_20429_and_counts_the_requests_in_flight(tenant: Make) -> None:
    one = tenant(concurrency=0)
    refused = one.get("/v1/Users")
    assert (refused.status_code, refused.json()["code"], refused.headers["twilio-concurrent-requests"]) == (429, 20429, "0")
    one.sandbox.traffic.concurrency = None
    assert one.get("/v1/Users").headers["twilio-concurrent-requests"] == "1"


class Gate(Environment):
    """Requests wait in their latency until the gate is opened."""

    def __init__(self) -> None:
        super().__init__()
        self.waiting = 0
        self.open = threading.Event()

    async def sleep(self, seconds: float) -> None:
        self.waiting += 1
        await asyncio.to_thread(self.open.wait)


def test_the_concurrency_limit_counts_what_is_under_way(tenant: Make) -> None:
    gate = Gate()
    one = tenant(environment=gate, latency=1, concurrency=2)
    answers: list[httpx.Response] = []
    clients = [threading.Thread(target=lambda n=n: answers.append(one.post("/v1/Users", Identity=str(n)))) for n in range(3)]
    for client in clients:
        client.start()
    deadline = time.monotonic() + 5
    while gate.waiting < 3 and time.monotonic() < deadline:
        time.sleep(0.002)
    gate.open.set()
    for client in clients:
        client.join()
    assert sorted(answer.status_code for answer in answers) == [201, 201, 429]
    assert len(one.sandbox.twilio.service()) == 2
    assert max(int(answer.headers["twilio-concurrent-requests"]) for answer in answers) == 2
    assert one.post("/v1/Users", Identity="later").status_code == 201


def test_latency_is_slept_through_the_environment(tenant: Make, clock: Clock) -> None:
    one = tenant(environment=clock, latency=7.5)
    one.get("/v1/Users")
    assert clock.slept == [7.5]
