"""The general verbs on a table that Twilio does not need: JSON bodies, several requests a change, reads by POST, values normalised."""

from __future__ import annotations

import json
from dataclasses import replace
from typing import Any

import pytest
from loopback import Impatient, Received, client, raw_server, reply
from test_records import SPECS

from syncd.connectors.http import Http
from syncd.connectors.rest import RestConnector
from syncd.connectors.tables import Call, Listing, NextUrl, Table, form, json_body
from syncd.errors import Rejected
from syncd.model import Account, AttributeSpec, Capability, Change, Kind, Mutability

pytestmark = pytest.mark.anyio
EMAIL = AttributeSpec("email", normalize=str.lower, limit=12)
SERIAL = AttributeSpec("serial", mutability=Mutability.READ_ONLY)
ALL = ("name", "active", "labels", "meta", "email")
TABLE = Table(
    capability=Capability(attributes={one.name: one for one in [*SPECS, EMAIL, SERIAL]}, key="name"),
    id="id",
    listing=Listing(Call("GET", "/users"), "users", NextUrl("meta", "next", "token")),
    fetch=Call("POST", "/get/{id}", reads=True),
    create=Call("POST", "/users", {name: name for name in ALL}, json_body),
    updates=(
        Call("PATCH", "/users/{id}/name", {"name": "name"}, json_body, repeatable=True),
        Call("PUT", "/users/{id}/rest", {name: f"new_{name}" for name in ALL[1:]}, json_body, repeatable=True),
    ),
    delete=Call("DELETE", "/users/{id}", repeatable=True),
)
STANDING = {"id": "a/b", "name": "Ada", "meta": {"theirs": 1, "ours": 2}}


def connector(http: Http) -> RestConnector:
    return RestConnector(http, TABLE, Impatient())


def change(kind: Kind, **delta: Any) -> Change:
    pairs = {path.replace("__", "."): (None, value) for path, value in delta.items()}
    return Change("1", "x", kind, "i", "ada", "a/b", pairs, "")


async def standing(request: Received, writer: object) -> bytes:
    return reply(STANDING)


async def test_a_change_becomes_a_step_for_each_request_it_needs() -> None:
    async with raw_server(standing) as server, client(server.url + "/v1") as http:
        asked = change(Kind.UPDATE, active=False, name="Ada", labels=["x"], meta__ours=None, email="A@B")
        steps = connector(http).steps(asked)
        assert [(one.n, one.method, one.path) for one in steps] == [(1, "PATCH", "/users/a%2Fb/name"), (2, "PUT", "/users/a%2Fb/rest")]
        assert not any(one.creates for one in steps)
        for step in steps:
            account = await connector(http).perform(step)
            assert isinstance(account, Account)
    name, read, rest = server.received
    assert (name.target, json.loads(name.body)) == ("/v1/users/a%2Fb/name", {"name": "Ada"})
    assert (read.method, read.target) == ("POST", "/v1/get/a%2Fb")
    assert json.loads(rest.body) == {"new_active": False, "new_labels": ["x"], "new_meta": {"theirs": 1}, "new_email": "a@b"}
    assert rest.headers["content-type"] == "application/json"


async def test_reading_by_post_passes_the_dry_run_door_and_writing_does_not() -> None:
    async with raw_server(standing) as server, client(server.url, writable=False) as http:
        (step,) = connector(http).steps(change(Kind.UPDATE, meta__ours=3))
        with pytest.raises(Rejected, match="not sent"):
            await connector(http).perform(step)
    assert [one.target for one in server.received] == ["/get/a%2Fb"]


async def test_no_value_is_null_in_json_and_limits_hold_after_normalising() -> None:
    async with raw_server(standing) as server, client(server.url) as http:
        (step,) = connector(http).steps(change(Kind.UPDATE, active=None, meta=None))
        await connector(http).perform(step)
        (step,) = connector(http).steps(change(Kind.UPDATE, email="x" * 13))
        with pytest.raises(Rejected, match="email would have 13 characters, the provider keeps at most 12"):
            await connector(http).perform(step)
    assert [json.loads(one.body) for one in server.received] == [{"new_active": None, "new_meta": {}}]


async def test_a_page_whose_next_is_no_address_is_asked_for_again() -> None:
    pages = [{"users": [], "meta": {"next": 7}}, {"users": [], "meta": []}, {"users": [STANDING], "meta": {}}]

    async def answering(request: Received, writer: object) -> bytes:
        return reply(pages[len(server.received) - 1])

    async with raw_server(answering) as server, client(server.url) as http:
        page = await connector(http).list(None)
    assert page.complete
    assert [json.loads(one) for one in page.records] == [STANDING]


async def test_a_place_met_in_an_earlier_listing_is_no_loop() -> None:
    tokens = ["a", None, "b", "a", None]

    async def answering(request: Received, writer: object) -> bytes:
        token = tokens[len(server.received) - 1]
        address = f"{server.url}/users?token={token}" if token else None
        return reply({"users": [STANDING], "meta": {"next": address}})

    async with raw_server(answering) as server, client(server.url) as http:
        walker, met = connector(http), []
        for pages in (2, 3):
            cursor = None
            for _ in range(pages):
                page = await walker.list(cursor)
                cursor = page.next
                met.append((page.complete, page.defect))
    assert met == [(False, ""), (True, ""), (False, ""), (False, ""), (True, "")]


async def test_more_pages_than_anybody_believes_are_a_defect() -> None:
    async def answering(request: Received, writer: object) -> bytes:
        n = len(server.received)
        return reply({"users": [{**STANDING, "id": str(n)}], "meta": {"next": f"{server.url}/users?token={n}"}})

    async with raw_server(answering) as server, client(server.url) as http:
        patient = RestConnector(http, replace(TABLE, listing=replace(TABLE.listing, pages=30)), Impatient())
        cursor, pages = None, []
        while not pages or cursor:
            pages.append(await patient.list(cursor))
            cursor = pages[-1].next
    assert len(pages) == 30
    assert "does not end after 30 pages and 30 records" in pages[-1].defect
    assert not pages[-1].complete


def test_a_form_holds_text_and_objects_as_json() -> None:
    assert form({"a": None, "b": "é&", "c": True, "d": {"z": 1, "a": "ü"}}) == (
        b"a=&b=%C3%A9%26&c=true&d=%7B%22a%22%3A%22%C3%BC%22%2C%22z%22%3A1%7D",
        "application/x-www-form-urlencoded",
    )
