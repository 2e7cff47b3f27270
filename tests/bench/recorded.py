"""A tiny server in a process of its own that asks the sandbox for each page once and then answers from memory, so that nobody waits for it.

Every figure of one run is taken from the same bytes: `Recorded.pages` are the pages in the order in which they were first asked for.
"""

from __future__ import annotations

import asyncio
import subprocess
import sys
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field
from http.client import HTTPConnection
from typing import Any
from urllib.parse import urlsplit

import httpx
import orjson

from tests.bench.served import Served

PAGES, FORGET, LATENCY, HUSH = b"/_pages", b"/_forget", b"/_latency/", b"/_hush/"
NOBODY = b'{"total":0,"users":[]}'


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

    def forget(self) -> None:
        """Every page is asked for again."""
        httpx.get(self.url + FORGET.decode(), trust_env=False)

    def delay(self, seconds: float) -> None:
        """Each answer by so much."""
        httpx.get(f"{self.url}{LATENCY.decode()}{seconds}", trust_env=False)

    def hush(self, hushed: bool) -> None:
        """Every listing of Appwrite's shows nobody, as if nothing had changed; or they are as they were again."""
        httpx.get(f"{self.url}{HUSH.decode()}{int(hushed)}", trust_env=False)

    def download(self, pages: Sequence[str] | None = None) -> int:
        """The bound: every recorded page by a plain httpx client, one after the other, through orjson; how many bytes.

        ``pages``: what `pages` gave, where asking for it is not to be measured.
        """
        return asyncio.run(_download(self.url, self.pages if pages is None else pages))


async def _download(url: str, pages: Sequence[str]) -> int:
    total = 0
    async with httpx.AsyncClient(base_url=url, trust_env=False, verify=False) as client:  # no certificates to load
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


@dataclass
class _Record:
    """``pages``: whole answers by what was asked for. ``latency``: seconds before each answer."""

    upstream: str
    pages: dict[bytes, bytes] = field(default_factory=dict)
    latency: float = 0.0
    hushed: bool = False


class _Connection(asyncio.Protocol):
    """One client; requests have no body, and come one at a time."""

    def __init__(self, record: _Record) -> None:
        self._record, self._received = record, b""

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        assert isinstance(transport, asyncio.Transport)
        self._transport = transport

    def data_received(self, data: bytes) -> None:
        self._received += data
        while b"\r\n\r\n" in self._received:
            head, _, self._received = self._received.partition(b"\r\n\r\n")
            answer = self._answer(head)
            if self._record.latency:
                asyncio.get_running_loop().call_later(self._record.latency, self._transport.write, answer)
            else:
                self._transport.write(answer)

    def _answer(self, head: bytes) -> bytes:
        target = head.split(b" ", 2)[1]
        pages = self._record.pages
        if target == PAGES:
            return _message("200 OK", "application/json", orjson.dumps([page.decode() for page in pages]))
        if target == FORGET:
            pages.clear()
            return _message("200 OK", "text/plain", b"")
        if target.startswith(LATENCY):
            self._record.latency = float(target.removeprefix(LATENCY))
            return _message("200 OK", "text/plain", b"")
        if target.startswith(HUSH):
            self._record.hushed = target.endswith(b"1")
            return _message("200 OK", "text/plain", b"")
        if self._record.hushed and b"queries" in target:
            return _message("200 OK", "application/json", NOBODY)
        return pages.get(target) or self._relayed(target, head)

    def _relayed(self, target: bytes, head: bytes) -> bytes:
        """The sandbox's answer to the very request, so that the addresses in it lead here again; kept when it is a page."""
        headers = dict(line.split(": ", 1) for line in head.decode("latin-1").split("\r\n")[1:])
        upstream = HTTPConnection(urlsplit(self._record.upstream).netloc)
        upstream.request("GET", target.decode(), headers={**headers, "Connection": "close"})
        answer = upstream.getresponse()
        date = answer.headers["date"] or ""
        message = _message(f"{answer.status} {answer.reason}", answer.headers["content-type"], answer.read(), f"Date: {date}\r\n")
        if answer.status == 200:
            self._record.pages[target] = message
        return message


def _message(status: str, kind: str, body: bytes, more: str = "") -> bytes:
    return f"HTTP/1.1 {status}\r\n{more}Content-Type: {kind}\r\nContent-Length: {len(body)}\r\n\r\n".encode() + body


async def _serve(upstream: str) -> None:
    record = _Record(upstream)
    server = await asyncio.get_running_loop().create_server(lambda: _Connection(record), "127.0.0.1", 0)
    print(f"http://127.0.0.1:{server.sockets[0].getsockname()[1]}", flush=True)
    await server.serve_forever()


if __name__ == "__main__":
    asyncio.run(_serve(sys.argv[1]))
