"""Tenants and organizations: created before their users, written whole, deleted only when nothing is left in them."""

from __future__ import annotations

from typing import Any

import pytest
from waii_world import HOME, MARKER, change, options, world

from syncd.connectors.answer import Conflict
from syncd.errors import InDoubt, Rejected
from syncd.model import Account, Kind, Ref

pytestmark = pytest.mark.anyio

TENANT: dict[str, Any] = {"object": "tenant"}
ORGANIZATION: dict[str, Any] = {"object": "organization"}


async def test_a_tenant_is_created_changed_and_deleted() -> None:
    async with world() as w:
        (made,) = await w.do(change(Kind.CREATE, **TENANT, id="emea", org_id=HOME, name="EMEA", variables__syncd=MARKER))
        assert isinstance(made, Account)
        assert (made.object, made.id, made.container, made.protected) == ("tenant", "emea", HOME, False)
        (changed,) = await w.do(change(Kind.UPDATE, "emea", **TENANT, name="Europe", variables__tier=2))
        assert changed is not None and changed.attributes == w.tree.tenants["emea"]
        assert await w.connector.fetch(Ref("emea", "tenant", HOME)) == changed
        assert await w.do(change(Kind.DELETE, "emea", **TENANT, document=changed.attributes)) == [None]
        assert w.tree.tenants == {}
        assert w.writes == [
            ("create-tenant", {"tenant": {"id": "emea", "name": "EMEA", "org_id": HOME, "variables": {"syncd": MARKER}}}),
            ("update-tenant", {"tenant": {"id": "emea", "name": "Europe", "org_id": HOME, "variables": {"syncd": MARKER, "tier": 2}}}),
            ("delete-tenant", {"id": "emea"}),
        ]


async def test_an_organization_is_created_changed_and_deleted() -> None:
    async with world(organizations=[HOME, "bolt"]) as w:
        (made,) = await w.do(change(Kind.CREATE, **ORGANIZATION, id="bolt"))
        assert made is not None and (made.object, made.container) == ("organization", "bolt")
        (changed,) = await w.do(change(Kind.UPDATE, "bolt", **ORGANIZATION, variables__tier=2))
        assert changed is not None and changed.attributes == {"id": "bolt", "name": "bolt", "variables": {"tier": 2}}
        assert await w.do(change(Kind.DELETE, "bolt", **ORGANIZATION)) == [None]
        assert [*w.tree.organizations] == [HOME]
        assert w.writes == [
            ("create-org", {"organization": {"id": "bolt", "name": "bolt", "variables": {}}}),
            ("update-org", {"organization": {"id": "bolt", "name": "bolt", "variables": {"tier": 2}}}),
            ("delete-org", {"id": "bolt"}),
        ]


async def test_an_organization_is_found_by_one_request() -> None:
    async with world() as w:
        await w.connector.list(None)
        w.recorder.sent.clear()
        assert isinstance(await w.connector.fetch(Ref(HOME, "organization")), Account)
        assert w.operations == ["list-orgs"]


async def test_containers_with_something_in_them_are_not_deleted() -> None:
    async with world() as w:
        w.tree.create_organization("bolt")
        w.tree.create_tenant("bolt-eu", "bolt")
        w.tree.create_user("ada", "bolt", tenant_id="bolt-eu")
        refused = (("bolt-eu", TENANT, "tenant bolt-eu still has users"), ("bolt", ORGANIZATION, "organization bolt still has users"))
        for id, object, said in refused:
            with pytest.raises(Rejected, match=said):
                await w.do(change(Kind.DELETE, id, **object))
        w.tree.delete_user("ada")
        with pytest.raises(Rejected, match="organization bolt still has tenants"):
            await w.do(change(Kind.DELETE, "bolt", **ORGANIZATION))
        assert w.writes == []
        for id, object in (("bolt-eu", TENANT), ("bolt", ORGANIZATION)):
            await w.do(change(Kind.DELETE, id, **object))
        assert ([*w.tree.tenants], [*w.tree.organizations]) == ([], [HOME])


@pytest.mark.parametrize("object", ["tenant", "organization"])
async def test_deleting_what_is_gone_is_done(object: str) -> None:
    async with world() as w:
        assert await w.do(change(Kind.DELETE, "none", object=object, document={"org_id": "none"})) == [None]


async def test_a_container_that_another_made_is_named_and_our_own_is_done() -> None:
    async with world() as w:
        w.tree.create_tenant("emea", variables={"syncd": MARKER})
        w.tree.create_tenant("apac")
        (found,) = await w.do(change(Kind.CREATE, **TENANT, id="emea", org_id=HOME, variables__syncd=MARKER))
        assert found is not None and found.id == "emea"
        for object, id, said in ((TENANT, "apac", "apac exists already in acme"), (ORGANIZATION, HOME, "acme exists already.")):
            with pytest.raises(Conflict, match=said):
                await w.do(change(Kind.CREATE, **object, id=id, **({"org_id": HOME} if object is TENANT else {}), variables__syncd=MARKER))


async def test_a_tenant_cannot_move_and_needs_its_organization() -> None:
    async with world() as w:
        with pytest.raises(Rejected, match="Organization none not found"):
            await w.do(change(Kind.CREATE, **TENANT, id="emea", org_id="none"))
        with pytest.raises(Rejected, match="no request that changes it"):
            w.connector.steps(change(Kind.UPDATE, "emea", **TENANT, org_id=("a", "b")))


async def test_containers_have_no_keys_to_revoke() -> None:
    async with world() as w:
        for object in (TENANT, ORGANIZATION):
            assert [step.path.split("-")[0] for step in w.connector.steps(change(Kind.DELETE, "x", **object))] == ["/delete"]


@pytest.mark.parametrize("operation", ["create-tenant", "create-org"])
async def test_a_create_without_an_answer_is_in_doubt_and_a_fetch_settles_it(operation: str) -> None:
    object = {"create-tenant": TENANT, "create-org": ORGANIZATION}[operation]
    async with world(sandbox={"faults": "reset@create;when=after"}) as w:
        with pytest.raises(InDoubt):
            await w.do(change(Kind.CREATE, **object, id="x", **({"org_id": HOME} if object is TENANT else {})))
        assert w.operations.count(operation) == 1
        assert isinstance(await w.connector.fetch(Ref("x", object["object"])), Account)


async def test_a_person_and_a_container_of_one_name_are_two() -> None:
    async with world() as w:
        w.tree.create_tenant("ada", name="The tenant")
        w.tree.create_user("ada", name="The user")
        for object, name in (("user", "The user"), ("tenant", "The tenant")):
            found = await w.connector.fetch(Ref("ada", object))
            assert isinstance(found, Account)
            assert (found.object, found.attributes["name"]) == (object, name)


def test_what_the_configuration_says_of_containers_is_declared() -> None:
    made = options(
        "http://127.0.0.1",
        organizations={"acme": {"name": "Acme", "variables": {"tier": 1}}, "bolt": {}},
        tenants={"acme-ca": {"organization": "acme", "name": "California"}},
    ).capability()
    organization, tenant = made.containers["organization"], made.containers["tenant"]
    assert [*made.containers] == ["organization", "tenant"], "the outermost first"
    assert (organization.named_by, organization.within, organization.open) == ("org_id", None, False)
    assert organization.named == {"acme": {"name": "Acme", "variables": {"tier": 1}}, "bolt": {}}
    assert (tenant.named_by, tenant.within, tenant.open) == ("tenant_id", "organization", True)
    assert tenant.named == {"acme-ca": {"org_id": "acme", "name": "California"}}
    assert {*tenant.capability.attributes} == {"id", "name", "org_id", "variables"}
    assert {*organization.capability.attributes} == {"id", "name", "variables"}
    assert organization.named_by in tenant.capability.attributes
