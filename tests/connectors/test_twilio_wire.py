"""What the connector sends means the same as what the vendor's own SDK was recorded to send."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any
from urllib.parse import parse_qsl, unquote

import pytest
from twilio_world import Sent, World, change, world

from syncd.connectors.twilio import PAGE_SIZE
from syncd.model import Kind

pytestmark = pytest.mark.anyio
RECORDED = {one.pop("call"): one for one in json.loads((Path(__file__).parents[1] / "data" / "wire" / "twilio.json").read_text())}


def meaning(one: Sent) -> dict[str, Any]:
    """Method, path and what is said; a form only where there is one."""
    said: dict[str, Any] = {"method": one.method.upper(), "path": one.path}
    if one.query:
        said["query"] = dict(parse_qsl(one.query))
    if "x-twilio-webhook-enabled" in one.headers:
        said["headers"] = {"x-twilio-webhook-enabled": one.headers["x-twilio-webhook-enabled"]}
    if one.body:
        assert one.content_type == "application/x-www-form-urlencoded"
        said["form"] = one.form
    assert one.headers["authorization"].startswith("Basic ")
    return said


def recorded(call: str, path: str | None = None) -> dict[str, Any]:
    return RECORDED[call] | ({"path": path} if path else {})


def last(w: World) -> dict[str, Any]:
    return meaning(w.sent[-1])


async def test_reading_means_the_same() -> None:
    async with world() as w:
        await w.connector.list(None)
        assert last(w) == {**recorded("list"), "query": {"PageSize": str(PAGE_SIZE)}}, "pages of another size"
        await w.connector.find({"identity": "a b/c?d#e@f"})
        path = last(w)["path"]
        assert path == "/v1/Users/a%20b%2Fc%3Fd%23e%40f"
        assert unquote(path).startswith(unquote(recorded("fetch")["path"])), "the SDK leaves an identity as it is and loses what follows #"


async def test_writing_means_the_same() -> None:
    async with world(webhooks=True) as w:
        account = await w.do(change(Kind.CREATE, identity="A@b.c", friendly_name="Zoë", attributes__k=1))
        assert account is not None
        assert last(w) == recorded("create")
    async with world() as w:
        sid = str(w.sandbox.twilio.service().create("a", "Zoë", '{"k":1}')["sid"])
        await w.do(change(Kind.UPDATE, sid, friendly_name=("Zoë", None), attributes__k=(1, None)))
        assert last(w) == recorded("update", f"/v1/Users/{sid}")
        await w.do(change(Kind.DELETE, sid))
        assert last(w) == recorded("delete", f"/v1/Users/{sid}")
