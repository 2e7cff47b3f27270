"""Providers whose writes answer an id alone: the account is read back, and an id that is none is never sent."""

from __future__ import annotations

import re
from dataclasses import replace

import pytest
from loopback import Impatient, Received, client, raw_server, reply
from test_rest import STANDING, TABLE, change

from syncd.connectors.http import Http
from syncd.connectors.rest import RestConnector
from syncd.connectors.tables import Call, json_body
from syncd.errors import InDoubt, Rejected
from syncd.model import Kind, Ref

pytestmark = pytest.mark.anyio
TERSE = replace(
    TABLE,
    answers_id=True,
    ids=re.compile("[a-z]/[a-z]"),
    delete=Call("POST", "/end/{id}", encoding=json_body, bodied=True, repeatable=True),
)


def connector(http: Http) -> RestConnector:
    return RestConnector(http, TERSE, Impatient())


async def answering(request: Received, writer: object) -> bytes:
    return reply(STANDING if request.target.startswith("/get/") else {"id": "a/b"})


async def test_the_account_is_read_back_after_each_write_but_the_last() -> None:
    async with raw_server(answering) as server, client(server.url) as http:
        one = connector(http)
        for kind in (Kind.CREATE, Kind.UPDATE):
            (step,) = one.steps(change(kind, name="Ada"))
            account = await one.perform(step)
            assert account is not None
            assert account.attributes["meta"] == {"theirs": 1, "ours": 2}
        (step,) = one.steps(change(Kind.DELETE))
        assert await one.perform(step) is None
    assert [(seen.method, seen.target) for seen in server.received] == [
        *(("POST", "/users"), ("POST", "/get/a%2Fb"), ("PATCH", "/users/a%2Fb/name"), ("POST", "/get/a%2Fb"), ("POST", "/end/a%2Fb")),
    ]
    assert (server.received[-1].body, server.received[-1].headers["content-type"]) == (b"{}", "application/json")


@pytest.mark.parametrize("body", [{"id": "c/d"}, {"message": "late failure"}, [], b"x"])
async def test_another_id_or_none_is_no_answer(body: object) -> None:
    async def strange(request: Received, writer: object) -> bytes:
        return reply(body)

    async with raw_server(strange) as server, client(server.url) as http:
        for kind in (Kind.UPDATE, Kind.DELETE):
            (step,) = connector(http).steps(change(kind, **({"name": "Ada"} if kind is Kind.UPDATE else {})))
            with pytest.raises(InDoubt):
                await connector(http).perform(step)
        (step,) = connector(http).steps(change(Kind.CREATE, name="Ada"))
        with pytest.raises(InDoubt):
            await connector(http).perform(step)


async def test_what_is_no_id_is_refused_unsent() -> None:
    async with raw_server(answering) as server, client(server.url) as http:
        for id in ("@x", "A/B", ""):
            with pytest.raises(Rejected, match="is no account id"):
                await connector(http).fetch(Ref(id))
            with pytest.raises(Rejected, match="is no account id"):
                connector(http).steps(replace(change(Kind.DELETE), account=id))
        assert not server.received
