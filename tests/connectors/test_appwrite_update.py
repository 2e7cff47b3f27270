"""Changing Appwrite users: one request for each attribute, in an order that lasts, merged into what others put there."""

from __future__ import annotations

from dataclasses import replace

import pytest
from appwrite_world import MARKER, World, change, world

from syncd.connectors.answer import Conflict, NotFound
from syncd.connectors.appwrite_table import label
from syncd.errors import Rejected
from syncd.model import Account, Kind

pytestmark = pytest.mark.anyio


async def seeded(w: World, id: str = "ada", **more: object) -> str:
    w.project.create(id, "ada@x.co", "+12025550100", name="Ada")
    if more:
        w.project.update(id, **more)
    return id


async def test_an_update_is_one_request_for_each_attribute_that_changes() -> None:
    async with world() as w:
        id = await seeded(w)
        await w.do(change(Kind.UPDATE, id, emailVerification=(False, True), email=("ada@x.co", "Bea@x.co"), name=("Ada", None)))
        assert w.project.users[id]["email"] == "bea@x.co"
        assert w.project.users[id]["emailVerification"] is True
    assert [(one.line, one.json) for one in w.sent] == [
        ("patch /users/ada/name", {"name": ""}),
        ("patch /users/ada/email", {"email": "bea@x.co"}),
        ("patch /users/ada/verification", {"emailVerification": True}),
    ]


async def test_values_are_cleared_in_their_own_type() -> None:
    async with world() as w:
        id = await seeded(w, labels=("vip",), emailVerification=True, prefs='{"a": 1}')
        delta = {"phone": "+12025550100", "email": "ada@x.co", "labels": ["vip"], "prefs": {"a": 1}, "emailVerification": True}
        await w.do(change(Kind.UPDATE, id, **{name: (before, None) for name, before in delta.items()}))
        with pytest.raises(Rejected, match="status cannot be without a value"):
            await w.do(change(Kind.UPDATE, id, status=(True, None)))
    bodies = [one.json for one in w.writes]
    assert bodies == [{"email": ""}, {"number": ""}, {"labels": []}, {"prefs": {}}, {"emailVerification": False}]


async def test_labels_are_merged_into_what_stands_there_now() -> None:
    theirs = label("other:1")
    async with world() as w:
        id = await seeded(w, labels=("old", "kept", theirs))
        (step,) = w.connector.steps(change(Kind.UPDATE, id, labels=(["old", "kept"], ["kept", "new"])))
        w.project.update(id, labels=("old", "kept", theirs, "meanwhile"))
        account = await w.connector.perform(step)
        assert isinstance(account, Account)
        assert set(account.attributes["labels"]) == {"kept", "new", "meanwhile"}
        assert account.attributes["syncd"] == theirs
        await w.do(change(Kind.ADOPT, id, syncd=(theirs, MARKER)))
        assert set(w.project.users[id]["labels"]) == {"kept", "new", "meanwhile", label(MARKER)}  # type: ignore[call-overload]


async def test_prefs_are_merged_into_what_stands_there_now_and_not_answered_by_the_user() -> None:
    async with world() as w:
        id = await seeded(w, prefs='{"theme": "dark", "team": {"old": 1, "kept": 2}}')
        (step,) = w.connector.steps(change(Kind.UPDATE, id, prefs__team__old=(1, None), prefs__team__new="x"))
        w.project.update(id, prefs='{"theme": "light", "team": {"old": 1, "kept": 2}}')
        assert await w.connector.perform(step) is None
    assert w.sent[-1].json == {"prefs": {"theme": "light", "team": {"kept": 2, "new": "x"}}}


async def test_prefs_that_would_be_too_long_and_a_name_too_long_are_rejected_unsent() -> None:
    async with world() as w:
        id = await seeded(w, prefs='{"theirs": "' + "x" * 65_000 + '"}')
        with pytest.raises(Rejected, match=r"prefs would have 65,\d\d\d bytes, the provider keeps at most 65,535"):
            await w.do(change(Kind.UPDATE, id, prefs__ours="x" * 600))
        with pytest.raises(Rejected, match="name would have 129 characters"):
            await w.do(change(Kind.UPDATE, id, name="é" * 129))
    assert not w.writes


async def test_an_email_sent_twice_meets_itself_and_has_taken() -> None:
    async with world(sandbox={"faults": "500@update;when=after,reset@update;when=after"}) as w:
        id = await seeded(w)
        for name, value in (("email", "Bea@x.co"), ("phone", "+12025550199")):
            (account,) = await w.do(change(Kind.UPDATE, id, **{name: value}))
            assert account is not None
            assert account.attributes[name] == value.lower()


async def test_an_email_that_another_has_is_a_conflict_and_leftovers_are_waited_for() -> None:
    async with world() as w:
        w.sandbox.environment.monotonic = w.environment.monotonic  # type: ignore[method-assign]
        id = await seeded(w)
        w.project.create("bea", "bea@x.co")
        with pytest.raises(Conflict) as caught:
            await w.do(change(Kind.UPDATE, id, email="bea@x.co"))
        assert caught.value.code == "user_target_already_exists"
        w.project.leftover = 2.0
        w.project.delete("bea")
        (account,) = await w.do(change(Kind.UPDATE, id, email="bea@x.co"))
        assert account is not None
        assert account.attributes["email"] == "bea@x.co"


async def test_only_one_user_can_have_an_empty_email() -> None:
    async with world() as w:
        for id in ("one", "two"):
            w.project.create(id, f"{id}@x.co")
        await w.do(change(Kind.UPDATE, "one", email=("one@x.co", None)))
        with pytest.raises(Conflict):
            await w.do(change(Kind.UPDATE, "two", email=("two@x.co", None)))
        assert len(w.environment.slept) == 0


async def test_what_no_request_can_change_is_rejected() -> None:
    async with world() as w:
        for delta in ({"id": "b"}, {"colour": "x"}, {"name.x": "x"}):
            with pytest.raises(Rejected):
                w.connector.steps(change(Kind.UPDATE, "ada", **delta))
        assert w.connector.steps(change(Kind.ADOPT, "ada")) == ()
        for id in ("", "..", "a\n"):
            with pytest.raises(Rejected):
                w.connector.steps(change(Kind.UPDATE, id, name="x"))
    assert not w.sent


async def test_an_update_of_what_is_gone_is_not_found() -> None:
    async with world() as w:
        for delta in ({"name": "x"}, {"labels": ["x"]}, {"prefs__x": 1}):
            with pytest.raises(NotFound) as caught:
                await w.do(change(Kind.UPDATE, "nobody", **delta))
            assert caught.value.code == "user_not_found"


@pytest.mark.parametrize("fault", ["html", "cut", "empty"])
async def test_an_answer_that_is_no_prefs_is_no_answer(fault: str) -> None:
    async with world(sandbox={"faults": f"{fault}@update"}) as w:
        id = await seeded(w)
        await w.do(change(Kind.UPDATE, id, prefs={"a": 1}))
    assert len(w.writes) == 2


# ---- leavers ---------------------------------------------------------------------------------------------------------


async def test_disabling_throws_the_switch_first_and_then_ends_sessions() -> None:
    async with world() as w:
        id = await seeded(w, labels=("vip",))
        w.project.sign_in(id)
        await w.do(change(Kind.DISABLE, id, labels=(["vip"], None), status=(True, False)))
        assert not w.project.sessions
    assert [one.line for one in w.writes] == ["patch /users/ada/status", "delete /users/ada/sessions", "put /users/ada/labels"]
    assert [one.json for one in w.writes][:2] == [{"status": False}, None]


async def test_deleting_ends_sessions_first_and_twice_is_once() -> None:
    async with world(sandbox={"faults": "reset@delete;when=after"}) as w:
        id = await seeded(w)
        assert await w.do(change(Kind.DELETE, id)) == [None, None]
        assert await w.do(change(Kind.DELETE, id)) == [None, None]
        assert len(w.project) == 0
    assert [one.line for one in w.writes][:2] == ["delete /users/ada/sessions", "delete /users/ada"]


async def test_sessions_are_left_alone_when_not_to_be_ended() -> None:
    async with world() as w:
        id = await seeded(w)
        await w.do(replace(change(Kind.DISABLE, id, status=(True, False)), revoke=False))
        await w.do(change(Kind.UPDATE, id, status=(False, True)))
        await w.do(replace(change(Kind.DELETE, id), revoke=False))
    assert [one.line for one in w.writes] == ["patch /users/ada/status"] * 2 + ["delete /users/ada"]


async def test_sessions_of_a_user_that_is_gone_cannot_be_ended_when_disabling() -> None:
    async with world() as w:
        _, step = w.connector.steps(change(Kind.DISABLE, "nobody", status=(True, False)))
        with pytest.raises(NotFound):
            await w.connector.perform(step)


async def test_the_dry_run_door_is_shut() -> None:
    async with world(writable=False) as w:
        id = await seeded(w)
        for one in (
            change(Kind.CREATE),
            change(Kind.UPDATE, id, labels=["x"]),
            change(Kind.DISABLE, id, status=False),
            change(Kind.DELETE, id),
        ):
            with pytest.raises(Rejected, match="not sent"):
                await w.do(one)
    assert not w.writes
