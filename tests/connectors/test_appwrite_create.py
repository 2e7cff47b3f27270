"""Creating Appwrite users: one request that makes them, then what it could not carry, in an order that lasts."""

from __future__ import annotations

from hashlib import blake2b

import pytest
from appwrite_world import IDENTITY, MARKER, World, change, world

from syncd.connectors.answer import Conflict
from syncd.connectors.appwrite_table import label
from syncd.errors import InDoubt, Rejected, Retryable
from syncd.model import Kind

pytestmark = pytest.mark.anyio
ALL = {
    "emailVerification": True, "phoneVerification": True, "name": "Zoë", "email": "Ada@Corp.Example", "phone": "+12025550100",
    "status": False, "labels": ["vip"], "syncd": MARKER, "prefs__team__name": "é", "prefs__x": 1,
}  # fmt: skip


def stored(w: World, id: str = IDENTITY) -> dict[str, object]:
    return w.project.users[id]


async def test_a_create_is_followed_by_what_it_cannot_carry_in_an_order_that_lasts() -> None:
    async with world() as w:
        answers = await w.do(change(Kind.CREATE, **ALL))
        user = stored(w)
    assert w.lines == [
        "post /users",
        *(f"patch /users/{IDENTITY}/status", f"put /users/{IDENTITY}/labels", f"patch /users/{IDENTITY}/prefs"),
        *(f"patch /users/{IDENTITY}/verification", f"patch /users/{IDENTITY}/verification/phone"),
    ]
    assert [one.json for one in w.sent] == [
        {"userId": IDENTITY, "email": "ada@corp.example", "phone": "+12025550100", "name": "Zoë"},
        {"status": False},
        {"labels": [label(MARKER), "vip"]},
        {"prefs": {"team": {"name": "é"}, "x": 1}},
        {"emailVerification": True},
        {"phoneVerification": True},
    ]
    assert (user["emailVerification"], user["phoneVerification"], user["status"]) == (True, True, False)
    assert [None if one is None else one.id for one in answers] == [IDENTITY, IDENTITY, IDENTITY, None, IDENTITY, IDENTITY]
    last = answers[-1]
    assert last is not None
    assert (last.attributes["labels"], last.attributes["syncd"]) == (["vip"], label(MARKER))


async def test_only_the_first_step_of_a_create_makes_an_account_and_the_others_name_it() -> None:
    async with world() as w:
        steps = w.connector.steps(change(Kind.CREATE, **ALL))
    assert [one.creates for one in steps] == [True, *[False] * 5]
    assert [one.n for one in steps] == [1, 2, 3, 4, 5, 6]
    assert [one.change.account for one in steps] == [None, *[IDENTITY] * 5]
    assert steps[0].summary == "POST /users email, name, phone, userId"
    assert "ada" not in " ".join(one.summary for one in steps)


async def test_what_a_new_user_has_anyway_is_not_asked_for() -> None:
    async with world() as w:
        await w.do(change(Kind.CREATE, name="Ada", status=True, emailVerification=False, labels=None, prefs__x=None))
    assert [one.json for one in w.sent] == [{"userId": IDENTITY, "name": "Ada"}]


async def test_the_id_is_the_identitys_unless_the_map_says_another() -> None:
    async with world() as w:
        await w.do(change(Kind.CREATE, id="a.b-c_1", status=False))
        for id in ("unique()", "-a", "a" * 37, "é", "a/b", ".."):
            with pytest.raises(Rejected, match="at most 36"):
                w.connector.steps(change(Kind.CREATE, id=id))
    assert w.lines == ["post /users", "patch /users/a.b-c_1/status"]


def test_the_label_stands_for_the_marker() -> None:
    assert label(MARKER) == "syncd" + blake2b(MARKER.encode(), digest_size=15).hexdigest()
    assert len(label(MARKER)) == 35
    assert label(label(MARKER)) == label(MARKER)
    assert label(f"{label('a:b')} {label(MARKER)}") == f"{label('a:b')} {label(MARKER)}"
    assert label(None) is None


@pytest.mark.parametrize("fault", ["timeout", "reset", "500"])
async def test_a_create_without_an_answer_is_in_doubt_and_find_resolves_it(fault: str) -> None:
    async with world(sandbox={"faults": f"{fault}@create;when=after"}) as w:
        w.connector._http._deadline = 0.3
        (step, *_) = w.connector.steps(change(Kind.CREATE, email="ada@x.co"))
        with pytest.raises(InDoubt):
            await w.connector.perform(step)
        assert [one.id for one in await w.connector.find({"$id": IDENTITY, "syncd": MARKER})] == [IDENTITY]
        assert len(w.writes) == 1


async def test_a_later_step_is_sent_again_until_it_takes() -> None:
    async with world(sandbox={"faults": "500@update:2;when=after"}) as w:
        await w.do(change(Kind.CREATE, labels=["vip"]))
        assert stored(w)["labels"] == ("vip",)
    assert len(w.writes) == 4


async def test_an_id_an_email_or_a_phone_that_somebody_has_is_a_conflict() -> None:
    async with world() as w:
        w.project.create("other", "ada@x.co", "+12025550100")
        for asked in ({"id": "other"}, {"email": "ADA@x.co"}, {"phone": "+12025550100"}):
            with pytest.raises(Conflict, match=f"User other has this [$]?{next(iter(asked))}") as caught:
                await w.do(change(Kind.CREATE, **asked))
            assert caught.value.code == "user_already_exists"
        assert len(w.project) == 1


async def test_what_a_deleted_user_leaves_behind_is_waited_for() -> None:
    async with world() as w:
        w.sandbox.environment.monotonic = w.environment.monotonic  # type: ignore[method-assign]
        w.project.leftover = 4.0
        w.project.create(IDENTITY, "ada@x.co")
        w.project.delete(IDENTITY)
        (account,) = await w.do(change(Kind.CREATE, email="ada@x.co"))
        assert account is not None
        assert sum(w.environment.slept) >= 4
        w.project.leftover = 3600.0
        w.project.delete(IDENTITY)
        with pytest.raises(Retryable, match="a deleted user leaves behind"):
            await w.do(change(Kind.CREATE, email="ada@x.co"))
        assert len(w.project) == 0
