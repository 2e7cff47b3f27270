"""What the connector sends means the same as what the vendor's own SDK was recorded to send."""

from __future__ import annotations

import json
from dataclasses import replace
from pathlib import Path
from typing import Any
from urllib.parse import parse_qsl

import pytest
from appwrite_world import AppwriteSent, World, change, world

from syncd.connectors.appwrite_listing import Place
from syncd.model import Kind, Watermark

pytestmark = pytest.mark.anyio
RECORDED = {one.pop("call"): one for one in json.loads((Path(__file__).parents[1] / "data" / "wire" / "appwrite.json").read_text())}


def meaning(one: AppwriteSent) -> dict[str, Any]:
    """Method, path and what is said; an empty body says nothing."""
    asked = dict(parse_qsl(one.query))
    assert all(name in one.headers for name in ("x-appwrite-project", "x-appwrite-key", "x-appwrite-response-format"))
    said: dict[str, Any] = {"method": one.method.upper(), "path": one.path.removeprefix("/v1")}
    if one.query:
        said |= {"queries": one.queries, "total": asked["total"]}
        assert [name for name in asked if name.startswith("queries")] == [f"queries[{n}]" for n in range(len(one.queries))]
    if one.json:
        assert one.content_type == "application/json"
        said["body"] = one.json
    return said


def recorded(call: str) -> dict[str, Any]:
    return {name: value for name, value in RECORDED[call].items() if value}


def sent(w: World) -> list[dict[str, Any]]:
    return [meaning(one) for one in w.sent]


async def test_listing_means_the_same() -> None:
    changed, ordered, limited, behind = RECORDED["list changes"]["queries"]
    async with world() as w:
        w.project.create("abc")
        await w.connector.list(None, Watermark("2026-01-01T00:10:00.000+00:00"))
        await w.connector.list(Place(1, 1, ("abc",)).cursor())
    delta, further = sent(w)
    assert delta == recorded("list changes") | {"queries": [changed, ordered, limited]}, "from ten minutes before; values lead, not users"
    assert further == recorded("list changes") | {"queries": [limited, behind]}, "in the order of creation"


async def test_creating_means_the_same() -> None:
    async with world() as w:
        await w.do(change(Kind.CREATE, id="abc", email="a@b.co", name="n"))
    (made,) = sent(w)
    body = recorded("create")["body"]
    assert body.pop("password"), "ours have none"
    assert made == recorded("create") | {"body": body | {"userId": "abc"}}, "an id of our own"


async def test_changing_and_deleting_mean_the_same() -> None:
    async with world() as w:
        w.project.create("abc")
        await w.do(change(Kind.UPDATE, "abc", status=(True, False), labels=([], ["vip"]), prefs__k=(None, 1)))
        await w.do(replace(change(Kind.DELETE, "abc"), revoke=False))
        found = [one for one in sent(w) if one["method"] != "GET"]
    wanted = [recorded(call) for call in ("status", "labels", "prefs", "delete")]
    assert sorted(found, key=str) == sorted(wanted, key=str)
