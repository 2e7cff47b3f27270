"""Connections to one origin, the last one used taken first: what is cold stays idle, expires and is closed.

httpcore's own pool costs more with every connection and loses slots for good when requests are cancelled; this list holds only idle
connections, so there is nothing to lose. How many requests run at once is the caller's business.
"""

from __future__ import annotations

import functools
import os
import ssl
from collections.abc import AsyncIterator
from typing import Any
from urllib.request import getproxies_environment, proxy_bypass

import httpcore
import httpx

from syncd.connectors.stream import Backend, unguarded

IDLE_SECONDS = 4.0
"""Shorter than the 5 s after which common servers close a kept connection."""
_ERRORS: dict[type[Exception], type[httpx.TransportError]] = {
    httpcore.ConnectTimeout: httpx.ConnectTimeout,
    httpcore.ConnectError: httpx.ConnectError,
    httpcore.TimeoutException: httpx.ReadTimeout,
    httpcore.NetworkError: httpx.ReadError,
    httpcore.LocalProtocolError: httpx.LocalProtocolError,
    httpcore.ProtocolError: httpx.RemoteProtocolError,
}
FRESH = "syncd.fresh"
"""Request extension: True = do not use a kept connection."""
GUARD = "syncd.guard"
"""Request extension: asked before each write of the request (see `stream`)."""


class Line(httpcore.AsyncHTTPConnection):
    """A connection whose writes are guarded by the request under way."""

    def __init__(self, origin: httpcore.Origin, trusted: ssl.SSLContext | None) -> None:
        self.door = Backend()
        super().__init__(origin, trusted, IDLE_SECONDS, network_backend=self.door)


class Untrusted(httpx.ConnectError):
    """Whoever answers does not prove who they are; to ask again at once changes nothing."""


@functools.cache
def _ssl_context() -> ssl.SSLContext:
    """One for the process: loading the certificate authorities takes milliseconds and megabytes.

    Those of SSL_CERT_FILE or SSL_CERT_DIR, else those that Mozilla trusts. Raises Untrusted where what these name cannot be read.
    """
    try:
        return httpx.create_ssl_context()
    except OSError as error:  # ssl.SSLError is one
        name = "SSL_CERT_FILE" if os.environ.get("SSL_CERT_FILE") else "SSL_CERT_DIR"
        raise Untrusted(f"{name} names {os.environ.get(name)}, which holds no certificates that can be read: {error.strerror}") from None


def _translated(error: Exception) -> httpx.TransportError:
    cause: BaseException = error
    while cause.__cause__ is not None:
        cause = cause.__cause__
    if isinstance(cause, ssl.SSLCertVerificationError):
        return Untrusted(_refused(cause))
    kind = next((ours for theirs, ours in _ERRORS.items() if isinstance(error, theirs)), httpx.ReadError)
    return kind(_reason(cause) or str(error) or type(error).__name__)


def _reason(cause: BaseException) -> str:
    """What the operating system said ("Connection refused"), if it did."""
    return os.strerror(cause.errno) if isinstance(cause, ConnectionError) and cause.errno else ""


_CURES = {
    9: "compare this machine's clock with its beginning",
    10: "it has to be renewed there; or is this machine's clock wrong?",
    62: "`base_url` has to say a name that it was made for",
    64: "`base_url` has to say an address or a name that it was made for",
}
"""By the code of the failure (OpenSSL, X509_V_ERR_*)."""
_OWN = "if the authority is your own: SSL_CERT_FILE=FILE, the certificates (PEM) of all that syncd is to trust"


def _refused(error: ssl.SSLCertVerificationError) -> str:
    return f"its certificate is refused: {error.verify_message.rstrip('.')}; {_CURES.get(error.verify_code, _OWN)}"


def detour(origin: httpx.URL) -> str:
    """What to tell whom it surprises that ``origin`` cannot be reached; nothing where the environment names no proxy for it."""
    if origin.scheme != "https" or "https" not in getproxies_environment() or proxy_bypass(origin.host):
        return ""
    return "; HTTPS_PROXY is set, but syncd asks no proxy: it has to reach the host itself"


class Transport(httpx.AsyncBaseTransport):
    """HTTP/1.1 to ``origin`` and nowhere else. Raises httpx.TransportError, and OSError from a broken TLS stream."""

    def __init__(self, origin: httpx.URL) -> None:
        self._origin = httpcore.Origin(origin.raw_scheme, origin.raw_host, origin.port or (443 if origin.scheme == "https" else 80))
        self._target = httpcore.URL(scheme=origin.raw_scheme, host=origin.raw_host, port=origin.port, target=b"/")
        self._idle: list[Line] = []

    async def handle_async_request(self, request: httpx.Request) -> httpx.Response:
        url = request.url
        if (url.raw_scheme, url.raw_host, url.port) != (self._target.scheme, self._target.host, self._target.port):
            raise httpx.UnsupportedProtocol(f"this transport speaks to {self._origin} only")
        connection = await self._take(fresh=bool(request.extensions.get(FRESH)))
        connection.door.guard = request.extensions.get(GUARD, unguarded)
        try:
            answer = await connection.handle_async_request(self._wire(request))
        except (httpcore.NetworkError, httpcore.ProtocolError, httpcore.TimeoutException) as error:
            raise _translated(error) from error
        return httpx.Response(answer.status, headers=answer.headers, stream=_Body(self, connection, answer), extensions=answer.extensions)

    def _wire(self, request: httpx.Request) -> httpcore.Request:
        extensions: dict[str, Any] = {"target": request.url.raw_path, **request.extensions}
        return httpcore.Request(request.method, self._target, headers=request.headers.raw, content=request.stream, extensions=extensions)

    async def _take(self, fresh: bool) -> Line:
        while self._idle and not fresh:
            connection = self._idle.pop()
            if not connection.has_expired():
                return connection
            await connection.aclose()
        return Line(self._origin, _ssl_context() if self._origin.scheme == b"https" else None)

    async def give_back(self, connection: Line) -> None:
        """Keep it if it may be used again; close those that grew cold at the other end of the list."""
        if connection.is_idle():
            self._idle.append(connection)
        else:
            await connection.aclose()
        while self._idle and self._idle[0].has_expired():
            await self._idle.pop(0).aclose()

    async def aclose(self) -> None:
        while self._idle:
            await self._idle.pop().aclose()


class _Body(httpx.AsyncByteStream):
    """The answer's bytes; closing it returns the connection, read to its end or not."""

    def __init__(self, transport: Transport, connection: Line, answer: httpcore.Response) -> None:
        self._transport, self._connection, self._answer = transport, connection, answer

    async def __aiter__(self) -> AsyncIterator[bytes]:
        try:
            async for part in self._answer.aiter_stream():
                yield part
        except (httpcore.NetworkError, httpcore.ProtocolError, httpcore.TimeoutException) as error:
            raise _translated(error) from error

    async def aclose(self) -> None:
        try:
            await self._answer.aclose()
        finally:
            await self._transport.give_back(self._connection)
