"""How an answer goes out on the wire: whole, in drips, cut off, or not at all; the broken ways are real ones, done to the socket itself."""

from __future__ import annotations

import socket
import struct
from asyncio import Transport
from collections.abc import AsyncIterator
from http import HTTPStatus

from starlette.responses import Response, StreamingResponse
from starlette.types import Receive, Scope, Send

from syncd.environment import Environment
from syncd.sandbox.faults import Fault
from syncd.sandbox.message import Answer

TRANSPORT = "transport"
"""Key of the ASGI scope's state under which the server leaves the connection's asyncio transport."""
BROKEN = frozenset({"timeout", "reset", "close", "truncated"})
"""Faults after which the client has no whole answer."""


async def deliver(answer: Answer, fault: Fault | None, environment: Environment, scope: Scope, receive: Receive, send: Send) -> None:
    """Send ``answer`` in the manner of ``fault``; returns when it is sent or the client is gone."""
    kind = fault.kind if fault else ""
    if fault is None or kind not in BROKEN | {"drip"}:
        await Response(answer.body, answer.status, _headers(answer))(scope, receive, send)
    elif kind == "drip":
        await _drip(answer, float(fault.params.get("interval", 0.05)), environment)(scope, receive, send)
    else:
        if kind == "reset":
            _reset(scope["state"][TRANSPORT])
        elif kind == "close":
            scope["state"][TRANSPORT].close()
        elif kind == "truncated":
            _truncate(scope["state"][TRANSPORT], answer, fault)
        await receive()  # the request is read, so all that can still come is http.disconnect (ASGI specification, HTTP)


def _drip(answer: Answer, interval: float, environment: Environment) -> Response:
    async def drops() -> AsyncIterator[bytes]:
        for byte in answer.body:
            yield bytes((byte,))
            await environment.sleep(interval)

    return StreamingResponse(drops(), answer.status, _headers(answer) | {"Content-Length": str(len(answer.body))})


def _headers(answer: Answer) -> dict[str, str]:
    """The media type to the letter: no character set is added to texts."""
    return {"Content-Type": answer.media, **answer.headers}


def _reset(transport: Transport) -> None:
    """Close with RST: a socket that lingers for no time drops the connection instead of ending it (socket(7), SO_LINGER)."""
    transport.get_extra_info("socket").setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
    transport.abort()


def _truncate(transport: Transport, answer: Answer, fault: Fault) -> None:
    """Announce the whole body, send a part, close. An answer without a body becomes a 200 that announces 100 bytes and sends none."""
    sent = answer.body[: int(fault.params.get("bytes", len(answer.body) // 2))]
    status = HTTPStatus(answer.status if answer.body else 200)
    head = f"HTTP/1.1 {status} {status.phrase}\r\nContent-Type: {answer.media}\r\nContent-Length: {len(answer.body) or 100}\r\n\r\n"
    transport.write(head.encode("ascii") + sent)
    transport.close()
