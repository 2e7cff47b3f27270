"""The one HTTP client: what leaves, to whom, how fast, how long, how often, and what its answer means.

For each request, in this order: the dry-run door, a slot, a turn at the rate gate, one total deadline, the permit in the step of each
write, a size cap, the translation of the answer. What was never processed (429, connect refused) is tried again; what may have been is
tried again only if that is harmless or the same as once, else it is InDoubt; and so is a write that was tried again in vain.

httpx's client is not used, only its models over a transport of our own that is bound to one origin: there are no redirects, cookies,
proxies from the environment or logged URLs to switch off, and credentials have no other host to go to.
"""

from __future__ import annotations

import asyncio
import base64
import logging
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any, TypeVar

import httpx

from syncd.connectors.answer import Answer, Problem, check_json, problem, refusal
from syncd.connectors.base import Permit, granted
from syncd.connectors.body import ACCEPT_ENCODING, collect
from syncd.connectors.pacing import Gate
from syncd.connectors.retry import Ambiguous, Budget, Malformed, Patience
from syncd.connectors.transport import FRESH, GUARD, Transport, Untrusted, detour
from syncd.connectors.url import Root
from syncd.environment import Environment
from syncd.errors import InDoubt, Quarantined, Rejected, Retryable, SyncdError
from syncd.model import Meter, Rate
from syncd.redaction import Redactor

T = TypeVar("T")
SAFE = frozenset({"GET", "HEAD"})
EARLY = 6
"""Requests at once until the provider has shown that it takes them, where its limit is unknown: all that are under way are refused when
the limit is first met."""
WIDER = 100
"""Requests the provider must take for each further one at once."""
for _name in ("httpx", "httpcore"):  # httpx logs every URL at INFO, and URLs hold identities
    logging.getLogger(_name).setLevel(logging.WARNING)


@dataclass(frozen=True, slots=True)
class Request:
    """One request as it leaves. ``target``: path and query, percent-encoded. ``label`` names it in errors: no id, no secret.

    ``reads``: changes nothing although its method may. ``repeatable``: sending it twice ends as sending it once.
    """

    method: str
    target: str
    label: str
    content: bytes | None = None
    headers: Mapping[str, str] = field(default_factory=dict)
    success: frozenset[int] = frozenset({200})
    reads: bool = False
    repeatable: bool = False

    @property
    def harmless(self) -> bool:
        return self.method in SAFE or self.reads


@dataclass(frozen=True, slots=True)
class Credentials:
    """Headers that prove who asks, and every value in them that must never be shown."""

    headers: Mapping[str, str]
    secrets: Sequence[str]

    def __post_init__(self) -> None:
        """Raises ValueError here, where the value is not quoted: the HTTP library would quote it."""
        if not all(value.isascii() and value.isprintable() for value in self.headers.values()):
            raise ValueError("credentials hold a character that an HTTP header cannot carry")

    @classmethod
    def basic(cls, user: str, password: str) -> Credentials:
        """RFC 7617."""
        pair = f"{user}:{password}"
        return cls({"Authorization": "Basic " + base64.b64encode(pair.encode()).decode()}, (password, pair))

    @classmethod
    def bearer(cls, token: str) -> Credentials:
        """RFC 6750."""
        return cls({"Authorization": f"Bearer {token}"}, (token,))


class _Attempt:
    """What became of one sending: whether a new connection was dialled, whether the first byte left, and the answer's status."""

    def __init__(self) -> None:
        self.dialled = self.sent = False
        self.status = "none"

    async def trace(self, event: str, info: dict[str, Any]) -> None:
        """httpcore's trace extension."""
        if event == "http11.send_request_headers.started":
            self.sent = True
        elif event == "connection.connect_tcp.started":
            self.dialled = True


class Http:
    """One connection's client. `send` raises the errors of syncd.errors only; secrets are masked in all of them."""

    def __init__(
        self,
        root: Root,
        credentials: Credentials,
        *,
        environment: Environment,
        rate: Rate,
        writable: bool,
        deadline: float = 30.0,
        cap: int = 64 * 2**20,
        budget: Budget | None = None,
        explain: Callable[[Answer], Problem] = problem,
    ) -> None:
        self.root, self.meter, self.gate = root, Meter(), Gate(environment, rate.per_second)
        self.permit: Permit = granted
        self._environment, self._writable, self._explain = environment, writable, explain
        self._deadline, self._cap, self._budget = deadline, cap, budget or Budget()
        self._redact = Redactor(credentials.secrets)
        early = rate.concurrency if rate.per_second else min(EARLY, rate.concurrency)
        self._slots, self._closed, self._taken = asyncio.Semaphore(early), rate.concurrency - early, 0
        self._origin = httpx.URL(root.origin)
        self._transport = Transport(self._origin)
        self._headers = {"Accept": "application/json", "Accept-Encoding": ACCEPT_ENCODING, "User-Agent": "syncd", **credentials.headers}

    async def aclose(self) -> None:
        await self._transport.aclose()

    async def send(self, request: Request, decode: Callable[[Answer], T]) -> T:
        """What ``decode`` makes of the answer; it raises Malformed for an answer that is not what the provider documents.

        Raises Rejected (also for a write through the dry-run door, before any byte leaves), Quarantined, InDoubt, Retryable.
        """
        if not (self._writable or request.harmless):
            raise Rejected(f"{request.label}: not sent, this run changes nothing at the provider", "read_only")
        patience, fresh, doubtful = Patience(self._environment, self._budget), False, False
        while True:
            try:
                return await self._attempt(request, decode, fresh)
            except Ambiguous as error:
                if not (request.harmless or request.repeatable):
                    raise InDoubt(f"{error}; it may or may not have taken effect") from error
                doubtful = not request.harmless
                stale, failure = error.stale and not fresh, Retryable(str(error), error.after)
            except Retryable as error:
                stale, failure = False, error
            except Quarantined as error:
                if doubtful:
                    raise InDoubt(f"{request.label}: an earlier try may have taken effect; {error}") from error
                raise
            fresh = fresh or stale
            vain = self._environment.ending or isinstance(failure.__cause__, Untrusted)
            wait = None if vain else 0.0 if stale else patience.wait(failure.after)
            if wait is None:
                raise InDoubt(f"{failure}; it may or may not have taken effect") if doubtful else failure
            await self._environment.sleep(wait)

    async def _attempt(self, request: Request, decode: Callable[[Answer], T], fresh: bool) -> T:
        async with self._slots:
            episode = await self.gate.enter(self._budget.seconds)
            answer = await self._exchange(request, fresh)
        if answer.status in request.success:
            self._took(episode)
            return self._decoded(request, answer, decode)
        error = refusal(request.label, answer, self._explain, self._redact, self._environment.now())
        if isinstance(error, Retryable):
            self.meter.throttled += 1
            self.gate.refused(episode, error.after)
        else:
            self._took(episode)
        raise error

    def _took(self, episode: int) -> None:
        """One more was not too many."""
        self.gate.accepted(episode)
        self._taken += 1
        if self._closed and self._taken % WIDER == 0:
            self._closed -= 1
            self._slots.release()

    def _decoded(self, request: Request, answer: Answer, decode: Callable[[Answer], T]) -> T:
        try:
            check_json(answer)
            return decode(answer)
        except Malformed as error:
            raise Ambiguous(self._redact(f"{request.label}: {error}")) from None

    async def _exchange(self, request: Request, fresh: bool) -> Answer:
        """One request on the wire within the deadline. Raises Retryable when nothing left, else Ambiguous."""
        attempt, began = _Attempt(), self._environment.monotonic()
        try:
            async with asyncio.timeout(self._deadline):
                return await self._on_the_wire(request, attempt, fresh)
        except Malformed as error:
            raise Ambiguous(f"{request.label}: {error}") from None
        except Quarantined:  # by the permit, before its last byte left: nothing can be done with a part of it
            attempt.sent = False
            raise
        except (httpx.TransportError, OSError) as error:
            raise self._broken(request, attempt, error) from error
        finally:
            if attempt.sent:
                self._count(self._environment.monotonic() - began, attempt.status)

    async def _on_the_wire(self, request: Request, attempt: _Attempt, fresh: bool) -> Answer:
        extensions: dict[str, Any] = {"trace": attempt.trace, "target": request.target.encode("ascii"), FRESH: fresh}
        if not request.harmless:
            extensions[GUARD] = self.permit
        outgoing = httpx.Request(
            request.method, self._origin, headers={**self._headers, **request.headers}, content=request.content, extensions=extensions
        )
        response = await self._transport.handle_async_request(outgoing)
        try:
            attempt.dialled = True  # an answer began: whatever fails now, the connection was alive
            body = await collect(response.aiter_raw(), response.headers.get("content-encoding", ""), self._cap)
        finally:
            await response.aclose()
        attempt.status = str(response.status_code)
        return Answer(response.status_code, response.headers, body)

    def _broken(self, request: Request, attempt: _Attempt, error: Exception) -> SyncdError:
        late = isinstance(error, TimeoutError)
        reason = f"no complete answer within {self._deadline:g} s" if late else self._redact(str(error) or type(error).__name__)
        if isinstance(error, Untrusted):
            return Retryable(f"{request.label}: {self.root.origin} is not trusted: {reason}")
        if not attempt.sent:
            return Retryable(f"{request.label}: {self.root.origin} cannot be reached: {reason}{detour(self._origin)}")
        return Ambiguous(f"{request.label}: {reason}", stale=not (attempt.dialled or late))

    def _count(self, seconds: float, status: str) -> None:
        meter = self.meter
        meter.requests += 1
        meter.statuses[status] = meter.statuses.get(status, 0) + 1
        meter.seconds += (seconds - meter.seconds) / meter.requests
