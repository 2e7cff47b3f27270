"""Changing ChatBotKit users: meta beside what others put there, the alias in every update, leavers' tokens ended."""

from __future__ import annotations

import pytest
from chatbotkit_world import MARKER, change, world
from loopback import reply, scripted

from syncd.connectors.answer import Conflict, NotFound
from syncd.errors import InDoubt, Rejected, Retryable
from syncd.model import Kind

pytestmark = pytest.mark.anyio


async def test_an_update_says_what_changes_and_the_account_is_read_back() -> None:
    async with world() as w:
        id = w.parent.create({"name": "Ada", "email": "ada@x.co", "meta": {"theirs": 1}}).id
        (account,) = await w.do(change(Kind.UPDATE, id, name=("Ada", "Bea"), email=("ada@x.co", None)))
        assert account is not None
        assert (account.attributes["name"], account.attributes["email"], account.attributes["meta"]) == ("Bea", None, {"theirs": 1})
    assert w.lines == [f"post /{id}/update", f"get /{id}/fetch"]
    assert w.writes[0].json == {"name": "Bea", "email": ""}


async def test_values_are_cleared_so_that_nothing_else_is() -> None:
    async with world() as w:
        given = {"name": "A", "email": "a@x.co", "image": "i", "description": "d", "limits": {"tokens": 1}, "meta": {"a": 1}}
        id = w.parent.create(given).id
        await w.do(change(Kind.UPDATE, id, **{name: (before, None) for name, before in given.items()}))
        user = w.parent.users[id]
    assert {name: user[name] for name in given} == {**dict.fromkeys(given), "meta": {}}
    assert w.writes[0].json == {"name": "", "email": "", "image": "", "description": "", "limits": None, "meta": {}}


async def test_members_of_meta_are_merged_by_the_server_beside_those_that_are_never_shown() -> None:
    async with world() as w:
        id = w.parent.create({"meta": {"theme": "dark", "team": {"old": 1, "kept": 2}, "#hidden": 3}}).id
        (step,) = w.connector.steps(change(Kind.UPDATE, id, meta__team__old=(1, None), meta__team__new="x", meta__syncd=MARKER))
        w.parent.update(id, {"meta": {"$update": {"theme": "light"}}})
        await w.connector.perform(step)
        kept = w.parent.users[id]["meta"]
    assert kept == {"theme": "light", "team": {"kept": 2, "new": "x"}, "syncd": MARKER, "#hidden": 3}
    assert w.writes[0].json == {"meta": {"$update": {"syncd": MARKER, "team": {"kept": 2, "new": "x"}}}}


async def test_to_remove_a_member_the_whole_is_replaced_by_what_is_there_now() -> None:
    async with world() as w:
        id = w.parent.create({"meta": {"theirs": 1, "ours": 2}}).id
        (step,) = w.connector.steps(change(Kind.UPDATE, id, meta__ours=(2, None), meta__new=1))
        w.parent.update(id, {"meta": {"$update": {"meanwhile": 3}}})
        (account,) = [await w.connector.perform(step)]
        assert account is not None
        assert account.attributes["meta"] == w.parent.users[id]["meta"] == {"theirs": 1, "meanwhile": 3, "new": 1}


async def test_an_object_given_whole_replaces_what_is_there() -> None:
    async with world() as w:
        id = w.parent.create({"meta": {"theirs": 1}, "limits": {"tokens": 1}}).id
        await w.do(change(Kind.UPDATE, id, meta={"only": 1}, limits__messages=2))
        assert w.parent.users[id]["meta"] == {"only": 1}
        assert w.parent.users[id]["limits"] == {"tokens": 1, "messages": 2}


async def test_a_mapped_alias_lasts_and_one_without_value_is_erased() -> None:
    async with world() as w:
        id = w.parent.create({"name": "Ada", "alias": "ada"}).id
        await w.do(change(Kind.UPDATE, id, name="Bea", alias="ada"))
        assert w.parent.users[id]["alias"] == "ada"
        await w.do(change(Kind.UPDATE, id, name="Cleo", alias=None))
        assert w.parent.users[id]["alias"] is None
    assert [one.json for one in w.writes] == [{"name": "Bea", "alias": "ada"}, {"name": "Cleo"}]


async def test_a_description_is_read_back_by_the_list() -> None:
    async with world() as w:
        id = w.parent.create({"meta": {"syncd": MARKER}}).id
        (account,) = await w.do(change(Kind.UPDATE, id, document={"meta": {"syncd": MARKER}}, description="D"))
        assert account is not None
        assert account.attributes["description"] == "D"
        bare = w.parent.create({}).id
        (account,) = await w.do(change(Kind.UPDATE, bare, description="E"))
        assert account is not None
        assert "description" not in account.attributes, "no filter leads to who has neither marker nor e-mail"
        w.sandbox.faults = "400@list"
        (account,) = await w.do(change(Kind.UPDATE, id, description="F"))
        assert account is not None
        assert "description" not in account.attributes


@pytest.mark.parametrize("kind", ["500", "reset", "error_body", "cut", "missing", "content_type"])
async def test_an_update_is_sent_again_until_it_takes(kind: str) -> None:
    async with world(sandbox={"faults": f"{kind}@update"}) as w:
        id = w.parent.create({}).id
        (account,) = await w.do(change(Kind.UPDATE, id, name="Ada"))
        assert account is not None
    assert len(w.writes) == 2


async def test_an_answer_about_somebody_else_is_none() -> None:
    async with scripted(reply({"id": "c2"})) as server, world(base_url=f"{server.url}/v1") as w:
        with pytest.raises(InDoubt, match="another account"):
            await w.do(change(Kind.UPDATE, "c1", name="Ada"))
        with pytest.raises(InDoubt, match="another account"):
            await w.do(change(Kind.DELETE, "c1", revoke=False))


async def test_an_email_that_another_has_is_a_conflict_that_names_them() -> None:
    async with world() as w:
        id, other = w.parent.create({}).id, w.parent.create({"email": "bea@x.co"}).id
        with pytest.raises(Conflict, match=f"User {other} has this email"):
            await w.do(change(Kind.UPDATE, id, email="bea@x.co"))


async def test_what_is_gone_cannot_be_updated_but_is_deleted() -> None:
    async with world() as w:
        for delta in ({"name": "x"}, {"meta__x": 1}):
            with pytest.raises(NotFound):
                await w.do(change(Kind.UPDATE, "cnobody", **delta))
        assert await w.do(change(Kind.DELETE, "cnobody")) == [None, None]


async def test_a_404_that_does_not_speak_of_the_user_is_no_deletion() -> None:
    async with world(sandbox={"faults": "html@delete;status=404"}) as w:
        with pytest.raises(NotFound):
            await w.do(change(Kind.DELETE, w.parent.create({}).id, revoke=False))


async def test_nothing_to_write_is_no_request_and_what_no_request_can_change_is_rejected() -> None:
    async with world() as w:
        assert w.connector.steps(change(Kind.ADOPT, "c1")) == ()
        assert w.connector.steps(change(Kind.DISABLE, "c1", revoke=False)) == ()
        for delta in ({"id": "c2"}, {"colour": "x"}, {"name.x": "x"}):
            with pytest.raises(Rejected):
                w.connector.steps(change(Kind.UPDATE, "c1", **delta))


async def test_the_dry_run_door_is_shut() -> None:
    async with world(writable=False) as w:
        id = w.parent.create({}).id
        w.parent.create_token(id, {})
        for one in (change(Kind.CREATE), change(Kind.UPDATE, id, name="x"), change(Kind.DISABLE, id, meta__x=1), change(Kind.DELETE, id)):
            with pytest.raises(Rejected, match="not sent"):
                await w.do(one)
    assert not w.writes


# ---- tokens ----------------------------------------------------------------------------------------------------------


async def test_disabling_ends_every_token_afterwards_and_deleting_before() -> None:
    async with world() as w:
        id, other = w.parent.create({}).id, w.parent.create({}).id
        for owner in (*[id] * 130, other):
            w.parent.create_token(owner, {"name": "t"})
        first, *_, last = await w.do(change(Kind.DISABLE, id, meta__off=True))
        assert (first is not None, last) == (True, None)
        assert {one: len(tokens) for one, tokens in w.parent.tokens.items()} == {id: 0, other: 1}
        assert await w.do(change(Kind.DELETE, other)) == [None, None]
        assert other not in w.parent.users
    lines = [one.line for one in w.writes]
    assert lines[0] == f"post /{id}/update"
    assert lines[-1] == f"post /{other}/delete"
    assert len(lines) == 130 + 3


async def test_ending_tokens_is_one_step_that_can_be_repeated() -> None:
    async with world(sandbox={"faults": "500@update;when=after;after=1"}) as w:
        id = w.parent.create({}).id
        for _ in range(3):
            w.parent.create_token(id, {})
        steps = w.connector.steps(change(Kind.DISABLE, id, meta__off=True))
        assert [one.n for one in steps] == [1, 2]
        assert steps[1].summary == "POST /partner/user/{id}/token/{token}/delete for each token"
        assert not any(one.creates for one in steps)
        for step in (*steps, steps[1]):
            await w.connector.perform(step)
        assert w.parent.tokens[id] == {}
    assert len([one for one in w.writes if "/token/" in one.line]) == 4


async def test_tokens_are_left_alone_when_not_to_be_ended() -> None:
    async with world() as w:
        id = w.parent.create({}).id
        w.parent.create_token(id, {})
        await w.do(change(Kind.UPDATE, id, name="x"))
        await w.do(change(Kind.DISABLE, id, revoke=False, meta__off=True))
        assert len(w.parent.tokens[id]) == 1
        await w.do(change(Kind.DELETE, id, revoke=False))
    assert not any("/token/" in one for one in w.lines)


async def test_tokens_of_a_user_that_is_gone_cannot_be_ended_when_disabling() -> None:
    async with world() as w:
        _, step = w.connector.steps(change(Kind.DISABLE, "cnobody", meta__off=True))
        with pytest.raises(NotFound):
            await w.connector.perform(step)


async def test_tokens_that_stay_listed_are_told() -> None:
    many = reply({"items": [{"id": f"t{n}"} for n in range(100)]})
    gone = reply({"message": "Not found", "code": "NOT_FOUND"}, 404)
    async with scripted(many, *[gone] * 100, many) as server, world(base_url=f"{server.url}/v1") as w:
        with pytest.raises(Retryable, match="still listed after they were ended"):
            await w.do(change(Kind.DELETE, "c1"))
    assert len(w.environment.slept) > 3
    for page in ({"items": [{"name": "x"}]}, {"items": ["x"]}):
        async with scripted(reply(page)) as server, world(base_url=f"{server.url}/v1") as w:
            with pytest.raises(Rejected, match="does not say its id"):
                await w.do(change(Kind.DELETE, "c1"))
    async with scripted(reply({"items": [{"id": "t1"}]}), reply(b"<html>", 404)) as server, world(base_url=f"{server.url}/v1") as w:
        with pytest.raises(NotFound):
            await w.do(change(Kind.DELETE, "c1"))
