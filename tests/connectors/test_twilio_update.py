"""Updating and adopting Twilio users: only what changed, merged into what stands there now."""

from __future__ import annotations

import orjson
import pytest
from twilio_world import World, change, world

from syncd.connectors.answer import NotFound
from syncd.errors import InDoubt, Rejected
from syncd.model import Kind

pytestmark = pytest.mark.anyio
NOBODY = "US" + "0" * 32
ROLE = "RL" + "ab" * 16


async def seeded(w: World, identity: str = "ada@corp.example", **more: str) -> str:
    return str(w.sandbox.twilio.service().create(identity, **more)["sid"])


async def test_an_update_sends_only_what_changed() -> None:
    async with world() as w:
        sid = await seeded(w, friendly_name="old", attributes='{"theirs": 1}')
        account = await w.do(change(Kind.UPDATE, sid, friendly_name=("old", "new")))
        assert account is not None
        assert account.attributes["friendly_name"] == "new"
        assert account.attributes["attributes"] == {"theirs": 1}
    (sent,) = w.sent
    assert (sent.method, sent.path, sent.form) == ("post", f"/v1/Users/{sid}", {"FriendlyName": "new"})


async def test_clearing_a_text_sends_it_empty_and_reads_back_as_none() -> None:
    async with world() as w:
        sid = await seeded(w, friendly_name="old")
        account = await w.do(change(Kind.UPDATE, sid, friendly_name=("old", None)))
        assert account is not None
        assert not account.attributes["friendly_name"]
    assert w.sent[0].body == b"FriendlyName="


async def test_members_are_merged_into_what_stands_there_now() -> None:
    async with world() as w:
        sid = await seeded(w, attributes='{ "theirs": {"n": 1234567890123456789, "x": null}, "a": {"b": 1, "c": 2}, "old": "gone" }')
        account = await w.do(change(Kind.UPDATE, sid, attributes__a__b=(1, 3), attributes__old=("gone", None), attributes__new=(None, "é")))
        assert account is not None
        assert account.attributes["attributes"] == {"theirs": {"n": 1234567890123456789, "x": None}, "a": {"b": 3, "c": 2}, "new": "é"}
    read, written = w.sent
    assert (read.method, written.method) == ("get", "post")
    assert written.form == {"Attributes": '{"a":{"b":3,"c":2},"new":"é","theirs":{"n":1234567890123456789,"x":null}}'}


async def test_a_change_somebody_else_made_meanwhile_survives() -> None:
    async with world() as w:
        sid = await seeded(w, attributes='{"ours": 1}')
        (step,) = w.connector.steps(change(Kind.UPDATE, sid, attributes__ours=(1, 2)))
        w.sandbox.twilio.service().update(sid, attributes='{"ours": 1, "meanwhile": true}')
        account = await w.connector.perform(step)
        assert account is not None
        assert account.attributes["attributes"] == {"ours": 2, "meanwhile": True}


async def test_the_whole_object_replaces_without_reading_first() -> None:
    async with world() as w:
        sid = await seeded(w, attributes='{"theirs": 1}')
        await w.do(change(Kind.UPDATE, sid, attributes=({"theirs": 1}, {"ours": 1}), attributes__more=2))
        assert w.sent[0].form == {"Attributes": '{"more":2,"ours":1}'}
        await w.do(change(Kind.UPDATE, sid, attributes=({"ours": 1}, None)))
    assert w.sent[1].form == {"Attributes": "{}"}


async def test_attributes_that_would_be_too_long_with_others_members_are_rejected_unsent() -> None:
    async with world() as w:
        sid = await seeded(w, attributes=orjson.dumps({"theirs": "é" * 2000}).decode())
        with pytest.raises(Rejected, match=r"attributes would have 4,\d\d\d bytes, the provider keeps at most 4,096") as caught:
            await w.do(change(Kind.UPDATE, sid, attributes__ours="x" * 80))
        assert caught.value.code == "too_long"
        with pytest.raises(Rejected, match="friendly_name would have 257 characters"):
            await w.do(change(Kind.UPDATE, sid, friendly_name="é" * 257))
        await w.do(change(Kind.UPDATE, sid, friendly_name="é" * 256))
    assert len(w.writes) == 1


async def test_a_member_below_somebody_elses_value_is_rejected_unsent() -> None:
    async with world() as w:
        sid = await seeded(w, attributes='{"a": "theirs"}')
        with pytest.raises(Rejected, match="no object"):
            await w.do(change(Kind.UPDATE, sid, attributes__a__b=1))
        for broken in ("[1]", '{"n": 99999999999999999999}'):
            w.sandbox.twilio.service().update(sid, attributes=broken)
            with pytest.raises(Rejected, match=r"cannot be kept|not a JSON object"):
                await w.do(change(Kind.UPDATE, sid, attributes__x=1))
    assert not w.writes


async def test_a_surrogate_cannot_be_sent() -> None:
    async with world() as w:
        for one in (change(Kind.CREATE, identity="a", friendly_name="\ud800"), change(Kind.CREATE, identity="a", attributes__x="\ud800")):
            with pytest.raises(Rejected, match=r"friendly_name|attributes"):
                await w.do(one)
    assert not w.sent


async def test_an_update_is_repeated_after_doubt_because_twice_is_once() -> None:
    async with world(sandbox={"faults": "500@update;when=after,reset@update;when=after"}) as w:
        sid = await seeded(w)
        account = await w.do(change(Kind.UPDATE, sid, friendly_name="new"))
        assert account is not None
        assert account.attributes["friendly_name"] == "new"
    assert len(w.writes) == 3


async def test_an_update_of_what_is_gone_is_not_found() -> None:
    async with world() as w:
        for one in (change(Kind.UPDATE, NOBODY, friendly_name="x"), change(Kind.UPDATE, NOBODY, attributes__x="x")):
            with pytest.raises(NotFound) as caught:
                await w.do(one)
            assert caught.value.code == "20404"


async def test_an_answer_that_speaks_of_another_account_is_no_answer() -> None:
    async with world(sandbox={"faults": f'literal@update:*;field=sid;value="{NOBODY}"'}) as w:
        sid = await seeded(w)
        with pytest.raises(InDoubt, match="another account"):
            await w.do(change(Kind.UPDATE, sid, friendly_name="x"))


async def test_an_update_is_done_also_where_its_answer_cannot_be_read() -> None:
    async with world(sandbox={"faults": "literal@update:*;field=attributes;value=7"}) as w:
        sid = await seeded(w)
        with pytest.raises(InDoubt, match="updated, but the answer cannot be read"):
            await w.do(change(Kind.UPDATE, sid, friendly_name="x"))
    assert len(w.writes) == 1


async def test_adoption_writes_its_delta_or_nothing() -> None:
    async with world() as w:
        sid = await seeded(w)
        assert w.connector.steps(change(Kind.ADOPT, sid)) == ()
        await w.do(change(Kind.ADOPT, sid, attributes__syncd="prod:1"))
        await w.do(change(Kind.DISABLE, sid, role_sid=ROLE))
    assert [one.form for one in w.writes] == [{"Attributes": '{"syncd":"prod:1"}'}, {"RoleSid": ROLE}]


async def test_what_no_request_can_change_is_rejected_before_anything_is_planned() -> None:
    async with world() as w:
        for delta in ({"identity": "b"}, {"sid": "x"}, {"email": "x"}, {"friendly_name.x": "x"}):
            with pytest.raises(Rejected, match=next(iter(delta)).replace(".", r"\.")):
                w.connector.steps(change(Kind.UPDATE, NOBODY, **delta))
        with pytest.raises(Rejected, match="email"):
            w.connector.steps(change(Kind.CREATE, identity="a", email="x"))
        for id in ("", "..", "a\n"):
            with pytest.raises(Rejected):
                w.connector.steps(change(Kind.UPDATE, id, friendly_name="x"))
