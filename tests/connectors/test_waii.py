"""Reading single Waii users, ending their access keys, and what `check` tells before anything runs."""

from __future__ import annotations

from typing import Any

import pytest
from loopback import reply, scripted
from waii_world import ADMIN, HOME, MARKER, World, answered, change, world

from syncd.errors import Quarantined, Rejected, Retryable
from syncd.model import Account, Kind, Ref, Unknown
from syncd.sandbox.waii_roles import PERMISSIONS

pytestmark = pytest.mark.anyio

ADA = "ada@x.co"
USERS = {"users": [{"id": ADA, "org_id": "o"}]}


def make(w: World, **more: Any) -> None:
    w.tree.create_organization("bolt")
    w.tree.create_user(ADA, **{"org_id": "bolt", "variables": {"syncd": MARKER}, **more})


# ---- fetch and find ----------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("container", [None, "bolt", HOME, "vanished"])
@pytest.mark.parametrize("refuses", [False, True])
async def test_a_user_is_found_in_whichever_organization_shows_it(container: str | None, refuses: bool) -> None:
    async with world() as w:
        make(w)
        w.waii.refuses_unknown = refuses
        account = await w.connector.fetch(Ref(ADA, container=container))
        assert isinstance(account, Account)
        assert (account.id, account.container, account.protected) == (ADA, "bolt", False)


async def test_absence_is_never_proven() -> None:
    async with world() as w:
        make(w)
        for ref in (Ref("nobody"), Ref("nobody", container="bolt"), Ref("t", "tenant"), Ref("o", "organization"), Ref(ADA.upper())):
            assert isinstance(await w.connector.fetch(ref), Unknown)
        assert (w.connector.capability.gone, w.connector.capability.fading is not None) == (False, True)


async def test_a_user_of_an_organization_that_is_not_ours_is_not_found() -> None:
    async with world(organizations=[HOME]) as w:
        make(w)
        assert isinstance(await w.connector.fetch(Ref(ADA)), Unknown)


async def test_find_asks_for_the_id_and_nothing_else() -> None:
    async with world() as w:
        make(w)
        assert [one.id for one in await w.connector.find({"id": ADA, "variables.syncd": "x"})] == [ADA]
        assert await w.connector.find({"id": "nobody"}) == []
        w.recorder.sent.clear()
        assert await w.connector.find({"variables.syncd": MARKER}) == []
        assert w.sent == []


async def test_what_a_server_shows_that_knows_no_lookups_does_not_count() -> None:
    """Older ones ignore lookup_user_id and answer everybody."""
    users = {"users": [{"id": "bea", "org_id": "o"}, {"id": "ada", "org_id": "o"}]}
    for id, found in (("ada", True), ("cleo", False)):
        async with answered(list_users=users) as w:
            assert [one.id for one in await w.connector.find({"id": id})] == ["ada"] * found


@pytest.mark.parametrize(("faults", "error"), [("401@list", Quarantined), ("500@list:*", Retryable), ("403@fetch", Quarantined)])
async def test_a_refusal_is_no_absence(faults: str, error: type[Exception]) -> None:
    async with world(sandbox={"faults": faults}) as w:
        with pytest.raises(error):
            await w.connector.fetch(Ref(ADA))


# ---- revoke ------------------------------------------------------------------------------------------------------------


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


async def test_a_change_that_writes_nothing_revokes_nothing() -> None:
    async with world() as w:
        for kind in (Kind.DISABLE, Kind.ADOPT, Kind.UPDATE):
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
        w.connector._objects["user"].revoke = False
        w.tree.create_key(ADA, None)
        await w.do(change(Kind.DISABLE, ADA, name="x"))
        assert len(w.tree.keys) == 2
        assert [step.path for step in w.connector.steps(change(Kind.DELETE, ADA))] == ["/delete-user"]


# ---- check -------------------------------------------------------------------------------------------------------------

ALL = {"read:user", "read:tenant", "read:org", "write:user", "write:tenant", "usage:impersonation"}


async def test_check_of_a_good_key() -> None:
    async with world(writable=False) as w:
        health = await w.connector.check()
        assert (health.ok, health.problems, dict(health.permissions)) == (True, (), dict.fromkeys(ALL, True))


@pytest.mark.parametrize("role", PERMISSIONS)
async def test_check_names_every_permission_that_is_lacking(role: str) -> None:
    async with world() as w:
        w.tree.update_user(ADMIN, roles=[role])
        health = await w.connector.check()
        assert {name for name, granted in health.permissions.items() if granted} == PERMISSIONS[role] & ALL
        assert health.ok is ("read:user" in PERMISSIONS[role])
        lacking = [name for name in ("read:user", "read:tenant", "read:org") if name not in PERMISSIONS[role]]
        assert [problem.split()[3].rstrip(",") for problem in health.problems] == lacking


async def test_write_org_is_needed_only_where_an_organization_may_need_creating() -> None:
    async with world(organizations=[HOME, "later"]) as w:
        health = await w.connector.check()
        assert (health.ok, health.permissions["write:org"]) == (True, True)
        w.tree.update_user(ADMIN, roles=["waii-org-admin-user"])
        health = await w.connector.check()
        assert (health.permissions["write:org"], health.problems) == (
            False, ("organization later is not there, and the key may not create it (write:org)",),
        )  # fmt: skip
        assert w.writes == []


@pytest.mark.parametrize(
    ("faults", "said"),
    [
        ("401@fetch", "check api_key"), ("500@fetch:*", "500"), ("html@fetch:*", "instead of JSON"), ("short@list", "no organization"),
        ("500@list:*", "500"), ("401@list", "credentials are refused"),
    ],
)  # fmt: skip
async def test_check_says_what_is_wrong(faults: str, said: str) -> None:
    async with world(sandbox={"faults": faults}) as w:
        health = await w.connector.check()
        assert not health.ok
        assert said in health.problems[0]


async def test_check_of_a_wrong_key_address_or_clock() -> None:
    async with world(api_key="wrong") as w:
        assert "check api_key" in (await w.connector.check()).problems[0]
    async with scripted(reply({"detail": "Not Found"}, 404)) as server, world(base_url=f"{server.url}/v2/") as w:
        assert "404 Not Found" in (await w.connector.check()).problems[0]
    info = {"id": "me", "roles": [], "permissions": sorted(ALL)}
    answers = [reply(info, date="Thu, 01 Jan 2015 00:00:00 GMT"), reply({"organizations": [{"id": "o"}]})]
    async with scripted(*answers) as server, world(base_url=f"{server.url}/api/") as w:
        assert "set it by NTP" in (await w.connector.check()).problems[0]


@pytest.mark.parametrize("info", [{}, {"id": 1}, {"id": "me", "roles": "all"}, []])
async def test_an_answer_that_does_not_say_who_asks_protects_nobody_and_is_not_believed(info: Any) -> None:
    async with scripted(reply(info)) as server, world(base_url=f"{server.url}/api/") as w:
        assert "does not say who is asking" in (await w.connector.check()).problems[0]
        with pytest.raises(Retryable):
            await w.connector.list(None)
