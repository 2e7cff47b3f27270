"""Listing Waii: organizations, then the tenants and users of each; complete only if every one of them answered and none came or went."""

from __future__ import annotations

from typing import Any

import pytest
from loopback import reply, scripted
from waii_world import ADMIN, HOME, World, world

from syncd.errors import Incomplete
from syncd.model import USER, Cursor, Page

pytestmark = pytest.mark.anyio

INFO = {"id": "me", "name": "Me", "email": "me", "roles": ["waii-super-admin-user"], "permissions": []}


def populate(w: World) -> None:
    """Two more organizations: one with a tenant and two users, one with nobody."""
    w.tree.create_organization("bolt", name="Bolt", variables={"tier": 1})
    w.tree.create_organization("void")
    w.tree.create_tenant("bolt-eu", "bolt", name="Europe")
    w.tree.create_user("zoë@bolt.example", "bolt", name="Zoë", tenant_id="bolt-eu", variables={"team": "blue"})
    w.tree.create_user("yan@bolt.example", "bolt", roles=["waii-user"])


def shape(pages: list[Page]) -> list[tuple[str, str | None, int]]:
    return [(page.object, page.container, len(page.records)) for page in pages]


async def test_organizations_come_first_then_the_tenants_and_users_of_each() -> None:
    async with world(sandbox={"users": 3}) as w:
        populate(w)
        pages = await w.walk()
        assert shape(pages) == [
            ("organization", None, 3),
            ("tenant", HOME, 0), ("user", HOME, 4), ("tenant", "bolt", 1), ("user", "bolt", 2), ("tenant", "void", 0), ("user", "void", 0),
        ]  # fmt: skip
        assert [page.first for page in pages] == [0, 3, 3, 7, 8, 10, 10]
        assert [page.complete for page in pages] == [False] * 6 + [True]
        assert {one.id for one in w.accounts(pages)} == set(w.tree.users)
        (bolt,) = (one for one in w.accounts(pages, "organization") if one.id == "bolt")
        assert (bolt.object, bolt.container, bolt.attributes) == (
            "organization", "bolt", {"id": "bolt", "name": "Bolt", "variables": {"tier": 1}},
        )  # fmt: skip
        (tenant,) = w.accounts(pages, "tenant")
        assert (tenant.object, tenant.id, tenant.container) == ("tenant", "bolt-eu", "bolt")
        (zoe,) = (one for one in w.accounts(pages) if one.id == "zoë@bolt.example")
        assert (zoe.object, zoe.container) == (USER, "bolt")
        assert zoe.attributes == {
            "id": "zoë@bolt.example", "name": "Zoë", "tenant_id": "bolt-eu", "org_id": "bolt", "variables": {"team": "blue"},
            "roles": ["waii-api-user"],
        }  # fmt: skip


async def test_only_the_organizations_that_are_named_are_listed() -> None:
    async with world(organizations=["void", "bolt"]) as w:
        populate(w)
        assert shape(await w.walk())[::2] == [("organization", None, 2), ("user", "bolt", 2), ("user", "void", 0)]


async def test_what_is_the_same_is_listed_in_the_same_bytes() -> None:
    async with world(sandbox={"users": 3}) as w:
        populate(w)
        assert [page.records for page in await w.walk()] == [page.records for page in await w.walk()]


async def test_our_own_account_and_those_who_may_do_more_are_protected() -> None:
    async with world() as w:
        w.tree.create_user("peer", roles=["waii-super-admin-user"])
        w.tree.create_user("odd")
        everybody = {one.id: one.protected for one in w.accounts(await w.walk())}
        assert everybody == {ADMIN: True, "peer": False, "odd": False}
        w.tree.update_user(ADMIN, roles=["waii-org-admin-user"])
        assert {one.id: one.protected for one in w.accounts(await w.walk())} == {ADMIN: True, "peer": True, "odd": False}


@pytest.mark.parametrize(
    ("roles", "protected"),
    [([], False), (["waii-user", "waii-admin-user"], False), (["waii-new-role"], True), (["waii-org-admin-user"], True)],
)
async def test_a_role_that_nobody_knows_may_be_a_higher_one(roles: list[str], protected: bool) -> None:
    info = {**INFO, "roles": ["waii-admin-user"]}
    orgs, none, users = {"organizations": [{"id": "o"}]}, {"tenants": []}, {"users": [{"id": "u", "org_id": "o", "roles": roles}]}
    async with scripted(*map(reply, (info, orgs, none, users, orgs))) as server, world(base_url=f"{server.url}/api/") as w:
        (user,) = w.accounts(await w.walk())
        assert user.protected is protected


async def test_nulls_and_absent_members_are_no_values() -> None:
    answers = (INFO, {"organizations": [{"id": "o", "name": "O", "new": 1}]}, {"tenants": [{"id": "t", "name": "T"}]})
    users = {
        "users": [{"id": "a", "name": None, "tenant_id": None, "org_id": None, "variables": None, "roles": None, "extra": 1}, {"id": "b"}]
    }
    end = {"organizations": [{"id": "o", "name": "renamed"}]}
    async with scripted(*map(reply, (*answers, users, end))) as server, world(base_url=f"{server.url}/api/") as w:
        pages = await w.walk()
        assert pages[-1].complete
        a, b = w.accounts(pages)
        assert (set(a.attributes.values()), set(b.attributes.values()), a.container) == ({"a", None}, {"b", None}, None)
        assert a.attributes.keys() == b.attributes.keys() == w.connector.capability.carried


# ---- what makes a listing incomplete -----------------------------------------------------------------------------------


@pytest.mark.parametrize("after", [1, 4])
@pytest.mark.parametrize("change", ["come", "go"])
async def test_organizations_that_come_or_go_meanwhile_make_it_incomplete(after: int, change: str) -> None:
    async with world() as w:
        populate(w)
        cursor: Cursor | None = None
        for _ in range(after):
            cursor = (await w.connector.list(cursor)).next
        if change == "come":
            w.tree.create_organization("anew")
        else:
            w.tree.delete_organization("void")
        with pytest.raises(Incomplete, match="changed while they were listed"):
            while cursor is not None:
                cursor = (await w.connector.list(cursor)).next


async def test_a_listing_goes_on_in_another_process_if_the_organizations_are_the_same() -> None:
    async with world() as w:
        populate(w)
        second = (await w.connector.list(None)).next
        async with world() as other:
            other.waii.tree = w.tree
            assert (await other.connector.list(second)).object == "tenant"
        w.tree.create_organization("anew")
        async with world() as other:
            other.waii.tree = w.tree
            with pytest.raises(Incomplete, match="changed while"):
                await other.connector.list(second)


async def test_an_organization_that_nobody_names_may_come_meanwhile() -> None:
    async with world(organizations=["bolt"]) as w:
        populate(w)
        cursor = (await w.connector.list(None)).next
        w.tree.create_organization("anew")
        while cursor is not None:
            page = await w.connector.list(cursor)
            cursor = page.next
        assert page.complete


@pytest.mark.parametrize("refuses", [False, True])
async def test_an_organization_still_to_be_created_is_empty(refuses: bool) -> None:
    async with world(organizations=[HOME, "later"]) as w:
        w.waii.refuses_unknown = refuses
        pages = await w.walk()
        assert shape(pages) == [
            ("organization", None, 1),
            ("tenant", HOME, 0),
            ("user", HOME, 1),
            ("tenant", "later", 0),
            ("user", "later", 0),
        ]
        assert pages[-1].complete


async def test_an_organization_that_is_not_listed_and_yet_has_users_proves_the_list_incomplete() -> None:
    async with world(organizations=[HOME, "lost"]) as w:
        w.tree.create_organization("lost")
        w.tree.create_user("ada", "lost")
        del w.tree.organizations["lost"]
        pages = await w.walk()
        assert (pages[-1].complete, pages[-1].defect) == (False, "organization lost is not listed, and yet has users")


async def test_a_key_that_may_list_no_organization_sees_nothing() -> None:
    async with scripted(reply(INFO), reply({"organizations": []})) as server, world(base_url=f"{server.url}/api/") as w:
        (page,) = await w.walk()
        assert (page.complete, page.next, page.defect) == (False, None, "the key may list no organization")


@pytest.mark.parametrize("object", ["tenants", "users"])
async def test_records_of_another_organization_prove_that_the_question_was_not_understood(object: str) -> None:
    records = {"tenants": [{"id": "t", "name": "T", "org_id": "o"}], "users": [{"id": "u", "org_id": "o"}]}
    records[object][0]["org_id"] = "p"
    answers = (INFO, {"organizations": [{"id": "o"}]}, {"tenants": records["tenants"]}, {"users": records["users"]})
    async with scripted(*map(reply, answers)) as server, world(base_url=f"{server.url}/api/") as w:
        last = (await w.walk())[-1]
        assert (last.complete, last.defect) == (False, f"asked for the {object} of o, the provider shows one of p")


@pytest.mark.parametrize(
    "organizations",
    [[{"name": "no id"}], [{"id": 1}], ["o"], [{"id": "o", "name": "a\x00b"}, None]],
    ids=["none", "number", "text", "null"],
)
async def test_an_organization_without_a_readable_id_makes_it_incomplete(organizations: Any) -> None:
    async with scripted(reply(INFO), reply({"organizations": organizations})) as server, world(base_url=f"{server.url}/api/") as w:
        with pytest.raises(Incomplete, match="organization"):
            await w.walk()
