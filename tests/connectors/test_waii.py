"""Reading single Waii users, ending their access keys, and what `check` tells before anything runs."""

from __future__ import annotations

from typing import Any

import pytest
from loopback import reply, scripted
from waii_world import ADMIN, HOME, MARKER, World, answered, world

from syncd.errors import Quarantined, Retryable
from syncd.model import Account, Ref, Unknown
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
