"""Connections kept, reused, found dead, never leaked and never spoken to the wrong host."""

from __future__ import annotations

import asyncio

import httpx
import pytest
from loopback import Answering, Impatient, Received, client, get, noticed_once_the_server_has_closed, post, raw_server, reply, scripted

from syncd.connectors import transport
from syncd.connectors.answer import Answer
from syncd.connectors.retry import Budget
from syncd.connectors.transport import Transport
from syncd.errors import InDoubt, Retryable

pytestmark = pytest.mark.anyio


def body(answer: Answer) -> bytes:
    return answer.body


async def test_requests_in_a_row_share_one_connection() -> None:
    async with scripted(reply()) as server, client(server.url) as http:
        for _ in range(5):
            await http.send(get(), body)
    assert server.connections == 1


async def test_the_connection_used_last_is_taken_first() -> None:
    together = asyncio.Barrier(3)

    async def answering(request: Received, writer: asyncio.StreamWriter) -> bytes | None:
        if request.target == "/together":
            await together.wait()
        return reply()

    async with raw_server(answering) as server, client(server.url) as http:
        await asyncio.gather(*(http.send(get("/together"), body) for _ in range(3)))
        await http.send(get("/a"), body)
        last = server.received[-1].connection
        for _ in range(3):
            await http.send(get("/b"), body)
    assert [one.connection for one in server.received[-3:]] == [last] * 3
    assert server.connections == 3


async def test_a_cold_connection_is_not_used_again(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(transport, "IDLE_SECONDS", -1.0)
    async with scripted(reply()) as server, client(server.url) as http:
        for _ in range(3):
            await http.send(get(), body)
    assert [one.connection for one in server.received] == [1, 2, 3]


async def test_a_connection_the_server_has_closed_is_noticed_before_anything_is_sent() -> None:
    await noticed_once_the_server_has_closed()


def dying_on_reuse(resets: int) -> Answering:
    """A server that drops a connection when its second request arrives; ``resets`` connections do so, later ones live."""

    async def answering(request: Received, writer: asyncio.StreamWriter) -> bytes | None:
        if request.target == "/again" and request.connection <= resets:
            return None
        return reply()

    return answering


async def test_a_kept_connection_that_turns_out_dead_is_replaced_once_without_waiting() -> None:
    environment = Impatient()
    async with raw_server(dying_on_reuse(1)) as server, client(server.url, environment=environment) as http:
        await http.send(get(), body)
        await http.send(get("/again"), body)
    assert [one.connection for one in server.received] == [1, 1, 2]
    assert environment.slept == [0.0]


async def test_the_replacement_is_a_fresh_connection_not_another_kept_one() -> None:
    together = asyncio.Barrier(3)

    async def answering(request: Received, writer: asyncio.StreamWriter) -> bytes | None:
        if request.target == "/together":
            await together.wait()
        return None if request.target == "/again" and request.connection <= 3 else reply()

    environment = Impatient()
    async with raw_server(answering) as server, client(server.url, environment=environment) as http:
        await asyncio.gather(*(http.send(get("/together"), body) for _ in range(3)))
        await http.send(get("/again"), body)
    assert [one.connection for one in server.received][-1] == 4
    assert len(server.received) == 5


async def test_a_create_on_a_dead_kept_connection_is_in_doubt() -> None:
    async with raw_server(dying_on_reuse(1)) as server, client(server.url) as http:
        await http.send(get(), body)
        with pytest.raises(InDoubt):
            await http.send(post("/again"), body)
    assert len(server.received) == 2


async def test_an_answer_cut_short_on_a_kept_connection_counts_as_a_try() -> None:
    async def answering(request: Received, writer: asyncio.StreamWriter) -> bytes | None:
        if len(server.received) == 2:
            writer.write(reply(length=500))
            return None
        return reply()

    environment = Impatient()
    async with raw_server(answering) as server, client(server.url, environment=environment) as http:
        await http.send(get(), body)
        await http.send(get(), body)
    assert len(server.received) == 3
    assert environment.slept[0] > 0


async def test_a_connection_whose_answer_is_not_read_to_the_end_is_closed() -> None:
    async with scripted(reply(b"x" * 2**20)) as server, client(server.url, cap=1000, budget=Budget(tries=1)) as http:
        with pytest.raises(Retryable, match="larger"):
            await http.send(get(), body)
        while server.open:
            await asyncio.sleep(0)
    assert server.connections == 1


async def test_a_fresh_connection_that_dies_counts_as_a_try() -> None:
    environment = Impatient()
    async with scripted(None) as server, client(server.url, environment=environment, budget=Budget(tries=3)) as http:
        with pytest.raises(Retryable):
            await http.send(get(), body)
    assert len(server.received) == 3
    assert all(seconds > 0 for seconds in environment.slept)


async def test_another_origin_is_refused() -> None:
    async with scripted(reply()) as ours, scripted(reply()) as theirs:
        spoken = Transport(httpx.URL(ours.url))
        for address in (theirs.url, ours.url.replace("http", "https"), ours.url.replace("127.0.0.1", "localhost")):
            with pytest.raises(httpx.UnsupportedProtocol, match="only"):
                await spoken.handle_async_request(httpx.Request("GET", address))
        await spoken.aclose()
    assert (ours.connections, theirs.connections) == (0, 0)


class Crowd:
    """A server that hangs on ``/hang`` and answers ``/meet`` once ``size`` requests are there at the same time."""

    def __init__(self, size: int) -> None:
        self.barrier, self.now, self.most = asyncio.Barrier(size), 0, 0
        self.hanging = 0

    async def __call__(self, request: Received, writer: asyncio.StreamWriter) -> bytes | None:
        if request.target == "/hang":
            self.hanging += 1
            await asyncio.Event().wait()
        self.now += 1
        self.most = max(self.most, self.now)
        if request.target == "/meet":
            await self.barrier.wait()
        await asyncio.sleep(0)
        self.now -= 1
        return reply()


async def test_no_slot_is_lost_to_a_hundred_cancelled_requests() -> None:
    crowd = Crowd(8)
    async with raw_server(crowd) as server, client(server.url, concurrency=8, per_second=1e4) as http:
        for round in range(1, 14):
            tasks = [asyncio.create_task(http.send(get("/hang"), body)) for _ in range(12)]  # 8 on the wire, 4 waiting for a slot
            while crowd.hanging < round * 8:
                await asyncio.sleep(0)
            for task in tasks:
                task.cancel()
            results = await asyncio.gather(*tasks, return_exceptions=True)
            assert all(isinstance(one, asyncio.CancelledError) for one in results)
        await asyncio.wait_for(asyncio.gather(*(http.send(get("/meet"), body) for _ in range(8))), 5)
        assert crowd.most == 8


async def test_no_slot_is_lost_to_a_hundred_timeouts() -> None:
    crowd = Crowd(8)
    async with (
        raw_server(crowd) as server,
        client(server.url, concurrency=8, per_second=1e4, deadline=0.03, budget=Budget(tries=1)) as http,
    ):
        results = await asyncio.gather(*(http.send(get("/hang"), body) for _ in range(100)), return_exceptions=True)
        assert all(isinstance(one, Retryable) for one in results)
        http._deadline = 5.0
        await asyncio.wait_for(asyncio.gather(*(http.send(get("/meet"), body) for _ in range(8))), 5)


async def test_never_more_requests_at_once_than_configured() -> None:
    crowd = Crowd(1)
    async with raw_server(crowd) as server, client(server.url, concurrency=3) as http:
        await asyncio.gather(*(http.send(get("/thing"), body) for _ in range(40)))
    assert crowd.most == 3
    assert server.connections <= 3
