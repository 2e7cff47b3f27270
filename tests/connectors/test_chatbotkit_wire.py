"""What the connector sends means the same as what the vendor's own SDK was recorded to send."""

from __future__ import annotations

import json
from collections.abc import Awaitable, Callable
from pathlib import Path
from typing import Any
from urllib.parse import parse_qsl, urlsplit

import pytest
from chatbotkit_world import change, world
from loopback import Received, raw_server, reply

from syncd.connectors.behind import Place
from syncd.connectors.chatbotkit import ChatBotKitConnector
from syncd.model import Kind, Ref

pytestmark = pytest.mark.anyio
RECORDED = {one["call"]: one for one in json.loads((Path(__file__).parents[1] / "data" / "wire" / "chatbotkit.json").read_text())}


async def answering(request: Received, writer: object) -> bytes:
    if "/token/list" in request.target:
        listed = len([one for one in SEEN if "/token/list" in one.target])
        return reply({"items": [{"id": "t1"}] if listed == 0 else []})
    if "/list" in request.target:
        return reply({"items": []})
    return reply({"id": "t1" if "/token/" in request.target else "u1"})


SEEN: list[Received] = []


async def sent(doing: Callable[[ChatBotKitConnector], Awaitable[Any]]) -> list[dict[str, Any]]:
    SEEN.clear()

    async def noted(request: Received, writer: object) -> bytes:
        answer = await answering(request, writer)
        SEEN.append(request)
        return answer

    async with raw_server(noted) as server, world(base_url=f"{server.url}/v1") as w:
        await doing(w.connector)
        assert all(one.headers["authorization"] == f"Bearer {w.sandbox.chatbotkit.secret}" for one in SEEN)
    return [meaning(one) for one in SEEN]


def meaning(one: Received) -> dict[str, Any]:
    parts = urlsplit(one.target)
    said: dict[str, Any] = {"method": one.method, "path": parts.path.removeprefix("/v1")}
    if parts.query:
        said["query"] = dict(parse_qsl(parts.query))
    if one.body:
        assert one.headers["content-type"] == "application/json"
        said["body"] = json.loads(one.body)
    return said


def recorded(call: str, **query: str) -> dict[str, Any]:
    """``query``: what differs on purpose: another page size, another filter."""
    one = {name: value for name, value in RECORDED[call].items() if name != "call"}
    return one | ({"query": {**one["query"], **query}} if query else {})


async def do(connector: ChatBotKitConnector, kind: Kind, **delta: Any) -> None:
    for step in connector.steps(change(kind, None if kind is Kind.CREATE else "u1", **delta)):
        await connector.perform(step)


async def test_every_request_means_the_same() -> None:
    place = Place(1, 1, ("u2",)).cursor()
    assert recorded("list, next page", take="100") in await sent(lambda one: one.list(place))
    (filtered,) = await sent(lambda one: one.find({"email": "a+b@x.io"}))
    assert filtered["query"] == {"email": recorded("list, filtered")["query"]["email"], "take": "100"}
    (marked,) = await sent(lambda one: one.find({"meta.syncd": "x"}))
    assert marked["query"] == {"meta.syncd": recorded("list, filtered")["query"]["meta.tier"], "take": "100"}
    assert recorded("fetch") in await sent(lambda one: one.fetch(Ref("u1")))
    everything = RECORDED["create"]["body"]
    assert recorded("create") in await sent(lambda one: do(one, Kind.CREATE, **everything))
    assert recorded("update") in await sent(lambda one: do(one, Kind.UPDATE, name="N2", meta__a=1))
    deleted = await sent(lambda one: do(one, Kind.DELETE))
    assert recorded("delete") == deleted[-1]
    assert recorded("delete a token") in deleted
    listing = {**recorded("list tokens"), "query": {"take": "100"}}
    assert deleted[0] == listing, "from the first one each time: those listed before are ended"
