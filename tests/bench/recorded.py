"""A tiny server in a process of its own that asks the sandbox for each page once and then answers from memory, so that nobody waits for it.

Every figure of one run is taken from the same bytes: `Recorded.pages` are the pages in the order in which they were first asked for.
"""

from __future__ import annotations

import asyncio
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from http.client import HTTPConnection
from typing import Any
from urllib.parse import urlsplit

import httpx
import orjson

from tests.bench.served import Served

PAGES = b"/_pages"


@dataclass(frozen=True)
class Recorded:
    """Where the recording of what ``sandbox`` answers is served."""

    url: str
    sandbox: Served

    @property
    def source(self) -> dict[str, Any]:
        """The connection that points here, as the only source."""
        given = {name: value for name, value in self.sandbox.target.items() if name != "write"}
        return {**given, "base_url": self.sandbox.url.replace(self.sandbox.origin, self.url), "authoritative": True}

    @property
    def target(self) -> dict[str, Any]:
        """The connection that points here, as a target where nobody is entitled."""
        return {**self.source, "authoritative": False, "write": {"scope": "false"}}

    @property
    def pages(self) -> list[str]:
        """Path and query of each recorded page."""
        found: list[str] = orjson.loads(httpx.get(self.url + PAGES.decode(), trust_env=False).content)
        return found

    def download(self) -> int:
        """The bound: every recorded page by a plain httpx client, one after the other, through orjson; how many bytes."""
        return asyncio.run(_download(self.url, self.pages))


async def _download(url: str, pages: list[str]) -> int:
    total = 0
    async with httpx.AsyncClient(base_url=url, trust_env=False) as client:
        for target in pages:
            body = (await client.get(target)).content
            orjson.loads(body)
            total += len(body)
    return total


@contextmanager
def recorded(sandbox: Served) -> Iterator[Recorded]:
    """In front of ``sandbox``."""
    process = subprocess.Popen([sys.executable, "-m", "tests.bench.recorded", sandbox.origin], stdout=subprocess.PIPE, text=True)
    assert process.stdout is not None
    try:
        yield Recorded(process.stdout.readline().strip(), sandbox)
    finally:
        process.terminate()
        process.wait(30)
        process.stdout.close()


class _Connection(asyncio.Protocol):
    """One client; requests have no body, and come one at a time."""

    def __init__(self, upstream: str, pages: dict[bytes, bytes]) -> None:
        self._upstream, self._pages, self._received = upstream, pages, b""

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        assert isinstance(transport, asyncio.Transport)
        self._transport = transport

    def data_received(self, data: bytes) -> None:
        self._received += data
        while b"\r\n\r\n" in self._received:
            head, _, self._received = self._received.partition(b"\r\n\r\n")
            self._transport.write(self._answer(head))

    def _answer(self, head: bytes) -> bytes:
        target = head.split(b" ", 2)[1]
        if target == PAGES:
            return _message("200 OK", "application/json", orjson.dumps([page.decode() for page in self._pages]))
        return self._pages.get(target) or self._relayed(target, head)

    def _relayed(self, target: bytes, head: bytes) -> bytes:
        """The sandbox's answer to the very request, so that the addresses in it lead here again; kept when it is a page."""
        headers = dict(line.split(": ", 1) for line in head.decode("latin-1").split("\r\n")[1:])
        upstream = HTTPConnection(urlsplit(self._upstream).netloc)
        upstream.request("GET", target.decode(), headers={**headers, "Connection": "close"})
        answer = upstream.getresponse()
        message = _message(f"{answer.status} {answer.reason}", answer.headers["content-type"], answer.read())
        if answer.status == 200:
            self._pages[target] = message
        return message


def _message(status: str, kind: str, body: bytes) -> bytes:
    return f"HTTP/1.1 {status}\r\nContent-Type: {kind}\r\nContent-Length: {len(body)}\r\n\r\n".encode() + body


async def _serve(upstream: str) -> None:
    pages: dict[bytes, bytes] = {}
    server = await asyncio.get_running_loop().create_server(lambda: _Connection(upstream, pages), "127.0.0.1", 0)
    print(f"http://127.0.0.1:{server.sockets[0].getsockname()[1]}", flush=True)
    await server.serve_forever()


if __name__ == "__main__":
    asyncio.run(_serve(sys.argv[1]))
