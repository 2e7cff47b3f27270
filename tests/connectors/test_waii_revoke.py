"""Access keys end with their owner: revoked by name, acting as the user, and said clearly where that cannot be."""

from __future__ import annotations

from typing import Any

import pytest
from waii_world import ADMIN, HOME, MARKER, World, answered, change, world

from syncd.errors import Rejected, Retryable
from syncd.model import Kind

pytestmark = pytest.mark.anyio

ADA = "ada@x.co"
USERS = {"users": [{"id": ADA, "org_id": "o"}]}


def make(w: World, **more: Any) -> None:
    w.tree.create_organization("bolt")
    w.tree.create_user(ADA, **{"org_id": "bolt", "variables": {"syncd": MARKER}, **more})


async def test_who_is_disabled_or_deleted_loses_its_keys() -> None:
    async with world() as w:
        make(w, org_id=HOME)
        for name in ("laptop", "ci"):
            w.tree.create_key(ADA, name)
        disabling = w.connector.steps(change(Kind.DISABLE, ADA, roles=["waii-trial-user"]))
        assert [(step.n, step.path, step.creates) for step in disabling] == [
            (1, "/delete-access-keys", False), (2, "/update-user", False), (3, "/delete-access-keys", False),
        ]  # fmt: skip
        answers = [await w.connector.perform(step) for step in disabling]
        assert [one.attributes["roles"] for one in answers if one is not None] == [["waii-api-user"], *[["waii-trial-user"]] * 2]
        assert [key.user_id for key in w.tree.keys.values()] == [ADMIN]
        (revoking,) = (one for one in w.sent if one.operation == "delete-access-keys")
        assert (revoking.json["names"], revoking.headers["x-waii-impersonate-user"]) == (["ci", "laptop"], ADA)
        deleting = w.connector.steps(change(Kind.DELETE, ADA))
        assert [(step.n, step.path) for step in deleting] == [(1, "/delete-access-keys"), (2, "/delete-user")]
        assert [await w.connector.perform(step) is None for step in deleting] == [False, True]


async def test_who_stays_keeps_its_keys() -> None:
    async with world() as w:
        for kind in (Kind.ADOPT, Kind.UPDATE):
            assert w.connector.steps(change(kind, ADA)) == ()
        assert [step.path for step in w.connector.steps(change(Kind.UPDATE, ADA, name="x"))] == ["/update-user"]


async def test_a_key_made_while_its_owner_is_disabled_goes_too() -> None:
    async with world() as w:
        make(w, org_id=HOME)
        first, disabling, last = w.connector.steps(change(Kind.DISABLE, ADA, name="x"))
        await w.connector.perform(first)
        w.tree.create_key(ADA, "late")
        await w.connector.perform(disabling)
        await w.connector.perform(last)
        assert len(w.tree.keys) == 1


@pytest.mark.parametrize("kind", [Kind.DISABLE, Kind.DELETE])
async def test_a_key_without_a_name_cannot_be_revoked(kind: Kind) -> None:
    """Who is to be disabled is, the keys with a name are gone, and it is said."""
    async with world() as w:
        make(w, org_id=HOME)
        w.tree.create_key(ADA, "laptop")
        w.tree.create_key(ADA, None)
        with pytest.raises(Rejected, match="one has no name, and keys are revoked by name"):
            await w.do(change(kind, ADA, **({"name": "x"} if kind is Kind.DISABLE else {})))
        assert [key.name for key in w.tree.keys.values()] == ["sandbox", None]
        assert w.tree.users[ADA]["name"] == ("x" if kind is Kind.DISABLE else None)


async def test_whom_we_may_not_act_as_is_rejected_alone() -> None:
    """Impersonation ends at the organization; the connection goes on."""
    async with world() as w:
        make(w)
        with pytest.raises(Rejected, match=r"Cannot impersonate ada@x.co.* to act as this user"):
            await w.do(change(Kind.DELETE, ADA))
        assert ADA in w.tree.users


async def test_keys_that_are_not_the_users_are_our_own() -> None:
    """A server that ignores the header shows the keys of the caller: deleting them would lock us out."""
    for keys in ([{"access_key": "x", "user_id": "me", "name": "main"}], [{"access_key": "x", "name": "main"}]):
        async with answered(list_users=USERS, list_access_keys={"access_keys": keys}) as w:
            revoking, _ = w.connector.steps(change(Kind.DELETE, ADA))
            with pytest.raises(Rejected, match="the provider shows another's"):
                await w.connector.perform(revoking)


@pytest.mark.parametrize("answer", [{"access_keys": None}, {}, {"access_keys": []}])
async def test_a_user_without_keys(answer: Any) -> None:
    async with answered(list_users=USERS, list_access_keys=answer) as w:
        revoking, _ = w.connector.steps(change(Kind.DELETE, ADA))
        assert await w.connector.perform(revoking) is not None


@pytest.mark.parametrize("answer", [{"access_keys": "none"}, {"access_keys": [1]}, []])
async def test_keys_that_cannot_be_read_are_not_taken_for_none(answer: Any) -> None:
    async with answered(list_users=USERS, list_access_keys=answer) as w:
        revoking, _ = w.connector.steps(change(Kind.DELETE, ADA))
        with pytest.raises(Retryable, match="no list of access keys"):
            await w.connector.perform(revoking)


@pytest.mark.parametrize("id", ["Zoë", " ada", "ada "])
async def test_an_id_that_cannot_stand_in_a_header_cannot_be_acted_as(id: str) -> None:
    async with world() as w:
        make(w, org_id=HOME)
        w.tree.create_user(id)
        with pytest.raises(Rejected, match="cannot stand in the header"):
            await w.do(change(Kind.DELETE, id))


async def test_the_keys_of_somebody_who_is_gone_are_no_matter() -> None:
    async with world() as w:
        await w.do(change(Kind.DELETE, "nobody"))
        assert "list-access-keys" not in w.operations


async def test_without_revoke_keys_are_left_alone() -> None:
    async with world() as w:
        make(w, org_id=HOME)
        w.tree.create_key(ADA, None)
        await w.do(change(Kind.DISABLE, ADA, name="x", revoke=False))
        assert len(w.tree.keys) == 2
        assert [step.path for step in w.connector.steps(change(Kind.DELETE, ADA, revoke=False))] == ["/delete-user"]


@pytest.mark.parametrize("kind", [Kind.ADOPT, Kind.DISABLE])
async def test_revoking_may_be_all_there_is_to_do(kind: Kind) -> None:
    async with world() as w:
        make(w, org_id=HOME)
        w.tree.create_key(ADA, "laptop")
        (account,) = await w.do(change(kind, ADA, revoke=True))
        assert account is not None and account.id == ADA
        assert len(w.tree.keys) == 1
        w.tree.create_key(ADA, None)
        with pytest.raises(Rejected, match="has no name"):
            await w.do(change(kind, ADA, revoke=True))


async def test_it_is_declared_that_users_have_keys_and_containers_none() -> None:
    """Without it nothing would be revoked: the planner asks for what is declared."""
    async with world() as w:
        capability = w.connector.capability
        assert capability.revokes == "access keys"
        assert {one.capability.revokes for one in capability.containers.values()} == {""}
