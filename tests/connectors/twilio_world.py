"""A connector and the sandbox it speaks to; whatever the connector sends must satisfy Twilio's own OpenAPI document."""

from __future__ import annotations

import functools
import json
from collections.abc import AsyncIterator, Mapping
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any
from urllib.parse import parse_qsl

from loopback import Impatient
from openapi_core import OpenAPI
from openapi_core.datatypes import RequestParameters
from starlette.types import ASGIApp, Message, Receive, Scope, Send
from werkzeug.datastructures import Headers, ImmutableMultiDict

from syncd.connectors.twilio import TwilioConnector, TwilioOptions
from syncd.model import Account, Change, Cursor, Kind, Page, Rate
from syncd.sandbox import Sandbox, serve
from syncd.sandbox.twilio import Twilio

DOCUMENT = Path(__file__).parents[1] / "data" / "specs" / "twilio_conversations_v1.users.json"


@functools.cache
def official() -> OpenAPI:
    return OpenAPI.from_dict(json.loads(DOCUMENT.read_text()))


class Sent:
    """One request as openapi-core wants to see it."""

    host_url = "https://conversations.twilio.com"

    def __init__(self, scope: Scope, body: bytes) -> None:
        headers = Headers([(name.decode(), value.decode()) for name, value in scope["headers"]])
        self.path, self.method, self.body = scope["raw_path"].decode(), scope["method"].lower(), body or None
        self.query = scope["query_string"].decode()
        self.headers, self.content_type = headers, headers.get("content-type", "")
        query = ImmutableMultiDict(parse_qsl(self.query, keep_blank_values=True))
        self.parameters = RequestParameters(query=query, header=headers, cookie=ImmutableMultiDict(), path={})

    @property
    def form(self) -> dict[str, str]:
        return dict(parse_qsl((self.body or b"").decode(), keep_blank_values=True, strict_parsing=True))


@dataclass
class Recorder:
    """Notes each request on its way to ``app``."""

    app: ASGIApp
    sent: list[Sent] = field(default_factory=list)

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        messages: list[Message] = [await receive()]
        while messages[-1].get("more_body"):
            messages.append(await receive())
        self.sent.append(Sent(scope, b"".join(one.get("body", b"") for one in messages)))

        async def again() -> Message:
            return messages.pop(0) if messages else await receive()

        await self.app(scope, again, send)


@dataclass
class World:
    sandbox: Sandbox
    connector: TwilioConnector
    recorder: Recorder
    environment: Impatient

    @property
    def sent(self) -> list[Sent]:
        return self.recorder.sent

    @property
    def writes(self) -> list[Sent]:
        return [one for one in self.sent if one.method != "get"]

    async def walk(self) -> list[Page]:
        """Every page, as the engine asks for them."""
        pages: list[Page] = []
        cursor: Cursor | None = None
        while not pages or cursor is not None:
            pages.append(await self.connector.list(cursor))
            cursor = pages[-1].next
        return pages

    async def do(self, change: Change) -> Account | None:
        """All steps of a change; the last answer."""
        answer = None
        for step in self.connector.steps(change):
            answer = await self.connector.perform(step)
        return answer


def change(kind: Kind, account: str | None = None, /, **delta: Any) -> Change:
    """``attributes__team=(before, after)`` stands for the path ``attributes.team``; a bare value has no before."""
    pairs = {path.replace("__", "."): value if isinstance(value, tuple) else (None, value) for path, value in delta.items()}
    return Change("c1", "chat", kind, "identity-1", "ada@corp.example", account, pairs, "test")


def options(url: str, **more: Any) -> TwilioOptions:
    given = {"base_url": url, "account_sid": Twilio.account_sid, "auth_token": Twilio.auth_token, **more}
    return TwilioOptions.model_validate({name: value for name, value in given.items() if value is not None})


@asynccontextmanager
async def world(
    *, writable: bool = True, sandbox: Mapping[str, Any] | None = None, environment: Impatient | None = None, **more: Any
) -> AsyncIterator[World]:
    """``more``: connector options; ``sandbox``: sandbox options."""
    emulated = Sandbox(**(sandbox or {}))
    recorder, clock = Recorder(emulated), environment or Impatient()
    with serve(recorder) as url:
        connector = TwilioConnector(options(url, **more), environment=clock, rate=Rate(), writable=writable)
        try:
            yield World(emulated, connector, recorder, clock)
        finally:
            await connector.aclose()
    for one in recorder.sent:
        official().validate_request(one)  # type: ignore[arg-type]
