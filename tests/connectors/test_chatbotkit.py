"""Reading single ChatBotKit users: exact look-ups, honest absences, refusals that stop the connection, both kinds of 429."""

from __future__ import annotations

import pytest
from chatbotkit_world import MARKER, change, options, world
from loopback import Impatient, reply, scripted

from syncd.connectors.chatbotkit import ChatBotKitConnector
from syncd.errors import InDoubt, Quarantined, Rejected, Retryable
from syncd.model import Account, Gone, Kind, Rate, Ref, Unknown

pytestmark = pytest.mark.anyio
PACE = {"message": "You have exceeded your allocated rate limits: rate/poll", "code": "LIMITS_REACHED"}
QUOTA = {"message": "You have exceeded your allocated database limits: database/user", "code": "LIMITS_REACHED"}
LATE = {"message": "late failure", "code": "GENERIC_ERROR"}


async def test_fetch() -> None:
    async with world() as w:
        id = w.parent.create({"name": "Ada", "email": "ada@x.co", "description": "D", "alias": "ada", "meta": {"a": {"b": 1}, "#h": 2}}).id
        account = await w.connector.fetch(Ref(id))
        assert isinstance(account, Account)
        assert account.attributes == {
            "id": id, "name": "Ada", "image": None, "email": "ada@x.co", "limits": None, "meta": {"a": {"b": 1}},
            "description": "D",
        }  # fmt: skip
        assert isinstance(await w.connector.fetch(Ref("cnobody")), Gone)
        assert w.sent[0].headers["authorization"] == f"Bearer {w.sandbox.chatbotkit.secret}"


async def test_the_description_is_listed() -> None:
    async with world() as w:
        w.parent.create({"description": "D"})
        (record,) = (await w.connector.list(None)).records
        assert w.connector.parse(record).attributes["description"] == "D"
        assert "alias" not in w.connector.parse(record).attributes


async def test_tokens_and_what_is_not_declared_are_never_kept() -> None:
    async with world() as w:
        account = w.connector.parse(b'{"id":"c1","token":"sk-1","alias":"a","createdAt":1,"updatedAt":2,"name":"Ada","secret":"s"}')
    assert account.attributes == {"id": "c1", "name": "Ada"}


async def test_a_404_that_does_not_speak_of_the_user_proves_nothing() -> None:
    async with world(sandbox={"faults": "html@fetch;status=404"}) as w:
        assert isinstance(await w.connector.fetch(Ref("c1")), Unknown)


async def test_a_refused_secret_or_another_parents_user_is_never_gone() -> None:
    async with world(secret="wrong") as w:
        for asking in (
            w.connector.fetch(Ref("c1")),
            w.connector.find({"email": "ada@x.co"}),
            w.connector.list(None),
            w.do(change(Kind.DELETE, "c1")),
            w.do(change(Kind.CREATE, name="Ada")),
        ):
            with pytest.raises(Quarantined, match="NOT_AUTHENTICATED"):
                await asking
        assert len(w.parent) == 0
    async with world() as w:
        with pytest.raises(Quarantined, match="NOT_AUTHORIZED"):
            await w.connector.fetch(Ref(next(iter(w.parent.elsewhere))))


async def test_find_is_exact_to_the_letter() -> None:
    async with world(sandbox={"users": 120}) as w:
        id = w.parent.create({"name": "Ada", "email": "Ada+1@x.co", "meta": {"syncd": MARKER}}).id
        for keys, found in (
            ({"meta.syncd": MARKER}, True), ({"meta.syncd": MARKER.upper()}, False), ({"meta.syncd": MARKER, "email": "x@x.co"}, True),
            ({"email": "Ada+1@x.co"}, True), ({"email": "nobody@x.co"}, False), ({"name": "Ada"}, False), ({}, False),
        ):  # fmt: skip
            assert [one.id for one in await w.connector.find(keys)] == [id] * found, keys
    assert w.sent[0].query == f"meta.syncd={MARKER.replace(':', '%3A')}&take=100"


async def test_a_filter_that_is_not_heeded_proves_nobody_absent() -> None:
    for page in ({"items": [{"id": "c2", "meta": {"syncd": "prod:2"}}]}, {"items": [{"id": "c2"}]}, {"items": ["c2"]}):
        async with scripted(reply(page)) as server, world(base_url=f"{server.url}/v1") as w:
            with pytest.raises(Rejected, match="other users than those"):
                await w.connector.find({"meta.syncd": MARKER})


@pytest.mark.parametrize("id", ["@ada", "@@ada", "(Ada)", "a/b", "..", "", "a b", "a?x", "-a", "é", "a" * 65])
async def test_ids_that_address_others_are_refused_unsent(id: str) -> None:
    async with world() as w:
        with pytest.raises(Rejected, match="no account id"):
            await w.connector.fetch(Ref(id))
        for kind in (Kind.UPDATE, Kind.DISABLE, Kind.DELETE):
            with pytest.raises(Rejected, match="no account id"):
                w.connector.steps(change(kind, id, name="x"))
    assert not w.sent


async def test_a_pace_is_waited_for_and_a_quota_is_not() -> None:
    environment = Impatient()
    async with scripted(reply(PACE, 429), reply(PACE, 429), reply({"items": []})) as server:
        connector = ChatBotKitConnector(options(server.url), environment=environment, rate=Rate(), writable=True)
        assert (await connector.list(None)).complete
        assert len(environment.slept) == 2
        assert connector.meter.throttled == 2
        await connector.aclose()
    async with scripted(reply(QUOTA, 429)) as server, world(base_url=f"{server.url}/v1") as w:
        with pytest.raises(Rejected, match="You have exceeded your allocated database limits: database/user") as caught:
            await w.do(change(Kind.CREATE, name="Ada"))
        assert caught.value.code == "limits"
        assert (len(server.received), w.environment.slept, w.connector.meter.throttled) == (1, [], 0)


@pytest.mark.parametrize(("body", "final"), [({**QUOTA, "code": "TOO_MANY_REQUESTS"}, False), (b"slow down", False), (QUOTA, True)])
async def test_which_429_is_final(body: object, final: bool) -> None:
    async with scripted(reply(body, 429)) as server, world(base_url=f"{server.url}/v1") as w:
        with pytest.raises(Rejected if final else Retryable):
            await w.connector.fetch(Ref("c1"))


async def test_a_full_plan_is_a_quota_and_a_pace_the_providers_own() -> None:
    async with world(sandbox={"users": 2, "faults": "429@list:2"}) as w:
        w.parent.quota = 2
        with pytest.raises(Rejected, match="database/user"):
            await w.do(change(Kind.CREATE, name="Ada"))
        assert len((await w.connector.list(None)).records) == 2
    assert w.connector.meter.throttled == 2


async def test_an_error_in_a_200_is_no_answer() -> None:
    async with scripted(reply(LATE), reply({"id": "c1", "name": "Ada"})) as server, world(base_url=f"{server.url}/v1") as w:
        assert isinstance(await w.connector.fetch(Ref("c1")), Account)
    async with scripted(reply(LATE), reply({"items": []})) as server, world(base_url=f"{server.url}/v1") as w:
        assert (await w.connector.list(None)).complete
    async with scripted(reply(LATE), reply({"id": "c1"})) as server, world(base_url=f"{server.url}/v1") as w:
        await w.do(change(Kind.DELETE, "c1", revoke=False))
        assert len(server.received) == 2
    async with scripted(reply(LATE)) as server, world(base_url=f"{server.url}/v1") as w:
        with pytest.raises(InDoubt):
            await w.do(change(Kind.CREATE, name="Ada"))
        assert len(server.received) == 1


async def test_the_secret_is_never_shown() -> None:
    async with world() as w:
        secret = w.sandbox.chatbotkit.secret
    async with scripted(reply({"message": f"bad {secret}", "code": "NOT_AUTHENTICATED"}, 401)) as server:
        connector = ChatBotKitConnector(options(server.url), environment=Impatient(), rate=Rate(), writable=False)
        with pytest.raises(Quarantined) as caught:
            await connector.list(None)
        await connector.aclose()
    assert secret not in str(caught.value)
