"""Deleting and reading single Twilio users, on both levels, with exact keys and honest absences."""

from __future__ import annotations

import pytest
from twilio_world import World, change, world

from syncd.connectors.answer import NotFound
from syncd.errors import Quarantined, Rejected
from syncd.model import Account, Cursor, Gone, Kind, Ref, Unknown
from syncd.sandbox.twilio import Twilio

pytestmark = pytest.mark.anyio
NOBODY = "US" + "0" * 32
ROLE = "RL" + "ab" * 16


async def seeded(w: World, identity: str = "ada@corp.example", **more: str) -> str:
    return str(w.sandbox.twilio.service().create(identity, **more)["sid"])


async def test_a_delete_is_by_sid_and_twice_is_once() -> None:
    async with world(sandbox={"faults": "reset@delete;when=after"}) as w:
        sid = await seeded(w)
        assert await w.do(change(Kind.DELETE, sid)) is None
        assert await w.do(change(Kind.DELETE, sid)) is None
        assert len(w.sandbox.twilio.service()) == 0
    assert {(one.method, one.path) for one in w.sent} == {("delete", f"/v1/Users/{sid}")}


async def test_a_404_that_does_not_speak_of_the_account_deletes_nothing_and_proves_nothing() -> None:
    async with world(service_sid="IS" + "9" * 32) as w:  # a service that is not there answers 20404 as well
        assert isinstance(await w.connector.fetch(Ref(NOBODY)), Gone)
    async with world(sandbox={"faults": "html@fetch;status=404,html@delete;status=404"}) as w:
        sid = await seeded(w)
        answer = await w.connector.fetch(Ref(sid))
        assert isinstance(answer, Unknown)
        with pytest.raises(NotFound):
            await w.do(change(Kind.DELETE, sid))


async def test_fetch() -> None:
    async with world(api_key_sid=Twilio.api_key_sid, api_key_secret=Twilio.api_key_secret, auth_token=None) as w:
        sid = await seeded(w, friendly_name="Ada")
        account = await w.connector.fetch(Ref(sid))
        assert isinstance(account, Account)
        assert (account.id, account.attributes["friendly_name"]) == (sid, "Ada")
        gone = await w.connector.fetch(Ref(NOBODY))
        assert isinstance(gone, Gone)
        assert abs((w.environment.now() - gone.at).total_seconds()) < 60


@pytest.mark.parametrize("status", [401, 403])
async def test_refused_credentials_are_never_gone(status: int) -> None:
    async with world(sandbox={"faults": f"{status}@*:*"}) as w:
        for asking in (
            w.connector.fetch(Ref(NOBODY)),
            w.connector.find({"identity": "a"}),
            w.connector.list(None),
            w.do(change(Kind.DELETE, NOBODY)),
        ):
            with pytest.raises(Quarantined, match="credentials"):
                await asking


async def test_find_is_exact_to_the_letter() -> None:
    async with world() as w:
        sid = await seeded(w, "Ada/../x?y#z@corp.example")
        for identity, found in (("Ada/../x?y#z@corp.example", [sid]), ("ada/../x?y#z@corp.example", []), (sid, []), ("nobody", [])):
            assert [one.id for one in await w.connector.find({"attributes.syncd": "m", "identity": identity})] == found
        before = len(w.sent)
        assert await w.connector.find({"attributes.syncd": "prod:1"}) == []
        assert len(w.sent) == before
        with pytest.raises(Rejected):
            await w.connector.find({"identity": ".."})
    assert w.sent[0].path == "/v1/Users/Ada%2F..%2Fx%3Fy%23z%40corp.example"


async def test_find_raises_when_a_404_does_not_speak_of_the_account() -> None:
    async with world(sandbox={"faults": "html@fetch:*;status=404"}) as w:
        with pytest.raises(NotFound):
            await w.connector.find({"identity": "a"})


async def test_a_named_service_has_its_own_paths_and_users() -> None:
    async with world(service_sid=Twilio.service_sid) as w:
        account = await w.do(change(Kind.CREATE, identity="a", attributes__x=1))
        assert account is not None
        await w.do(change(Kind.UPDATE, account.id, attributes__x=2))
        (page,) = await w.walk()
        assert [w.connector.parse(one).id for one in page.records] == [account.id]
        assert page.complete
        assert isinstance(await w.connector.fetch(Ref(account.id)), Account)
        assert len(await w.connector.find({"identity": "a"})) == 1
        await w.do(change(Kind.DELETE, account.id))
        assert len(w.sandbox.twilio.service()) == len(w.sandbox.twilio.service(Twilio.service_sid)) == 0
    assert all(one.path.startswith(f"/v1/Services/{Twilio.service_sid}/Users") for one in w.sent)


async def test_the_dry_run_door_is_shut() -> None:
    async with world(writable=False) as w:
        sid = await seeded(w)
        for one in (change(Kind.CREATE, identity="b"), change(Kind.UPDATE, sid, attributes__x=1), change(Kind.DELETE, sid)):
            with pytest.raises(Rejected, match="not sent"):
                await w.do(one)
        assert isinstance(await w.connector.fetch(Ref(sid)), Account)
        assert (await w.connector.list(Cursor("0:0:" + f"{w.connector._http.root}/v1/Users"))).complete
    assert not w.writes
