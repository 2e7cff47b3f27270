"""The keys of a ChatBotKit connection: what is refused and why, what binds it, and what `check` finds."""

from __future__ import annotations

import re
from datetime import timedelta

import pytest
from chatbotkit_world import options, world
from loopback import Impatient, reply, scripted
from pydantic import ValidationError

from syncd.connectors.chatbotkit import ChatBotKitConnector, ChatBotKitOptions
from syncd.connectors.chatbotkit_table import CAPABILITY
from syncd.environment import Environment
from syncd.model import Mutability, Rate, Ref

pytestmark = pytest.mark.anyio


def test_the_least_one_must_say() -> None:
    one = ChatBotKitOptions.model_validate({"secret": "s3cret-value"})
    assert one.binding() == {"root": "https://api.chatbotkit.com/v1"}
    assert one.model_copy(update={"account": "north"}).binding() == {"root": "https://api.chatbotkit.com/v1", "account": "north"}
    assert one.collection == "partner/user"
    assert one.capability() is CAPABILITY
    assert "s3cret-value" not in repr(one)


@pytest.mark.parametrize(
    ("given", "reason"),
    [
        ({"secret": None}, "secret"),
        ({"secret": ""}, "secret"),
        ({"collection": "users"}, "collection"),
        ({"base_url": "http://api.example/v1"}, "base_url plain http is only for loopback"),
        ({"base_url": "https://u:p@host"}, "base_url must hold no user name"),
        ({"colour": "red"}, "colour"),
    ],
)
def test_what_is_refused(given: dict[str, object], reason: str) -> None:
    with pytest.raises(ValidationError, match=f"(?s){reason}") as caught:
        ChatBotKitOptions.model_validate({"secret": "s3cret-value", **given})
    assert "s3cret-value" not in str(caught.value)


def test_what_chatbotkit_can_do() -> None:
    assert (CAPABILITY.key, CAPABILITY.marker, CAPABILITY.switch, CAPABILITY.own_ids) == (None, "meta.syncd", None, False)
    assert (CAPABILITY.gone, CAPABILITY.delta, CAPABILITY.marked_late) == (True, True, False)
    assert [name for name, spec in CAPABILITY.attributes.items() if spec.trusted] == ["email", "meta"]
    alias = CAPABILITY.attributes["alias"]
    assert (alias.mutability, alias.volatile, alias.carried) == (Mutability.WRITE_ONLY, True, False)
    assert CAPABILITY.write_defaults == {"name": "displayName", "email": "email", "image": "photo", "meta.externalId": "externalId"}
    assert CAPABILITY.read_defaults == {"displayName": "name", "email": "email", "photo": "image", "externalId": "meta.externalId"}


async def test_both_names_of_the_collection_and_both_roots() -> None:
    for base, collection, path in (("/v1", "user", "/v1/user/c1/fetch"), ("/api/v1", "partner/user", "/api/v1/partner/user/c1/fetch")):
        async with world() as w:
            connector = ChatBotKitConnector(
                options("", base_url=w.connector._http.root.origin + base, collection=collection),
                environment=Impatient(), rate=Rate(), writable=False,
            )  # fmt: skip
            await connector.fetch(Ref("c1"))
            await connector.aclose()
        assert w.sent[0].path == path


async def test_check_finds_a_healthy_connection() -> None:
    async with world(sandbox={"users": 3}, writable=False) as w:
        health = await w.connector.check()
    assert (health.ok, health.permissions, health.problems) == (True, {"read": True}, ())
    assert [one.query for one in w.sent] == ["take=1"]


@pytest.mark.parametrize(("collection", "other"), [("partner/user", "user"), ("user", "partner/user")])
async def test_check_names_the_other_collection(collection: str, other: str) -> None:
    async with world(collection=collection) as w:
        w.sandbox.chatbotkit.collections = frozenset({other})
        health = await w.connector.check()
    assert not health.ok
    assert health.problems[0].endswith(f"check base_url, which ends in /v1 or /api/v1, or say `collection: {other}`")
    for refused in (reply({"message": "Method not allowed", "code": "METHOD_NOT_ALLOWED"}, 405), reply(b"<html>", 404)):
        async with scripted(refused) as server, world(base_url=f"{server.url}/v1", collection=collection) as w:
            assert f"say `collection: {other}`" in (await w.connector.check()).problems[0]


@pytest.mark.parametrize(
    ("more", "faults", "problem"),
    [
        ({"secret": "wrong"}, "", "NOT_AUTHENTICATED.*check the secret"),
        ({}, "403@list", "NOT_AUTHORIZED.*the parent account's"),
        ({}, "400@list", "BAD_REQUEST. Bad request$"),
        ({}, "500@list:*", "GENERIC_ERROR"),
        ({}, "html@list:*", "text/html"),
        ({}, "error_body@list:*", "no page with 'items'"),
        ({}, "empty@list:*", "."),
    ],
)
async def test_check_names_the_problem(more: dict[str, str], faults: str, problem: str) -> None:
    async with world(sandbox={"faults": faults}, **more) as w:
        health = await w.connector.check()
    assert not health.ok
    assert len(health.problems) == 1
    assert re.search(problem, health.problems[0])


async def test_check_finds_that_nobody_listens() -> None:
    async with scripted(b"") as server:
        url = server.url
    connector = ChatBotKitConnector(options(url), environment=Impatient(), rate=Rate(), writable=False)
    health = await connector.check()
    assert not health.ok
    assert "cannot be reached" in health.problems[0]


class Elsewhen(Impatient):
    def __init__(self, offset: timedelta) -> None:
        super().__init__()
        self.offset = offset

    def now(self):  # type: ignore[no-untyped-def]
        return Environment.now(self) + self.offset


@pytest.mark.parametrize(("minutes", "said"), [(6, "ahead of"), (-6, "behind"), (4, "")])
async def test_check_finds_a_wrong_clock(minutes: int, said: str) -> None:
    async with world(environment=Elsewhen(timedelta(minutes=minutes))) as w:
        health = await w.connector.check()
    assert health.ok is (said == "")
    assert said in " ".join(health.problems)
