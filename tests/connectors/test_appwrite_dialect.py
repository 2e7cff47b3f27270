"""`dialect: auto`: what the server spoke before is recalled instead of asked for, until an answer contradicts it."""

from __future__ import annotations

import pytest
from appwrite_world import world

from syncd.connectors.base import Speaking
from syncd.errors import Rejected
from syncd.model import Ref

pytestmark = pytest.mark.anyio
FORMAT = "x-appwrite-response-format"


async def test_what_is_recalled_is_not_asked_for() -> None:
    async with world(dialect=None) as w:
        assert isinstance(w.connector, Speaking) and w.connector.language is None
        w.connector.recall("1.6")
        await w.connector.list(None)
        assert w.connector.language == "1.6"
    assert [one.headers.get(FORMAT) for one in w.sent] == ["1.6.0"]


async def test_what_was_asked_for_is_there_to_remember_and_what_is_configured_is_not() -> None:
    async with world(dialect=None) as w:
        await w.connector.list(None)
        assert w.connector.language == "1.8"
    async with world(dialect="1.7") as w:
        w.connector.recall("1.5")
        await w.connector.list(None)
        assert w.connector.language is None
    assert [one.headers.get(FORMAT) for one in w.sent] == ["1.7.0"]


async def test_a_dialect_that_is_known_no_more_is_asked_for() -> None:
    async with world(dialect=None) as w:
        w.connector.recall("0.9")
        await w.connector.list(None)
        assert (len(w.sent), w.connector.language) == (2, "1.8")


async def test_a_server_that_warns_of_a_newer_format_is_asked_again() -> None:
    async with world(dialect=None, sandbox={"users": 1}) as w:
        w.appwrite.version = "1.5.11"
        w.connector.recall("1.8")
        page = await w.connector.list(None)
        assert (len(page.records), w.connector.language) == (1, None)
        await w.connector.list(page.next)
        assert w.connector.language == "1.5"
    assert [one.headers.get(FORMAT) for one in w.sent] == ["1.8.0", None, "1.5.0"]


@pytest.mark.parametrize(("version", "left"), [("1.8.1", None), ("1.6.2", "1.6"), ("1.6.9", "1.6")])
async def test_a_refusal_that_names_another_version_is_a_contradiction(version: str, left: str | None) -> None:
    async with world(dialect=None) as w:
        w.appwrite.version = version
        w.connector.recall("1.6")
        await w.connector.fetch(Ref("nobody"))
        assert w.connector.language == left


async def test_a_refusal_without_a_version_says_nothing_of_it() -> None:
    async with world(dialect=None, sandbox={"faults": ()}) as w:
        w.connector.recall("1.8")
        with pytest.raises(Rejected):
            await w.connector.fetch(Ref("\x00"))
        assert w.connector.language == "1.8"
