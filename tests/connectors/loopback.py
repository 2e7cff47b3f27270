"""Raw HTTP servers on loopback that answer exactly the bytes a test wants, and an environment that never really waits."""

from __future__ import annotations

import asyncio
import json
import ssl
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from typing import Any

from httpcore import AsyncNetworkStream

from syncd.connectors.http import Credentials, Http, Request
from syncd.connectors.retry import Budget
from syncd.connectors.stream import Backend
from syncd.connectors.url import Root
from syncd.environment import Environment
from syncd.model import Rate

SECRET = "s3cr3t/+=token"


class Impatient(Environment):
    """Sleeping takes no time but moves the clock; ``slept`` lists the seconds."""

    def __init__(self) -> None:
        super().__init__(seed=1)
        self.slept: list[float] = []

    def monotonic(self) -> float:
        return super().monotonic() + sum(self.slept)

    async def sleep(self, seconds: float) -> None:
        self.slept.append(seconds)
        await asyncio.sleep(0)


@dataclass
class Received:
    """One request as it arrived; ``connection`` numbers the TCP connections."""

    method: str
    target: str
    headers: dict[str, str]
    body: bytes
    connection: int


Answering = Callable[[Received, asyncio.StreamWriter], Awaitable[bytes | None]]
"""The bytes to answer; None = close the connection."""


@dataclass
class Raw:
    scheme: str = "http"
    port: int = 0
    connections: int = 0
    open: int = 0
    received: list[Received] = field(default_factory=list)

    @property
    def url(self) -> str:
        return f"{self.scheme}://127.0.0.1:{self.port}"


def reply(body: Any = b"{}", status: int = 200, *, length: int | None = None, **headers: str) -> bytes:
    """A whole HTTP/1.1 answer; ``body``: bytes as they are, anything else as JSON. ``length`` lies about it."""
    raw = body if isinstance(body, bytes) else json.dumps(body).encode()
    fields = {"content_type": "application/json", "content_length": str(len(raw) if length is None else length), **headers}
    lines = [f"{name.replace('_', '-')}: {value}" for name, value in fields.items() if value]
    return "\r\n".join([f"HTTP/1.1 {status} X", *lines, "", ""]).encode() + raw


async def _read(reader: asyncio.StreamReader, connection: int) -> Received | None:
    try:
        head = (await reader.readuntil(b"\r\n\r\n")).decode("latin-1")
    except (asyncio.IncompleteReadError, ConnectionError):
        return None
    first, *rest = head.split("\r\n")
    headers = {name.lower(): value.strip() for name, _, value in (line.partition(":") for line in rest if line)}
    method, target, _ = first.split(" ")
    try:
        body = await reader.readexactly(int(headers.get("content-length", "0")))
    except (asyncio.IncompleteReadError, ConnectionError):
        return None
    return Received(method, target, headers, body, connection)


@asynccontextmanager
async def raw_server(
    answering: Answering, certified: ssl.SSLContext | None = None, at: tuple[str, int] = ("127.0.0.1", 0)
) -> AsyncIterator[Raw]:
    """``certified``: it speaks TLS."""
    raw, tasks = Raw("https" if certified else "http"), set[asyncio.Task[None]]()

    async def converse(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        task = asyncio.current_task()
        assert task is not None
        tasks.add(task)
        raw.connections += 1
        raw.open += 1
        number = raw.connections
        try:
            while (request := await _read(reader, number)) is not None:
                raw.received.append(request)
                answer = await answering(request, writer)
                if answer is None:
                    break
                writer.write(answer)
                await writer.drain()
        except (ConnectionError, asyncio.CancelledError):
            pass
        finally:
            raw.open -= 1
            writer.close()

    server = await asyncio.start_server(converse, *at, ssl=certified)
    raw.port = server.sockets[0].getsockname()[1]
    try:
        yield raw
    finally:
        server.close()
        for task in tasks:
            task.cancel()
        await asyncio.gather(*tasks, return_exceptions=True)


@asynccontextmanager
async def scripted(*answers: bytes | None, certified: ssl.SSLContext | None = None) -> AsyncIterator[Raw]:
    """Answers one after the other, the last one for ever."""
    queue = list(answers)

    async def answering(request: Received, writer: asyncio.StreamWriter) -> bytes | None:
        return queue.pop(0) if len(queue) > 1 else queue[0]

    async with raw_server(answering, certified) as raw:
        yield raw


@asynccontextmanager
async def client(url: str, *, concurrency: int = 4, per_second: float | None = None, **options: Any) -> AsyncIterator[Http]:
    options = {"environment": Impatient(), "writable": True, "budget": Budget(tries=3), **options}
    credentials = Credentials.basic("AC1", SECRET)
    http = Http(Root.parse(url), credentials, rate=Rate(per_second, concurrency), **options)
    try:
        yield http
    finally:
        await http.aclose()


def get(target: str = "/thing", **options: Any) -> Request:
    return Request("GET", target, "GET /thing", **options)


def post(target: str = "/thing", **options: Any) -> Request:
    return Request("POST", target, "POST /thing", content=b"a=1", **options)


async def asked_in_the_step_of_each_write(backend: Backend, below: asyncio.Transport, made: AsyncNetworkStream) -> None:
    """Asserts that nothing runs between the question of ``backend`` and the write of ``made`` to ``below``, its transport; closes it."""
    order: list[str] = []

    async def others() -> None:
        while True:
            order.append("another")
            await asyncio.sleep(0)

    written = below.write
    backend.guard = lambda: order.append("asked")
    below.write = lambda data: (order.append("written"), written(data))  # type: ignore[method-assign,assignment,return-value]
    busy = asyncio.create_task(others())
    for _ in range(5):
        await asyncio.sleep(0)
        await made.write(b"x")
    busy.cancel()
    await made.aclose()
    places = [place for place, what in enumerate(order) if what == "asked"]
    assert len(places) == 5 and all(order[place + 1] == "written" for place in places)


async def noticed_once_the_server_has_closed(certified: ssl.SSLContext | None = None) -> None:
    """Asserts that an unsafe request goes over another connection than the one that ended after the request before."""
    writers: list[asyncio.StreamWriter] = []

    async def answering(request: Received, writer: asyncio.StreamWriter) -> bytes | None:
        writers.append(writer)
        return reply()

    async with raw_server(answering, certified) as server, client(server.url) as http:
        await http.send(get(), lambda answer: answer.body)
        writers[0].close()
        (kept,) = http._transport._idle
        while not kept.has_expired():  # until the end of the stream has arrived
            await asyncio.sleep(0)
        await http.send(post(), lambda answer: answer.body)
        assert kept.is_closed()
    assert [one.connection for one in server.received] == [1, 2]
