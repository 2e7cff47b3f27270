"""The way of one request through an emulated provider: admitted or refused, delayed, carried out, spoilt by a fault, answered."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace
from email.utils import format_datetime
from functools import partial
from typing import Protocol

from starlette.requests import ClientDisconnect
from starlette.routing import Route, Router
from starlette.types import ASGIApp, Receive, Scope, Send

from syncd.environment import Environment
from syncd.sandbox.delivery import BROKEN, deliver
from syncd.sandbox.faults import Fault, FaultPlan
from syncd.sandbox.journal import Journal, RequestRecord
from syncd.sandbox.message import Answer, Call, Shape
from syncd.sandbox.spoil import spoil


class Provider(Protocol):
    """What a provider adds to the gateway. ``routes``: path template -> method -> operation (list, fetch, create, update, delete)."""

    routes: Mapping[str, Mapping[str, str]]
    shape: Shape
    journal: Journal

    def answer(self, operation: str, call: Call, fault: Fault | None) -> Answer:
        """Carry a request out. ``fault`` matters to listings only."""
        ...

    def refusal(self, status: int, call: Call) -> Answer:
        """The provider's own error for a status."""
        ...

    def continues(self, call: Call) -> bool:
        """Whether the request asks for a further page of a listing."""
        ...

    def headers(self, concurrent: int) -> dict[str, str]:
        """Headers that every answer bears; ``concurrent``: requests in flight, this one included."""
        ...


class Traffic:
    """How much a provider takes, and how slowly. All may be changed while it runs.

    ``latency``: seconds before a request is carried out. ``per_second``: sustained rate, with ``burst`` seconds' worth at once (the
    generic cell rate algorithm). ``concurrency``: requests in flight. What exceeds them is refused with 429 and not carried out.
    """

    def __init__(self, environment: Environment, latency: float, per_second: float | None, concurrency: int | None, burst: float) -> None:
        self.latency, self.per_second, self.concurrency, self.burst = latency, per_second, concurrency, burst
        self.inside = 0
        self._environment, self._due = environment, 0.0

    def admits(self) -> bool:
        if self.concurrency is not None and self.inside >= self.concurrency:
            return False
        if self.per_second is None:
            return True
        now = self._environment.monotonic()
        due = max(self._due, now)
        if due - now > self.burst:
            return False
        self._due = due + 1 / self.per_second
        return True


class Gateway:
    """One provider as an ASGI application."""

    def __init__(self, provider: Provider, environment: Environment, traffic: Traffic, faults: FaultPlan) -> None:
        self.provider, self.environment, self.traffic, self.faults = provider, environment, traffic, faults
        resources = [Route(path, _Resource(self, operations)) for path, operations in provider.routes.items()]
        self.router = Router(resources, redirect_slashes=False, default=_Resource(self, {}, 404))

    @classmethod
    def of(cls, provider: Provider, environment: Environment, faults: FaultPlan) -> Gateway:
        """Of a provider that takes whatever comes, at once."""
        return cls(provider, environment, Traffic(environment, 0.0, None, None, 1.0), faults)

    async def process(self, operation: str, call: Call, scope: Scope, receive: Receive, send: Send) -> None:
        admitted = self.traffic.admits()
        self.traffic.inside += admitted
        try:
            if self.traffic.latency:
                await self.environment.sleep(self.traffic.latency)
            fault = self.faults.take(operation, self.provider.continues(call)) if admitted else None
            answer = self._outcome(operation, call, fault) if admitted else self.provider.refusal(429, call)
            answer.headers |= self.provider.headers(self.traffic.inside)
        finally:
            self.traffic.inside -= admitted
        await self.reply(operation, call, answer, fault, scope, receive, send)
        if fault is not None and fault.when == "late":
            self.provider.answer(operation, call, fault)

    def _outcome(self, operation: str, call: Call, fault: Fault | None) -> Answer:
        if fault is None:
            return self.provider.answer(operation, call, None)
        answer = self.provider.answer(operation, call, fault) if fault.commits else Answer(0)
        return spoil(answer, fault, call, self.provider.shape, partial(self.provider.refusal, call=call))

    async def reply(
        self, operation: str, call: Call, answer: Answer, fault: Fault | None, scope: Scope, receive: Receive, send: Send
    ) -> None:
        """Note the request, then answer it: whoever has the answer finds the note."""
        status = 0 if fault is not None and fault.kind in BROKEN else answer.status
        self.provider.journal.requests.append(RequestRecord(call.method, call.path, status, operation, call.query_text))
        dated = replace(answer, headers={"Date": format_datetime(self.environment.now(), usegmt=True), **answer.headers})
        await deliver(dated, fault, self.environment, scope, receive, send)


def application(router: Router) -> ASGIApp:
    """Routes by the path as sent: an encoded slash belongs to an id."""

    async def routed(scope: Scope, receive: Receive, send: Send) -> None:
        await router({**scope, "path": scope["raw_path"].decode("latin-1")}, receive, send)

    return routed


class _Resource:
    """What stands at one path: its operation by method; any other method, or any method at no path of ours, is refused."""

    def __init__(self, gateway: Gateway, operations: Mapping[str, str], otherwise: int = 405) -> None:
        self.gateway, self.operations, self.otherwise = gateway, operations, otherwise

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        try:
            call = await Call.read(scope, receive)
        except ClientDisconnect:
            return
        operation = self.operations.get(call.method)
        if operation is not None:
            await self.gateway.process(operation, call, scope, receive, send)
        else:
            refusal = self.gateway.provider.refusal(self.otherwise, call)
            await self.gateway.reply("", call, refusal, None, scope, receive, send)
