"""Reading single Appwrite users: exact look-ups, honest absences, refusals that stop the connection, pace."""

from __future__ import annotations

import pytest
from appwrite_world import change, options, world
from loopback import Impatient, reply, scripted

from syncd.connectors.appwrite import AppwriteConnector
from syncd.connectors.appwrite_table import label
from syncd.errors import Quarantined, Rejected, Retryable
from syncd.model import Account, Gone, Kind, Rate, Ref, Unknown

pytestmark = pytest.mark.anyio


async def test_fetch() -> None:
    async with world() as w:
        w.project.create("ada", "ada@x.co", name="Ada")
        account = await w.connector.fetch(Ref("ada"))
        assert isinstance(account, Account)
        assert (account.id, account.attributes["email"], account.attributes["phone"]) == ("ada", "ada@x.co", "")
        gone = await w.connector.fetch(Ref("nobody"))
        assert isinstance(gone, Gone)


async def test_every_request_proves_who_asks_and_pins_the_format() -> None:
    async with world(dialect="1.6") as w:
        w.project.create("ada")
        await w.connector.fetch(Ref("ada"))
        await w.do(change(Kind.UPDATE, "ada", name="x"))
    for one in w.sent:
        assert one.headers["x-appwrite-project"] == w.appwrite.project_id
        assert one.headers["x-appwrite-key"] == w.appwrite.api_key
        assert one.headers["x-appwrite-response-format"] == "1.6.0"


async def test_a_404_that_does_not_speak_of_the_user_proves_nothing() -> None:
    async with world(sandbox={"faults": "html@fetch;status=404"}) as w:
        w.project.create("ada")
        assert isinstance(await w.connector.fetch(Ref("ada")), Unknown)
    route = {"message": "no such route", "code": 404, "type": "general_route_not_found", "version": "1.8.1"}
    async with scripted(reply(route, 404)) as server, world(base_url=f"{server.url}/v1") as w:
        assert isinstance(await w.connector.fetch(Ref("ada")), Unknown)


@pytest.mark.parametrize(("more", "said"), [({"api_key": "wrong"}, "missing scopes"), ({"project": "other"}, "project_not_found")])
async def test_a_refused_key_or_project_is_never_gone(more: dict[str, str], said: str) -> None:
    async with world(**more) as w:
        for asking in (
            w.connector.fetch(Ref("ada")),
            w.connector.find({"$id": "ada"}),
            w.connector.find({"email": "ada@x.co"}),
            w.connector.list(None),
            w.do(change(Kind.DELETE, "ada")),
            w.do(change(Kind.CREATE, name="Ada")),
        ):
            with pytest.raises(Quarantined, match=said):
                await asking
        assert len(w.project) == 0


async def test_find_is_exact_to_the_letter() -> None:
    mark = label("prod:1")
    async with world(sandbox={"users": 120}) as w:
        w.project.create("ada", "ada@x.co", "+12025550100")
        w.project.update("ada", labels=("vip", mark))
        for keys, found in (
            ({"$id": "ada"}, True), ({"$id": "ADA"}, False), ({"$id": "nobody"}, False),
            ({"email": "Ada@X.co"}, True), ({"email": "bea@x.co"}, False), ({"phone": "+12025550100"}, True),
            ({"syncd": "prod:1"}, True), ({"syncd": mark}, True), ({"syncd": "prod:2"}, False), ({"name": "Ada"}, False),
        ):  # fmt: skip
            assert [one.id for one in await w.connector.find(keys)] == ["ada"] * found, keys
        with pytest.raises(Rejected):
            await w.connector.find({"$id": ".."})
    assert {"method": "contains", "attribute": "labels", "values": [mark]} in [query for one in w.sent for query in one.queries]


async def test_what_a_provider_finds_that_was_not_asked_for_does_not_count() -> None:
    page = {"total": 1, "users": [{"$id": "bea", "email": "bea@x.co", "labels": []}]}
    async with scripted(reply(page)) as server, world(base_url=f"{server.url}/v1") as w:
        assert await w.connector.find({"email": "ada@x.co"}) == []
        assert [one.id for one in await w.connector.find({"email": "bea@x.co"})] == ["bea"]


async def test_ids_are_encoded() -> None:
    async with world() as w:
        w.project.create("a/../b?c#d")
        assert isinstance(await w.connector.fetch(Ref("a/../b?c#d")), Account)
    assert w.sent[0].path == "/v1/users/a%2F..%2Fb%3Fc%23d"


async def test_the_instant_at_which_the_provider_takes_requests_again_is_waited_for() -> None:
    error = {"message": "Rate limit exceeded", "code": 429, "type": "general_rate_limit_exceeded", "version": "1.8.1"}
    page = {"total": 0, "users": []}
    for extra, least, most in (
        ({"x_ratelimit_reset": "1767225630"}, 30, 31),  # half a minute after the Date header
        ({"x_ratelimit_reset": "1767225630", "retry_after": "7"}, 7, 8),
        ({"x_ratelimit_reset": "soon"}, 0, 1),
    ):
        refused = reply(error, 429, date="Thu, 01 Jan 2026 00:00:00 GMT", **extra)
        environment = Impatient()
        async with scripted(refused, reply(page)) as server:
            connector = AppwriteConnector(options(server.url), environment=environment, rate=Rate(), writable=False)
            assert (await connector.list(None)).complete
            await connector.aclose()
        assert least <= sum(environment.slept) <= most, extra
        assert connector.meter.throttled == 1


async def test_a_lasting_refusal_for_pace_names_itself() -> None:
    async with world(sandbox={"faults": "429@*:*"}) as w:
        with pytest.raises(Retryable, match="general_rate_limit_exceeded"):
            await w.connector.fetch(Ref("ada"))


async def test_the_key_is_never_shown() -> None:
    async with scripted(reply({"message": "bad key sandbox-appwrite-key-5a5a5a5a5a5a5a5a", "code": 401, "type": "x"}, 401)) as server:
        connector = AppwriteConnector(options(server.url), environment=Impatient(), rate=Rate(), writable=False)
        with pytest.raises(Quarantined) as caught:
            await connector.list(None)
        await connector.aclose()
    assert "5a5a" not in str(caught.value)
