"""The emulated Waii: who lacks what, who may play whom, and whose access keys they are."""

from __future__ import annotations

import pytest

from syncd.sandbox.waii_roles import LADDER, PERMISSIONS
from syncd.sandbox.waii_tree import ADMIN, HOME

from .conftest import Clock
from .waii_served import MakeServed, as_role


@pytest.mark.parametrize(
    ("operation", "needs"),
    [
        ("list-users", "read:user"), ("list-tenants", "read:tenant"), ("list-orgs", "read:org"), ("create-user", "write:user"),
        ("update-user", "write:user"), ("delete-user", "write:user"), ("create-tenant", "write:tenant"), ("delete-tenant", "write:tenant"),
        ("create-org", "write:org"), ("update-org", "write:org"), ("delete-org", "write:org"), ("create-key", "write:access_key"),
    ],
)  # fmt: skip
def test_who_lacks_a_permission_is_refused(waii: MakeServed, operation: str, needs: str) -> None:
    one = waii()
    for role in LADDER:
        refused = one.said(operation, {}, **as_role(one, role)) == (403, f"Permission denied: {needs}")
        assert refused is (needs not in PERMISSIONS[role]), role


def test_an_administrator_of_an_organization_is_one_there_alone(waii: MakeServed) -> None:
    one = waii()
    one.tree.create_organization("bolt")
    there = as_role(one, "waii-org-admin-user", "bolt")
    one.tree.create_user("far")
    assert one.shown("list-orgs", **there) == ["bolt"]
    assert one.shown("list-users", **there) == ["waii-org-admin-user@bolt"]
    assert one.said("list-users", {"lookup_org_id": HOME}, **there) == (403, "Permission denied: organization acme")
    assert one.said("create-user", {"user": {"id": "x", "org_id": HOME}}, **there) == (403, "Permission denied: organization acme")
    assert one.said("create-tenant", {"tenant": {"id": "x", "name": "X", "org_id": HOME}}, **there)[0] == 403
    assert one.said("create-user", {"user": {"id": "x"}}, **there) == (200, {})
    assert one.tree.users["x"]["org_id"] == "bolt"


def test_nobody_touches_who_may_do_more(waii: MakeServed) -> None:
    one = waii()
    lower = as_role(one, "waii-org-admin-user")
    refused = (403, "Permission denied: more permissions than the caller's")
    assert one.said("update-user", {"user": {"id": ADMIN}}, **lower) == refused
    assert one.said("delete-user", {"id": ADMIN}, **lower) == refused
    assert one.said("create-user", {"user": {"id": "x", "roles": ["waii-super-admin-user"]}}, **lower) == refused
    assert one.tree.users[ADMIN]["roles"] == ["waii-super-admin-user"]


def test_who_may_play_whom(waii: MakeServed) -> None:
    one = waii()
    one.tree.create_organization("bolt")
    one.tree.create_user("near", roles=["waii-org-admin-user"])
    one.tree.create_user("far", "bolt")
    assert one.send("get-user-info", x_waii_impersonate_user="near").json()["id"] == "near"
    for other in ("far", "nobody"):
        assert one.said("get-user-info", x_waii_impersonate_user=other) == (403, f"Cannot impersonate {other}")
    lower, lowest = as_role(one, "waii-org-admin-user"), as_role(one, "waii-admin-user")
    assert one.said("get-user-info", x_waii_impersonate_user=ADMIN, **lower) == (403, f"Cannot impersonate {ADMIN}")
    assert one.said("get-user-info", x_waii_impersonate_user="near", **lowest) == (403, "Cannot impersonate near")


def test_access_keys_belong_to_who_asks_or_is_played(waii: MakeServed, clock: Clock) -> None:
    one = waii(environment=clock)
    one.tree.create_user("ada")
    as_ada = {"x_waii_impersonate_user": "ada"}
    (made,) = one.send("create-key", {"name": "ci"}, **as_ada).json()["access_keys"]
    assert made == {
        "access_key": made["access_key"], "user_id": "ada", "name": "ci", "description": None,
        "created_at": int(clock.now().timestamp() * 1000),
    }  # fmt: skip
    assert one.send("get-user-info", Authorization=f"Bearer {made['access_key']}").json()["id"] == "ada"
    assert [key["name"] for key in one.send("list-access-keys").json()["access_keys"]] == ["sandbox"]
    assert one.said("delete-access-keys", {"names": ["ci"]}) == (200, {})
    assert len(one.send("list-access-keys", **as_ada).json()["access_keys"]) == 1
    assert one.said("delete-access-keys", {"names": ["ci", "none"]}, **as_ada) == (200, {})
    assert one.send("list-access-keys", **as_ada).json() == {"access_keys": []}
    one.tree.create_key("ada", None)
    one.tree.delete_user("ada")
    assert len(one.tree.keys) == 1
