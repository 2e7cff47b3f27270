"""The bytes of one connection over asyncio's own transports: what is written is asked about in the very step that hands it to the system.

Between a question that is asked earlier and the write, other work of this process may run for long, or the process be stopped by a signal,
and go on when another holds its lease. So little time remains here that only a stop within that step is left.
"""

from __future__ import annotations

import asyncio
import ipaddress
import socket
import ssl
from collections.abc import Callable, Iterable, Iterator, Sequence
from contextlib import contextmanager
from typing import Any, cast

import httpcore

MOST = 2**18
"""Bytes that wait to be read before no more are taken from the system."""
NEXT = 0.25
"""Seconds after which the next address of a host is tried beside the one before (RFC 8305, section 5)."""
Guard = Callable[[], None]


def unguarded() -> None:
    """What changes nothing may leave at any time."""


class Stream(asyncio.Protocol, httpcore.AsyncNetworkStream):
    """``guard``: raises when what is to be written must not leave any more."""

    def __init__(self, guard: Callable[[], Guard]) -> None:
        self._guard, self._loop = guard, asyncio.get_running_loop()
        self._transport: asyncio.Transport
        self._buffer, self._ended, self._paused = bytearray(), False, False
        self._lost: Exception | None = None
        self._waiting: asyncio.Future[None] | None = None
        self._room = asyncio.Event()
        self._room.set()

    async def read(self, max_bytes: int, timeout: float | None = None) -> bytes:
        if not self._buffer and not self._ended:
            self._waiting = self._loop.create_future()
            with _translated(httpcore.ReadTimeout, httpcore.ReadError):
                async with asyncio.timeout(timeout):
                    await self._waiting
        if not self._buffer and self._lost is not None:
            raise httpcore.ReadError(str(self._lost)) from self._lost
        found = bytes(self._buffer[:max_bytes])
        del self._buffer[:max_bytes]
        if self._paused and len(self._buffer) < MOST:
            self._paused = False
            self._transport.resume_reading()
        return found

    async def write(self, buffer: bytes, timeout: float | None = None) -> None:
        if not buffer:
            return
        if self._ended or self._transport.is_closing():
            raise httpcore.WriteError(str(self._lost or "the connection was closed"))
        self._guard()()
        self._transport.write(buffer)
        with _translated(httpcore.WriteTimeout, httpcore.WriteError):
            async with asyncio.timeout(timeout):
                await self._room.wait()

    def abort(self) -> None:
        self._transport.abort()

    async def aclose(self) -> None:
        self.abort()
        await asyncio.sleep(0)

    async def start_tls(
        self, ssl_context: ssl.SSLContext, server_hostname: str | None = None, timeout: float | None = None
    ) -> httpcore.AsyncNetworkStream:  # fmt: skip
        try:
            with _translated(httpcore.ConnectTimeout, httpcore.ConnectError):
                async with asyncio.timeout(timeout):
                    made = await self._loop.start_tls(self._transport, self, ssl_context, server_hostname=server_hostname)
        except BaseException:
            await self.aclose()
            raise
        self._transport = cast(asyncio.Transport, made)
        return self

    def get_extra_info(self, info: str) -> Any:
        """``is_readable``: the other side has closed, or spoken without being asked."""
        if info == "is_readable":
            return self._ended or bool(self._buffer)
        return self._transport.get_extra_info({"client_addr": "sockname", "server_addr": "peername"}.get(info, info))

    # ---- asyncio.Protocol --------------------------------------------------------------------------------------------

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        self._transport = cast(asyncio.Transport, transport)

    def data_received(self, data: bytes) -> None:
        self._buffer += data
        if len(self._buffer) >= MOST and not self._paused:
            self._paused = True
            self._transport.pause_reading()
        self._wake()

    def eof_received(self) -> None:
        self._ended = True
        self._wake()

    def connection_lost(self, exc: Exception | None) -> None:
        self._ended, self._lost = True, exc
        self._room.set()
        self._wake()

    def pause_writing(self) -> None:
        self._room.clear()

    def resume_writing(self) -> None:
        self._room.set()

    def _wake(self) -> None:
        if self._waiting is not None and not self._waiting.done():
            self._waiting.set_result(None)


class Backend(httpcore.AsyncNetworkBackend):
    """``guard``: of the request that is under way."""

    def __init__(self) -> None:
        self.guard: Guard = unguarded

    async def connect_tcp(
        self, host: str, port: int, timeout: float | None = None, local_address: str | None = None,
        socket_options: Iterable[Any] | None = None,
    ) -> httpcore.AsyncNetworkStream:  # fmt: skip
        with _translated(httpcore.ConnectTimeout, httpcore.ConnectError):
            async with asyncio.timeout(timeout):
                return await self._first(await _addresses(host, port), port)

    async def _first(self, addresses: Sequence[str], port: int) -> Stream:
        """The one that answers first; each is tried NEXT seconds after the one before, or as soon as that fails (RFC 8305, section 5).

        asyncio's own race loses a socket when it is cancelled in the moment in which that is connected.
        """
        waiting, tried, pending = list(addresses), list[asyncio.Task[Stream]](), set[asyncio.Task[Stream]]()
        first: asyncio.Task[Stream] | None = None
        try:
            while first is None and (waiting or pending):
                if waiting:
                    tried.append(asyncio.create_task(self._to(waiting.pop(0), port)))
                    pending.add(tried[-1])
                done, pending = await asyncio.wait(pending, timeout=NEXT if waiting else None, return_when=asyncio.FIRST_COMPLETED)
                first = next((one for one in done if one.exception() is None), None)
            if first is None:
                raise _all([error for one in tried if (error := one.exception()) is not None])
            return first.result()
        finally:  # and nothing is awaited any more: it might be cancelled there, with a connection in its hands
            for one in tried:
                if one is not first:
                    one.cancel()
                    one.add_done_callback(_left)

    async def _to(self, address: str, port: int) -> Stream:
        _, made = await asyncio.get_running_loop().create_connection(lambda: Stream(lambda: self.guard), address, port)
        return made


def _left(one: asyncio.Task[Stream]) -> None:
    """Nobody wants what it made, if it made anything."""
    if not one.cancelled() and one.exception() is None:
        one.result().abort()


def _all(errors: Sequence[BaseException]) -> BaseException:
    """What is wrong with each address; of one alone as it is."""
    return errors[0] if len(errors) == 1 else OSError("; ".join(map(str, errors)))


async def _addresses(host: str, port: int) -> list[str]:
    """In the order of the system's preference (RFC 6724), but one of each family first."""
    try:
        return [str(ipaddress.ip_address(host))]
    except ValueError:
        found = await asyncio.get_running_loop().getaddrinfo(host, port, type=socket.SOCK_STREAM)
    first = {family: str(address[0]) for family, _, _, _, address in reversed(found)}
    ahead = sorted(first, key=lambda family: next(n for n, one in enumerate(found) if one[0] == family))
    return list(dict.fromkeys([*(first[family] for family in ahead), *(str(one[4][0]) for one in found)]))


@contextmanager
def _translated(late: type[Exception], failed: type[Exception]) -> Iterator[None]:
    try:
        yield
    except TimeoutError as error:
        raise late(str(error)) from error
    except OSError as error:  # ssl.SSLError is one
        raise failed(str(error)) from error
