"""uvicorn on loopback: gives the application the connection's transport, says when it listens, stops at once."""

from __future__ import annotations

import asyncio
import socket
import threading
from collections.abc import Iterator
from contextlib import contextmanager

import uvicorn
from starlette.types import ASGIApp
from uvicorn.protocols.http.h11_impl import H11Protocol

from syncd.sandbox.delivery import TRANSPORT

HOST = "127.0.0.1"
_PATIENCE = 5.0
"""Seconds that a request being carried out is given to end when the server stops."""


class _Protocol(H11Protocol):
    """Leaves the transport in the ASGI scope's state, for answers that are broken on the wire."""

    def connection_made(self, transport: asyncio.Transport) -> None:  # type: ignore[override]
        super().connection_made(transport)
        self.app_state = self.app_state | {TRANSPORT: transport}


class _Server(uvicorn.Server):
    """A server for one thread: `stop` drops the open connections, waits for what is being carried out, and ends."""

    def __init__(self, app: ASGIApp) -> None:
        config = uvicorn.Config(
            app, http=_Protocol, ws="none", lifespan="off", loop="asyncio", log_config=None, access_log=False, timeout_keep_alive=60
        )
        super().__init__(config)
        self.ready = threading.Event()

    async def startup(self, sockets: list[socket.socket] | None = None) -> None:
        await super().startup(sockets)
        self._loop, self._stopped = asyncio.get_running_loop(), asyncio.Event()
        self.ready.set()

    async def main_loop(self) -> None:
        await self._stopped.wait()

    async def shutdown(self, sockets: list[socket.socket] | None = None) -> None:
        for server in self.servers:
            server.close()
        for connection in list(self.server_state.connections):
            connection.transport.abort()
        if self.server_state.tasks:
            await asyncio.wait(self.server_state.tasks, timeout=_PATIENCE)
        for server in self.servers:
            await server.wait_closed()

    def stop(self) -> None:
        self._loop.call_soon_threadsafe(self._stopped.set)


def _listener(port: int) -> socket.socket:
    """Of protocol TCP by name: asyncio turns off Nagle's algorithm only for such sockets, and with it answers take 40 ms."""
    listener = socket.socket(socket.AF_INET, socket.SOCK_STREAM, socket.IPPROTO_TCP)
    listener.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
    try:
        listener.bind((HOST, port))
    except OSError:
        listener.close()
        raise
    return listener


@contextmanager
def serve(app: ASGIApp, port: int = 0) -> Iterator[str]:
    """Serve ``app`` on loopback in a daemon thread (``port`` 0: a free one) and give its base URL; OSError if the port is taken."""
    with _listener(port) as listener:
        server = _Server(app)
        thread = threading.Thread(target=server.run, args=([listener],), name="sandbox", daemon=True)
        thread.start()
        server.ready.wait()
        try:
            yield f"http://{HOST}:{listener.getsockname()[1]}"
        finally:
            server.stop()
            thread.join()
