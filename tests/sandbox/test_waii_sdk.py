"""The vendor's own SDK for Python against the emulated Waii: a client we did not write is content with our answers."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import pytest
from waii_sdk_py import Waii
from waii_sdk_py.user import (
    CreateAccessKeyRequest,
    CreateOrganizationRequest,
    CreateTenantRequest,
    CreateUserRequest,
    DelAccessKeyRequest,
    DeleteOrganizationRequest,
    DeleteTenantRequest,
    DeleteUserRequest,
    GetAccessKeyRequest,
    GetUserInfoRequest,
    ListOrganizationsRequest,
    ListTenantsRequest,
    ListUsersRequest,
    Organization,
    Tenant,
    UpdateConfigRequest,
    UpdateOrganizationRequest,
    UpdateTenantRequest,
    UpdateUserRequest,
    User,
)

from syncd.sandbox import Sandbox, serve
from syncd.sandbox.waii_tree import ADMIN, HOME


@pytest.fixture
def sandbox() -> Sandbox:
    return Sandbox(users=3)


@pytest.fixture
def sdk(sandbox: Sandbox, monkeypatch: pytest.MonkeyPatch) -> Iterator[Any]:
    for name in ("HTTP_PROXY", "http_proxy", "ALL_PROXY", "all_proxy"):
        monkeypatch.delenv(name, raising=False)
    with serve(sandbox) as url:
        client = Waii()
        client.initialize(url=f"{url}/api/", api_key=sandbox.waii.api_key)
        yield client


def test_organizations_tenants_and_users(sdk: Any, sandbox: Sandbox) -> None:
    users, tree = sdk.user, sandbox.waii.tree
    users.create_org(CreateOrganizationRequest(organization=Organization(id="bolt", name="Bolt", variables={"z": 2})))
    users.create_tenant(CreateTenantRequest(tenant=Tenant(id="eu", name="Europe", org_id="bolt")))
    users.create_user(CreateUserRequest(user=User(id="ada", tenant_id="eu", org_id="bolt", variables={"x": 1})))
    (ada,) = users.list_users(ListUsersRequest(lookup_org_id="bolt")).users
    assert (ada.id, ada.name, ada.tenant_id, ada.org_id, ada.variables, ada.roles) == (
        "ada",
        None,
        "eu",
        "bolt",
        {"x": 1},
        ["waii-api-user"],
    )
    users.update_user(UpdateUserRequest(user=User(id="ada", name="Ada", org_id="bolt", roles=["waii-user"])))
    assert tree.users["ada"] == {
        "id": "ada", "name": "Ada", "tenant_id": None, "org_id": "bolt", "variables": None, "roles": ["waii-user"],
    }  # fmt: skip
    users.update_tenant(UpdateTenantRequest(tenant=Tenant(id="eu", name="EU", org_id="bolt", variables={"v": 1})))
    assert [(one.id, one.name, one.variables) for one in users.list_tenants(ListTenantsRequest(lookup_org_id="bolt")).tenants] == [
        ("eu", "EU", {"v": 1})
    ]
    users.update_org(UpdateOrganizationRequest(organization=Organization(id="bolt", name="Bolt 2")))
    assert {one.id: one.name for one in users.list_orgs(ListOrganizationsRequest()).organizations} == {HOME: "Acme", "bolt": "Bolt 2"}
    users.delete_user(DeleteUserRequest(id="ada"))
    users.delete_tenant(DeleteTenantRequest(id="eu"))
    users.delete_org(DeleteOrganizationRequest(id="bolt"))
    assert ([*tree.tenants], [*tree.organizations], "ada" in tree.users) == ([], [HOME], False)


def test_lookups(sdk: Any, sandbox: Sandbox) -> None:
    everybody = [one.id for one in sdk.user.list_users(ListUsersRequest()).users]
    assert everybody == [*sandbox.waii.tree.users]
    assert everybody[0] == ADMIN
    (found,) = sdk.user.list_users(ListUsersRequest(lookup_user_id=everybody[1])).users
    assert found.id == everybody[1]
    for nobody in ({"lookup_user_id": "nobody"}, {"lookup_tenant_id": "none"}, {"lookup_org_id": "none"}):
        assert sdk.user.list_users(ListUsersRequest(**nobody)).users == []


def test_access_keys_our_own_and_anothers(sdk: Any, sandbox: Sandbox) -> None:
    someone = [*sandbox.waii.tree.users][1]
    assert [one.name for one in sdk.user.list_access_keys(GetAccessKeyRequest()).access_keys] == ["sandbox"]
    with sdk.impersonate_user(someone):
        made = sdk.user.create_access_key(CreateAccessKeyRequest(name="ci")).access_keys
        assert [(one.name, one.user_id) for one in made] == [("ci", someone)]
        with pytest.raises(Exception, match="already exists"):
            sdk.user.create_access_key(CreateAccessKeyRequest(name="ci"))
        sdk.user.delete_access_key(DelAccessKeyRequest(names=["ci", "never there"]))
        assert sdk.user.list_access_keys(GetAccessKeyRequest()).access_keys == []
        assert sdk.user.get_user_info(GetUserInfoRequest()).id == someone
    info = sdk.user.get_user_info(GetUserInfoRequest())
    assert (info.id, info.email, info.roles) == (ADMIN, ADMIN, ["waii-super-admin-user"])
    assert "usage:impersonation" in info.permissions


def test_config(sdk: Any) -> None:
    assert sdk.user.update_config(UpdateConfigRequest(updated={"a": 1, "b": 2})).configs == {"a": 1, "b": 2}
    assert sdk.user.update_config(UpdateConfigRequest(deleted=["a"])).configs == {"b": 2}
    assert sdk.user.update_config(UpdateConfigRequest()).configs == {"b": 2}


@pytest.mark.parametrize(
    ("call", "request_", "said"),
    [
        ("create_user", CreateUserRequest(user=User(id=ADMIN)), "already exists"),
        ("create_user", CreateUserRequest(user=User(id="x", org_id="none")), "Organization none not found"),
        ("create_user", CreateUserRequest(user=User(id="")), "at least 1 characters"),
        ("update_user", UpdateUserRequest(user=User(id="nobody")), "User nobody not found"),
        ("delete_user", DeleteUserRequest(id="nobody"), "User nobody not found"),
        ("create_tenant", CreateTenantRequest(tenant=Tenant(id="t", name="T", org_id="none")), "Organization none not found"),
        ("delete_org", DeleteOrganizationRequest(id=HOME), "not empty"),
    ],
)
def test_errors_reach_the_sdk_with_their_detail(sdk: Any, call: str, request_: Any, said: str) -> None:
    with pytest.raises(Exception, match=said):
        getattr(sdk.user, call)(request_.copy())


def test_the_sdk_is_told_of_faults_and_bad_keys(sdk: Any, sandbox: Sandbox) -> None:
    sandbox.faults = "429@list"
    with pytest.raises(Exception, match="Too Many Requests"):
        sdk.user.list_users(ListUsersRequest())
    sandbox.waii.tree.keys.clear()
    with pytest.raises(Exception, match="Incorrect API key"):
        sdk.user.list_users(ListUsersRequest())
