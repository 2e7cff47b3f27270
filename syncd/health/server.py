"""uvicorn in the daemon's own loop, on a socket that was bound before anything else began."""

from __future__ import annotations

import asyncio
import errno
import socket
from collections.abc import Callable, Iterator
from contextlib import contextmanager

import uvicorn
from starlette.applications import Starlette
from starlette.requests import Request
from starlette.responses import PlainTextResponse, Response
from starlette.routing import Route

from syncd.errors import SyncdError
from syncd.health.board import Board
from syncd.health.metrics import page

Alive = Callable[[], bool]
Reachable = Callable[[], str]
"""Why the store cannot be reached, "" when it can; called in a thread of its own."""
PROMETHEUS = "text/plain; version=0.0.4; charset=utf-8"


class Unbound(SyncdError):
    """The address cannot be listened on."""


def bind(listen: str) -> socket.socket:
    """A listening socket at HOST:PORT. Raises Unbound with what to do."""
    host, _, port = listen.rpartition(":")
    try:
        family, kind, protocol, _, address = socket.getaddrinfo(host.strip("[]"), int(port), type=socket.SOCK_STREAM)[0]
        made = socket.socket(family, kind, protocol)
    except OSError as error:
        raise Unbound(_told(listen, error)) from None
    try:
        made.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        made.bind(address)
        made.listen()
    except OSError as error:
        made.close()
        raise Unbound(_told(listen, error)) from None
    return made


CURES = {
    errno.EADDRINUSE: "end what listens there (another syncd?), or choose another address",
    errno.EADDRNOTAVAIL: "this machine has no such address: choose one of its own, for example 127.0.0.1",
    errno.EACCES: "choose a port of 1024 or above: lower ones are for those with CAP_NET_BIND_SERVICE",
}


def _told(listen: str, error: OSError) -> str:
    return f"server.listen {listen}: {error.strerror}\n  {CURES.get(error.errno or 0, 'choose another address')}"


def application(board: Board, alive: Alive, reachable: Reachable) -> Starlette:
    """``alive``: the thread that works answers. Nothing here waits for a provider, or for a run."""

    async def livez(request: Request) -> Response:
        return _answer([] if alive() else ["the working thread does not answer"])

    def readyz(request: Request) -> Response:
        config = "config: refused at the last reload; the one before is in use" if board.refused else ""
        store, trouble = reachable(), board.trouble.partition("\n")[0]
        problems = [f"store: {store}" if store else "", f"at rest: {trouble}" if trouble and trouble != store else "", config]
        return _answer([one for one in problems if one])

    def metrics(request: Request) -> Response:
        return Response(page(board), media_type=PROMETHEUS)

    return Starlette(routes=[Route("/livez", livez), Route("/readyz", readyz), Route("/metrics", metrics)])


def _answer(problems: list[str]) -> Response:
    return PlainTextResponse("\n".join(problems or ["ok"]) + "\n", 503 if problems else 200)


class _Server(uvicorn.Server):
    """Signals are the daemon's own; it sleeps until it is told to stop."""

    def __init__(self, app: Starlette) -> None:
        config = uvicorn.Config(
            app, http="h11", ws="none", lifespan="off", log_config=None, access_log=False, date_header=False, timeout_keep_alive=60,
            timeout_graceful_shutdown=1,
        )  # fmt: skip
        super().__init__(config)
        self.stopped = asyncio.Event()

    @contextmanager
    def capture_signals(self) -> Iterator[None]:
        yield

    async def main_loop(self) -> None:
        await self.stopped.wait()


class Health:
    """A server on ``listener``, from `start` to `stop`."""

    def __init__(self, app: Starlette, listener: socket.socket) -> None:
        self._server, self._listener = _Server(app), listener

    def start(self) -> None:
        self._task = asyncio.create_task(self._server.serve(sockets=[self._listener]))

    async def stop(self) -> None:
        """Answers under way are finished, for a second at most."""
        self._server.stopped.set()
        await asyncio.wait([self._task], timeout=2)
        self._listener.close()
