"""Creating ChatBotKit users: one request that answers an id, read back, and never sent again while its outcome is unknown."""

from __future__ import annotations

import pytest
from chatbotkit_world import MARKER, change, world
from loopback import Received, raw_server, reply

from syncd.connectors.answer import Conflict
from syncd.errors import InDoubt, Rejected
from syncd.model import Kind

pytestmark = pytest.mark.anyio


async def test_a_create_carries_everything_and_is_read_back() -> None:
    async with world() as w:
        (account,) = await w.do(
            change(
                Kind.CREATE, name="Zoë", email="Zoe@x.co", image="https://x.co/z.png", meta__syncd=MARKER, meta__team__name="é",
                limits__tokens=5, limits__database__files=1, alias="zoe", description=None,
            )
        )  # fmt: skip
        (user,) = w.parent.users.values()
    assert w.lines == ["post /create", f"get /{user['id']}/fetch"]
    assert w.sent[0].json == {
        "name": "Zoë", "email": "Zoe@x.co", "image": "https://x.co/z.png", "meta": {"syncd": MARKER, "team": {"name": "é"}},
        "limits": {"tokens": 5, "database": {"files": 1}}, "alias": "zoe",
    }  # fmt: skip
    assert account is not None
    assert (account.id, account.attributes["email"], account.attributes["meta"]["syncd"]) == (user["id"], "Zoe@x.co", MARKER)
    assert user["alias"] == "zoe"


async def test_the_step_names_no_value() -> None:
    async with world() as w:
        (step,) = w.connector.steps(change(Kind.CREATE, name="Ada", email="ada@x.co"))
    assert (step.creates, step.n) == (True, 1)
    assert step.summary == "POST /partner/user/create email, name"


async def test_a_description_is_read_back_by_the_list_because_no_fetch_says_it() -> None:
    async with world() as w:
        (account,) = await w.do(change(Kind.CREATE, description="D", meta__syncd=MARKER))
        assert account is not None
        assert account.attributes["description"] == "D"
        assert w.lines == ["post /create", f"get /{account.id}/fetch", "get /list"]
        w.sandbox.list_lag = 3600.0
        (account,) = await w.do(change(Kind.CREATE, description="D", meta__syncd=f"{MARKER}2"))
        assert account is not None
        assert "description" not in account.attributes


LOST = ["timeout", "reset", "close", "500", "503", "504", "html", "empty", "error_body", "cut", "content_type", "redirect", "missing"]


@pytest.mark.parametrize("kind", LOST)
async def test_a_create_without_a_usable_answer_is_in_doubt_and_the_marker_finds_it(kind: str) -> None:
    after = "" if kind in ("cut", "content_type", "missing") else ";when=after"
    async with world(sandbox={"faults": f"{kind}@create{after}"}) as w:
        w.connector._http._deadline = 0.3
        (step,) = w.connector.steps(change(Kind.CREATE, name="Ada", meta__syncd=MARKER))
        with pytest.raises(InDoubt):
            await w.connector.perform(step)
        assert [one.attributes["name"] for one in await w.connector.find({"meta.syncd": MARKER})] == ["Ada"]
    assert len(w.writes) == 1


@pytest.mark.parametrize("kind", ["404", "401", "400", "500", "error_body"])
async def test_a_create_that_cannot_be_read_back_is_in_doubt(kind: str) -> None:
    async with world(sandbox={"faults": f"{kind}@fetch:*"}) as w:
        (step,) = w.connector.steps(change(Kind.CREATE, name="Ada"))
        with pytest.raises(InDoubt, match="but it cannot be read back"):
            await w.connector.perform(step)
    assert len(w.writes) == 1


async def test_a_create_that_answers_what_is_no_id_is_in_doubt() -> None:
    for body in ({"id": "@x"}, {"id": ""}, {"id": 5}, [], b"{"):

        async def answering(request: Received, writer: object, body: object = body) -> bytes:
            return reply(body)

        async with raw_server(answering) as server, world(base_url=f"{server.url}/v1") as w:
            with pytest.raises(InDoubt):
                await w.do(change(Kind.CREATE, name="Ada"))
            assert len(server.received) == 1


async def test_an_email_or_alias_that_somebody_has_is_a_conflict_that_names_them() -> None:
    async with world() as w:
        other = w.parent.create({"email": "ada@x.co", "alias": "ada"}).id
        with pytest.raises(Conflict, match=f"Unique constraint violation User {other} has this email") as caught:
            await w.do(change(Kind.CREATE, email="ada@x.co"))
        assert caught.value.code == "CONFLICT"
        with pytest.raises(Conflict, match=r"violation$"):
            await w.do(change(Kind.CREATE, email="bea@x.co", alias="ada"))
        w.sandbox.faults = "500@list:*"
        with pytest.raises(Conflict, match=r"violation$"):
            await w.do(change(Kind.CREATE, email="ada@x.co"))
        assert len(w.parent) == 1


@pytest.mark.parametrize(
    ("delta", "said"),
    [
        ({"name": "x" * 192}, "name would have 192 bytes, the provider keeps at most 191"),
        ({"name": "é" * 96}, "name would have 192 bytes, the provider keeps at most 191"),
        ({"image": "é" * 96}, "image would have 192 bytes, the provider keeps at most 191"),
        ({"alias": "x" * 129}, "alias would have 129 characters, the provider keeps at most 128"),
        ({"alias": "Ada"}, "alias may hold only"),
        ({"meta___x": 1}, "meta._x: the provider refuses"),
        ({"meta__#x": 1}, "meta.#x: the provider never shows"),
        ({"meta__é": 1}, "meta.é: the provider drops"),
        ({"meta__$update": 1}, "meta.[$]update: the provider drops"),
        ({"meta": {"_x": 1}}, "meta._x"),
        ({"colour": "red"}, "colour: POST /partner/user/create cannot set it"),
        ({"id": "c1"}, "id: POST /partner/user/create cannot set it"),
    ],
)
async def test_what_the_provider_would_refuse_cut_or_hide_is_rejected_unsent(delta: dict[str, object], said: str) -> None:
    async with world() as w:
        with pytest.raises(Rejected, match=said):
            await w.do(change(Kind.CREATE, **delta))
    assert not w.sent


async def test_what_fits_to_the_byte_is_kept() -> None:
    async with world() as w:
        (account,) = await w.do(change(Kind.CREATE, name="é" * 95 + "x", image="x" * 191, alias="x" * 128))
    assert account is not None
    assert account.attributes["name"] == "é" * 95 + "x"
