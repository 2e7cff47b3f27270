"""Creating Twilio users: one request that carries everything, made once, in doubt when its answer is lost."""

from __future__ import annotations

import pytest
from twilio_world import World, change, world

from syncd.connectors.answer import Conflict
from syncd.errors import InDoubt
from syncd.model import Kind
from syncd.sandbox.twilio import Twilio

pytestmark = pytest.mark.anyio
NOBODY = "US" + "0" * 32
ROLE = "RL" + "ab" * 16


async def seeded(w: World, identity: str = "ada@corp.example", **more: str) -> str:
    return str(w.sandbox.twilio.service().create(identity, **more)["sid"])


async def test_a_create_is_one_post_that_carries_everything() -> None:
    async with world() as w:
        asked = change(
            Kind.CREATE,
            identity="Ada+1@corp.example",
            friendly_name="Zoë",
            role_sid=ROLE,
            attributes__externalId="7",
            attributes__team__name="é b",
        )
        (step,) = w.connector.steps(asked)
        assert (step.creates, step.n, step.summary) == (True, 1, "POST /v1/Users Attributes, FriendlyName, Identity, RoleSid")
        account = await w.connector.perform(step)
    assert account is not None
    assert account.id.startswith("US")
    assert account.attributes == {
        "sid": account.id,
        "identity": "Ada+1@corp.example",
        "friendly_name": "Zoë",
        "role_sid": ROLE,
        "attributes": {"externalId": "7", "team": {"name": "é b"}},
        "chat_service_sid": Twilio.default_service_sid,
    }
    assert account.version is not None
    (sent,) = w.sent
    assert (sent.method, sent.path, sent.content_type) == ("post", "/v1/Users", "application/x-www-form-urlencoded")
    assert sent.form["Attributes"] == '{"externalId":"7","team":{"name":"é b"}}'
    assert sent.body is not None
    assert b"Identity=Ada%2B1%40corp.example" in sent.body
    assert "x-twilio-webhook-enabled" not in sent.headers


async def test_values_that_are_none_are_not_sent_by_a_create() -> None:
    async with world() as w:
        await w.do(change(Kind.CREATE, identity="a", friendly_name=None, attributes__x=None))
    assert w.sent[0].form == {"Identity": "a"}


async def test_a_second_create_is_a_conflict_with_the_documented_code() -> None:
    async with world() as w:
        await w.do(change(Kind.CREATE, identity="a"))
        with pytest.raises(Conflict, match="already exists") as caught:
            await w.do(change(Kind.CREATE, identity="a"))
    assert caught.value.code == "50201"


async def test_webhooks_only_when_asked_for() -> None:
    async with world(webhooks=True) as w:
        account = await w.do(change(Kind.CREATE, identity="a"))
        assert account is not None
        await w.do(change(Kind.UPDATE, account.id, friendly_name="b"))
        await w.do(change(Kind.DELETE, account.id))
        await w.connector.list(None)
    assert [one.headers.get("x-twilio-webhook-enabled") for one in w.sent] == ["true", "true", "true", None]


@pytest.mark.parametrize(
    "fault",
    ["timeout@create;when=after", "reset@create;when=after", "500@create;when=after", "truncated@create", "html@create", "empty@create"],
)
async def test_a_create_without_a_usable_answer_is_in_doubt_and_find_resolves_it(fault: str) -> None:
    async with world(sandbox={"faults": fault}) as w:
        w.connector._http._deadline = 0.3
        with pytest.raises(InDoubt):
            await w.do(change(Kind.CREATE, identity="a@b"))
        made = [] if fault in ("html@create", "empty@create") else ["a@b"]
        assert [one.attributes["identity"] for one in await w.connector.find({"identity": "a@b"})] == made
        assert len(w.writes) == 1


async def test_a_create_that_answers_with_another_identity_or_unreadably_is_in_doubt() -> None:
    for fault in ('literal@create;field=identity;value="A@B"', "drift@create", "missing@create;field=sid", "nul@create", "nan@create"):
        async with world(sandbox={"faults": fault}) as w:
            with pytest.raises(InDoubt):
                await w.do(change(Kind.CREATE, identity="a@b", friendly_name="x"))
            assert len(w.writes) == 1, fault


async def test_a_create_refused_for_pace_is_sent_again_and_made_once() -> None:
    async with world(sandbox={"faults": "429@create:2"}) as w:
        account = await w.do(change(Kind.CREATE, identity="a"))
        assert account is not None
        assert len(w.sandbox.twilio.service()) == 1
        assert w.connector.meter.throttled == 2
