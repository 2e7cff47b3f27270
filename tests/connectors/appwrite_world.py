"""An Appwrite connector and the sandbox it speaks to; whatever the connector sends must satisfy Appwrite's own OpenAPI document."""

from __future__ import annotations

import functools
import json
from collections.abc import AsyncIterator, Mapping
from contextlib import asynccontextmanager
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any
from urllib.parse import parse_qsl

from loopback import Impatient
from openapi_core import OpenAPI
from twilio_world import Recorder, Sent

from syncd.connectors.appwrite import AppwriteConnector, AppwriteOptions
from syncd.environment import Environment
from syncd.model import LEAVING, Account, Change, Cursor, Kind, Page, Rate, Watermark
from syncd.sandbox import Sandbox, serve
from syncd.sandbox.appwrite import Appwrite
from syncd.sandbox.appwrite_project import Project

DOCUMENT = Path(__file__).parents[1] / "data" / "specs" / "appwrite_server.users.json"
IDENTITY = "0f8fad5b-d9cb-569f-a165-70867728950e"
MARKER = f"prod:{IDENTITY}"


class Still(Environment):
    """A provider's clock that stands still until it is moved."""

    def __init__(self) -> None:
        super().__init__(seed=1)
        self.seconds = 0.0

    def now(self) -> datetime:
        return datetime(2026, 1, 1, 12, tzinfo=UTC) + timedelta(seconds=self.seconds)

    def monotonic(self) -> float:
        return self.seconds


@functools.cache
def official() -> OpenAPI:
    return OpenAPI.from_dict(json.loads(DOCUMENT.read_text()))


class AppwriteSent(Sent):
    host_url = "https://cloud.appwrite.io"

    @property
    def json(self) -> Any:
        return json.loads(self.body) if self.body else None

    @property
    def line(self) -> str:
        return f"{self.method} {self.path.removeprefix('/v1')}"

    @property
    def queries(self) -> list[dict[str, Any]]:
        return [json.loads(value) for name, value in parse_qsl(self.query) if name.startswith("queries")]


@dataclass
class World:
    sandbox: Sandbox
    connector: AppwriteConnector
    recorder: Recorder
    environment: Impatient

    @property
    def appwrite(self) -> Appwrite:
        return self.sandbox.appwrite

    @property
    def project(self) -> Project:
        return self.sandbox.appwrite.project

    @property
    def sent(self) -> list[AppwriteSent]:
        return [as_sent(one) for one in self.recorder.sent]

    @property
    def lines(self) -> list[str]:
        return [one.line for one in self.sent]

    @property
    def writes(self) -> list[AppwriteSent]:
        return [one for one in self.sent if one.method != "get"]

    async def walk(self, since: Watermark | None = None) -> list[Page]:
        """Every page, as the engine asks for them; 50 are enough for any listing here."""
        pages: list[Page] = []
        cursor: Cursor | None = None
        while (not pages or cursor is not None) and len(pages) < 50:
            pages.append(await self.connector.list(cursor, since))
            cursor = pages[-1].next
        return pages

    def ids(self, pages: list[Page]) -> list[str]:
        return [self.connector.parse(record).id for page in pages for record in page.records]

    async def do(self, change: Change) -> list[Account | None]:
        """All steps of a change; their answers."""
        return [await self.connector.perform(step) for step in self.connector.steps(change)]


def as_sent(one: Sent) -> AppwriteSent:
    one.__class__ = AppwriteSent
    assert isinstance(one, AppwriteSent)
    return one


def change(kind: Kind, account: str | None = None, /, **delta: Any) -> Change:
    """``prefs__team=(before, after)`` stands for the path ``prefs.team``; a bare value has no before. ``id`` stands for ``$id``. Sessions
    of leavers are to end."""
    pairs = {path.replace("__", "."): value if isinstance(value, tuple) else (None, value) for path, value in delta.items()}
    if "id" in pairs:
        pairs["$id"] = pairs.pop("id")
    return Change("c1", "app", kind, IDENTITY, "ada@corp.example", account, pairs, "test", revoke=kind in LEAVING)


def options(url: str, **more: Any) -> AppwriteOptions:
    given = {"base_url": f"{url}/v1", "project": Appwrite.project_id, "api_key": Appwrite.api_key, "dialect": "1.8", **more}
    return AppwriteOptions.model_validate({name: value for name, value in given.items() if value is not None})


@asynccontextmanager
async def world(
    *, writable: bool = True, sandbox: Mapping[str, Any] | None = None, environment: Impatient | None = None, **more: Any
) -> AsyncIterator[World]:
    """``more``: connector options; ``sandbox``: sandbox options."""
    clock = environment or Impatient()
    emulated = Sandbox(**(sandbox or {}))
    recorder = Recorder(emulated)
    with serve(recorder) as url:
        connector = AppwriteConnector(options(url, **more), environment=clock, rate=Rate(), writable=writable)
        try:
            yield World(emulated, connector, recorder, clock)
        finally:
            await connector.aclose()
    for one in map(as_sent, recorder.sent):
        if one.json == {"email": ""}:
            continue  # clears the e-mail: the server's own validator lets it pass (allowEmpty), its document does not
        official().validate_request(one)  # type: ignore[arg-type]
