"""A Waii connector and the sandbox it speaks to; what the connector sends must mean what the vendor's SDKs were recorded to send."""

from __future__ import annotations

import functools
import json
from collections.abc import AsyncIterator, Mapping
from contextlib import asynccontextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from loopback import Impatient, Received, raw_server, reply
from twilio_world import Recorder, Sent

from syncd.connectors.waii import WaiiConnector, WaiiOptions
from syncd.model import LEAVING, USER, Account, Change, Cursor, Kind, Page, Rate
from syncd.sandbox import Sandbox, serve
from syncd.sandbox.waii import Waii
from syncd.sandbox.waii_tree import ADMIN, HOME, Tree

RECORDED = Path(__file__).parents[1] / "data" / "waii_requests.json"
"""Bodies that waii-sdk-py 1.30.0 and waii-sdk-js 1.28.3-beta.16 sent to a server that only took them down."""
MARKER = "prod:0f8fad5b-d9cb-569f-a165-70867728950e"
_CONTEXT = {"tags", "parameters", "scope"}
"""What one SDK says and the other does not."""


@functools.cache
def shapes() -> Mapping[str, tuple[frozenset[str], frozenset[str]]]:
    """Operation -> the members that every SDK sends, and those that some do; of an enveloped object as ``user.id``."""
    found: dict[str, list[frozenset[str]]] = {}
    for one in json.loads(RECORDED.read_text()):
        found.setdefault(one["operation"], []).append(frozenset(_paths(one["body"])) - _CONTEXT)
    return {name: (frozenset.intersection(*every), frozenset().union(*every)) for name, every in found.items()}


def _paths(body: Mapping[str, Any]) -> list[str]:
    objects = ("user", "tenant", "organization")
    inner = [f"{name}.{member}" for name in objects if isinstance(body.get(name), dict) for member in body[name]]
    return [*body, *inner]


class WaiiSent(Sent):
    @property
    def json(self) -> dict[str, Any]:
        found: dict[str, Any] = json.loads(self.body or b"null")
        return found

    @property
    def operation(self) -> str:
        return self.path.removeprefix("/api/")

    def check(self) -> None:
        """A POST of JSON with the caller's empty context, and the members that the recorded bodies have."""
        assert (self.method, self.content_type, self.query) == ("post", "application/json", "")
        assert self.headers["authorization"].startswith("Bearer ")
        assert (self.json["org_id"], self.json["user_id"]) == ("", "")
        always, ever = shapes()[self.operation]
        assert always <= set(_paths(self.json)) <= ever, self.json


@dataclass
class World:
    sandbox: Sandbox
    connector: WaiiConnector
    recorder: Recorder
    environment: Impatient

    @property
    def waii(self) -> Waii:
        return self.sandbox.waii

    @property
    def tree(self) -> Tree:
        return self.sandbox.waii.tree

    @property
    def sent(self) -> list[WaiiSent]:
        return [as_sent(one) for one in self.recorder.sent]

    @property
    def operations(self) -> list[str]:
        return [one.operation for one in self.sent]

    @property
    def writes(self) -> list[tuple[str, dict[str, Any]]]:
        """(operation, body without the caller's context) of what was not a read."""
        reads = ("list-", "get-")
        return [
            (one.operation, {name: value for name, value in one.json.items() if name not in ("org_id", "user_id")})
            for one in self.sent if not one.operation.startswith(reads)
        ]  # fmt: skip

    async def walk(self) -> list[Page]:
        """Every page, as the engine asks for them; 50 are enough for any listing here."""
        pages: list[Page] = []
        cursor: Cursor | None = None
        while (not pages or cursor is not None) and len(pages) < 50:
            pages.append(await self.connector.list(cursor))
            cursor = pages[-1].next
        return pages

    def accounts(self, pages: list[Page], object: str = USER) -> list[Account]:
        return [self.connector.parse(record, object) for page in pages if page.object == object for record in page.records]

    async def do(self, change: Change) -> list[Account | None]:
        """All steps of a change; their answers."""
        return [await self.connector.perform(step) for step in self.connector.steps(change)]


def as_sent(one: Sent) -> WaiiSent:
    one.__class__ = WaiiSent
    assert isinstance(one, WaiiSent)
    return one


def change(
    kind: Kind, account: str | None = None, /, object: str = USER, document: Any = None, revoke: bool | None = None, **delta: Any
) -> Change:
    """``variables__team=(before, after)`` stands for the path ``variables.team``; a bare value has no before. Keys of leavers end."""
    revoke = kind in LEAVING and object == USER if revoke is None else revoke
    pairs = {path.replace("__", "."): value if isinstance(value, tuple) else (None, value) for path, value in delta.items()}
    return Change(
        "c1", "sql", kind, MARKER.removeprefix("prod:"), "ada@x.co", account, pairs, "test", document, object=object, revoke=revoke
    )


def options(url: str, **more: Any) -> WaiiOptions:
    return WaiiOptions.model_validate({"base_url": f"{url}/api/", "api_key": Waii.api_key, **more})


@asynccontextmanager
async def world(*, writable: bool = True, sandbox: Mapping[str, Any] | None = None, **more: Any) -> AsyncIterator[World]:
    """``more``: connector options; ``sandbox``: sandbox options."""
    clock, emulated = Impatient(), Sandbox(**(sandbox or {}))
    recorder = Recorder(emulated)
    with serve(recorder) as url:
        connector = WaiiConnector(options(url, **more), environment=clock, rate=Rate(), writable=writable)
        try:
            yield World(emulated, connector, recorder, clock)
        finally:
            await connector.aclose()
    for one in recorder.sent:
        as_sent(one).check()


@asynccontextmanager
async def answered(**answers: Any) -> AsyncIterator[World]:
    """A world whose provider answers each operation (``list_users`` for list-users) so, and any other with an empty object."""
    known = {"get-user-info": {"id": "me", "roles": ["waii-admin-user"], "permissions": []}, "list-orgs": {"organizations": [{"id": "o"}]}}
    known |= {name.replace("_", "-"): answer for name, answer in answers.items()}

    async def answering(request: Received, writer: object) -> bytes:
        return reply(known.get(request.target.removeprefix("/api/"), {}))

    async with raw_server(answering) as server, world(base_url=f"{server.url}/api/") as w:
        yield w


__all__ = ["ADMIN", "HOME", "MARKER", "World", "answered", "change", "options", "world"]
