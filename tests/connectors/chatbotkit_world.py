"""A ChatBotKit connector and the sandbox it speaks to; whatever the connector sends must satisfy ChatBotKit's own OpenAPI document."""

from __future__ import annotations

import functools
import json
from collections.abc import AsyncIterator, Mapping
from contextlib import asynccontextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any
from urllib.parse import parse_qsl

from loopback import Impatient
from openapi_core import OpenAPI
from twilio_world import Recorder, Sent

from syncd.connectors.behind import Behind
from syncd.connectors.chatbotkit import ChatBotKitConnector, ChatBotKitOptions
from syncd.connectors.chatbotkit_table import table
from syncd.model import LEAVING, Account, Change, Cursor, Kind, Page, Rate, Watermark
from syncd.sandbox import Sandbox, serve
from syncd.sandbox.chatbotkit import ChatBotKit
from syncd.sandbox.chatbotkit_parent import Parent

DOCUMENT = Path(__file__).parents[1] / "data" / "specs" / "chatbotkit_partner.users.json"
IDENTITY = "0f8fad5b-d9cb-569f-a165-70867728950e"
MARKER = f"prod:{IDENTITY}"


@functools.cache
def official() -> OpenAPI:
    return OpenAPI.from_dict(json.loads(DOCUMENT.read_text()))


class ChatBotKitSent(Sent):
    host_url = "https://api.chatbotkit.com"

    @property
    def json(self) -> Any:
        return json.loads(self.body) if self.body else None

    @property
    def line(self) -> str:
        return f"{self.method} {self.path.removeprefix('/v1/partner/user')}"

    @property
    def asked(self) -> dict[str, str]:
        return dict(parse_qsl(self.query, keep_blank_values=True))


@dataclass
class World:
    sandbox: Sandbox
    connector: ChatBotKitConnector
    recorder: Recorder
    environment: Impatient

    @property
    def parent(self) -> Parent:
        return self.sandbox.chatbotkit.parent

    @property
    def ids(self) -> list[str]:
        return list(self.parent.users)

    @property
    def sent(self) -> list[ChatBotKitSent]:
        return [as_sent(one) for one in self.recorder.sent]

    @property
    def lines(self) -> list[str]:
        return [one.line for one in self.sent]

    @property
    def writes(self) -> list[ChatBotKitSent]:
        return [one for one in self.sent if one.method != "get"]

    async def walk(self, since: Watermark | None = None) -> list[Page]:
        """Every page, as the engine asks for them; 50 are enough for any listing here."""
        pages: list[Page] = []
        cursor: Cursor | None = None
        while (not pages or cursor is not None) and len(pages) < 50:
            pages.append(await self.connector.list(cursor, since))
            cursor = pages[-1].next
        return pages

    def shown(self, *pages: Page) -> list[str]:
        return [self.connector.parse(record).id for page in pages for record in page.records]

    async def do(self, change: Change) -> list[Account | None]:
        """All steps of a change; their answers."""
        return [await self.connector.perform(step) for step in self.connector.steps(change)]

    def small_pages(self, size: int) -> None:
        """The sandbox gives no more than ``size`` at once, and the connector knows."""
        page, walk = self.parent.page, self.connector._walk
        self.parent.page = lambda asked: page(asked)[:size]  # type: ignore[method-assign]
        self.connector._walk = Behind(walk._ask, walk._there, "id", size)


def as_sent(one: Sent) -> ChatBotKitSent:
    one.__class__ = ChatBotKitSent
    assert isinstance(one, ChatBotKitSent)
    return one


def change(
    kind: Kind, account: str | None = None, /, *, document: Mapping[str, Any] | None = None, revoke: bool = True, **delta: Any
) -> Change:  # fmt: skip
    """``meta__team=(before, after)`` stands for the path ``meta.team``; a bare value has no before. ``revoke``: tokens of leavers end."""
    pairs = {path.replace("__", "."): value if isinstance(value, tuple) else (None, value) for path, value in delta.items()}
    return Change("c1", "bots", kind, IDENTITY, "ada@corp.example", account, pairs, "test", document, revoke=revoke and kind in LEAVING)


def options(url: str, **more: Any) -> ChatBotKitOptions:
    given = {"base_url": f"{url}/v1", "secret": ChatBotKit.secret, **more}
    return ChatBotKitOptions.model_validate({name: value for name, value in given.items() if value is not None})


@asynccontextmanager
async def world(
    *, writable: bool = True, sandbox: Mapping[str, Any] | None = None, environment: Impatient | None = None, **more: Any
) -> AsyncIterator[World]:
    """``more``: connector options; ``sandbox``: sandbox options."""
    clock = environment or Impatient()
    emulated = Sandbox(**(sandbox or {}))
    recorder = Recorder(emulated)
    with serve(recorder) as url:
        connector = ChatBotKitConnector(options(url, **more), environment=clock, rate=Rate(), writable=writable)
        try:
            yield World(emulated, connector, recorder, clock)
        finally:
            await connector.aclose()
    fields = set(table("x").create.fields)
    for one in map(as_sent, recorder.sent):
        assert set(one.json or {}) <= fields, "only what the provider knows is ever sent"
        if one.path.startswith("/v1/partner/") and not (one.json and one.json.get("limits", ...) is None):
            official().validate_request(one)  # type: ignore[arg-type]
