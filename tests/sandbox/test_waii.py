"""The emulated Waii: what each operation answers, and what must exist before what."""

from __future__ import annotations

from typing import Any

import pytest

from syncd.sandbox.waii import Waii
from syncd.sandbox.waii_roles import PERMISSIONS
from syncd.sandbox.waii_tree import ADMIN, HOME

from .conftest import Clock
from .waii_served import MakeServed


def test_who_may_ask(waii: MakeServed) -> None:
    one = waii()
    for wrong in ("Bearer wrong", "Basic " + Waii.api_key, Waii.api_key, ""):
        assert one.said("get-user-info", Authorization=wrong) == (401, "Incorrect API key")
    assert one.send("get-user-info", Authorization=f"bearer {Waii.api_key}").status_code == 200
    one.tree.directory.remove(1, ADMIN)
    assert one.said("get-user-info") == (401, "Incorrect API key")


def test_everything_is_a_post_of_an_object(waii: MakeServed) -> None:
    one = waii()
    assert one.client.get("/api/list-users").json() == {"detail": "Method Not Allowed"}
    assert one.said("list-user") == (404, "Not Found")
    for body in (b"", b"{", b"[]", b"1"):
        answer = one.client.post("/api/list-users", content=body)
        assert (answer.status_code, answer.json()["detail"][0]["loc"]) == (422, ["body"])


def test_who_is_asking(waii: MakeServed) -> None:
    one = waii()
    assert one.send("get-user-info").json() == {
        "id": ADMIN, "name": "Administrator", "email": ADMIN, "roles": ["waii-super-admin-user"],
        "permissions": sorted(PERMISSIONS["waii-super-admin-user"]),
    }  # fmt: skip
    assert one.send("update-db-connect-info").json() == {"connectors": []}


def test_the_people_of_the_seed_and_the_administrator(waii: MakeServed) -> None:
    one = waii(users=3)
    users = one.send("list-users").json()["users"]
    assert [user["id"] for user in users] == [*one.tree.users]
    assert users[1] == {
        "id": users[1]["id"], "name": users[1]["name"], "tenant_id": None, "org_id": HOME, "variables": None, "roles": ["waii-api-user"],
    }  # fmt: skip
    assert len(one.tree) == 4
    assert one.said("create-user", {"user": {"id": users[1]["id"]}}) == (400, f"User {users[1]['id']} already exists")


def test_lookups(waii: MakeServed) -> None:
    one = waii()
    one.tree.create_organization("bolt")
    one.tree.create_tenant("eu", "bolt")
    for name, tenant in (("a", None), ("b", "eu")):
        one.tree.create_user(name, "bolt", tenant_id=tenant)
    for lookup, found in (
        ({}, [ADMIN]), ({"lookup_org_id": None}, [ADMIN]), ({"lookup_org_id": ""}, [ADMIN]), ({"lookup_org_id": "bolt"}, ["a", "b"]),
        ({"lookup_org_id": "bolt", "lookup_tenant_id": "eu"}, ["b"]), ({"lookup_org_id": "bolt", "lookup_user_id": "a"}, ["a"]),
        ({"lookup_user_id": "a"}, []), ({"lookup_user_id": "none"}, []), ({"lookup_org_id": "none"}, []),
    ):  # fmt: skip
        assert one.shown("list-users", lookup) == found, lookup
    assert one.shown("list-tenants", {"lookup_org_id": "bolt"}) == ["eu"]
    assert one.shown("list-tenants") == []
    assert one.shown("list-orgs") == [HOME, "bolt"]
    one.waii.refuses_unknown = True
    assert one.said("list-users", {"lookup_org_id": "none"}) == (400, "Organization none not found")


def test_a_write_answers_an_empty_object_and_an_update_replaces_the_whole(waii: MakeServed) -> None:
    one = waii()
    whole = {"id": "ada", "name": "Ada", "variables": {"x": 1}, "roles": ["waii-user"], "unknown": 1}
    assert one.said("create-user", {"user": whole}) == (200, {})
    assert one.tree.users["ada"] == {
        "id": "ada",
        "name": "Ada",
        "tenant_id": None,
        "org_id": HOME,
        "variables": {"x": 1},
        "roles": ["waii-user"],
    }
    for sparse in ({"id": "ada"}, {"id": "ada", "name": None, "tenant_id": None, "org_id": None, "variables": None, "roles": []}):
        assert one.said("update-user", {"user": sparse}) == (200, {})
        assert one.tree.users["ada"] == {
            "id": "ada", "name": None, "tenant_id": None, "org_id": HOME, "variables": None, "roles": ["waii-api-user"],
        }  # fmt: skip
    assert one.said("create-tenant", {"tenant": {"id": "eu", "name": "EU", "variables": {"x": 1}}}) == (200, {})
    assert one.said("update-tenant", {"tenant": {"id": "eu", "name": "EU"}}) == (200, {})
    assert one.tree.tenants["eu"] == {"id": "eu", "name": "EU", "org_id": HOME, "variables": None}
    assert one.said("create-org", {"organization": {"id": "bolt", "name": "Bolt", "variables": {"x": 1}}}) == (200, {})
    assert one.said("update-org", {"organization": {"id": "bolt", "name": "Bolt"}}) == (200, {})
    assert one.tree.organizations["bolt"] == {"id": "bolt", "name": "Bolt", "variables": None}
    for operation, id in (("delete-user", "ada"), ("delete-tenant", "eu"), ("delete-org", "bolt")):
        assert one.said(operation, {"id": id}) == (200, {})
        assert one.said(operation, {"id": id}) == (
            400,
            f"{ {'u': 'User', 't': 'Tenant', 'o': 'Organization'}[operation[7]] } {id} not found",
        )
    assert [record.status for record in one.waii.log] == [200] * 7 + [200, 400] * 3


@pytest.mark.parametrize(
    ("operation", "body", "status", "said"),
    [
        ("create-user", {"user": {"id": ADMIN}}, 400, f"User {ADMIN} already exists"),
        ("create-user", {"user": {"id": "x", "org_id": "none"}}, 400, "Organization none not found"),
        ("create-user", {"user": {"id": "x", "tenant_id": "none"}}, 400, "Tenant none not found in organization acme"),
        ("create-user", {"user": {"id": "x", "tenant_id": "far"}}, 400, "Tenant far not found in organization acme"),
        ("create-user", {"user": {"id": "x", "roles": ["king"]}}, 400, "Unknown role king"),
        ("update-user", {"user": {"id": "none"}}, 400, "User none not found"),
        ("update-user", {"user": {"id": ADMIN, "org_id": "bolt"}}, 400, "A user cannot be moved to another organization"),
        ("delete-user", {"id": "none"}, 400, "User none not found"),
        ("create-tenant", {"tenant": {"id": "far", "name": "F"}}, 400, "Tenant far already exists"),
        ("create-tenant", {"tenant": {"id": "t", "name": "T", "org_id": "none"}}, 400, "Organization none not found"),
        ("update-tenant", {"tenant": {"id": "far", "name": "F"}}, 400, "Tenant far not found"),
        ("update-tenant", {"tenant": {"id": "none", "name": "F"}}, 400, "Tenant none not found"),
        ("delete-tenant", {"id": "far"}, 400, "Tenant far has users"),
        ("create-org", {"organization": {"id": HOME, "name": "A"}}, 400, "Organization acme already exists"),
        ("update-org", {"organization": {"id": "none", "name": "A"}}, 400, "Organization none not found"),
        ("delete-org", {"id": "bolt"}, 400, "Organization bolt is not empty"),
        ("delete-org", {"id": HOME}, 400, "Organization acme is not empty"),
        ("create-key", {"name": "sandbox"}, 400, "Access key sandbox already exists"),
    ],
)
def test_what_must_exist_before_what(waii: MakeServed, operation: str, body: Any, status: int, said: str) -> None:
    one = waii()
    one.tree.create_organization("bolt")
    one.tree.create_tenant("far", "bolt")
    one.tree.create_user("bob", "bolt", tenant_id="far")
    before = (one.tree.users, dict(one.tree.tenants), dict(one.tree.organizations), dict(one.tree.keys))
    assert one.said(operation, body) == (status, said)
    assert (one.tree.users, one.tree.tenants, one.tree.organizations, one.tree.keys) == before
    assert one.waii.log[-1].status == status


@pytest.mark.parametrize(
    ("operation", "body", "place"),
    [
        ("create-user", {}, ["body", "user"]), ("create-user", {"user": []}, ["body", "user"]),
        ("create-user", {"user": {}}, ["body", "user", "id"]), ("create-user", {"user": {"id": ""}}, ["body", "user", "id"]),
        ("create-user", {"user": {"id": 1}}, ["body", "user", "id"]),
        ("update-user", {"user": {"id": "x", "name": 1}}, ["body", "user", "name"]),
        ("update-user", {"user": {"id": "x", "variables": []}}, ["body", "user", "variables"]),
        ("update-user", {"user": {"id": "x", "roles": [1]}}, ["body", "user", "roles"]),
        ("create-tenant", {"tenant": {"id": "t"}}, ["body", "tenant", "name"]),
        ("create-org", {"organization": {"id": "o"}}, ["body", "organization", "name"]),
        ("delete-user", {}, ["body", "id"]), ("delete-tenant", {"id": None}, ["body", "id"]), ("create-key", {}, ["body", "name"]),
        ("delete-access-keys", {"names": "x"}, ["body", "names"]),
    ],
)  # fmt: skip
def test_invalid_bodies_are_refused_the_way_of_fastapi(waii: MakeServed, operation: str, body: Any, place: list[str]) -> None:
    status, detail = waii().said(operation, body)
    assert (status, detail[0]["loc"], sorted(detail[0])) == (422, place, ["loc", "msg", "type"])


@pytest.mark.parametrize(("fault", "shown"), [("missed", 2), ("shrink", 1), ("short", 0), ("duplicate", 4), ("loop", 3), ("endless", 3)])
def test_what_listing_faults_do_to_the_one_page_there_is(waii: MakeServed, fault: str, shown: int) -> None:
    one = waii(users=2, faults=f"{fault}@list")
    assert len(one.shown("list-users")) == shown
    assert len(one.shown("list-users")) == 3


@pytest.mark.parametrize("status", [400, 401, 403, 404, 409, 422, 429, 500, 502, 503, 504])
def test_every_status_says_its_detail(waii: MakeServed, status: int) -> None:
    status_, detail = waii(faults=f"{status}@*;retry_after=3").said("list-users")
    assert (status_, isinstance(detail, str)) == (status, True)


def test_listings_lag_and_lookups_do_not(waii: MakeServed, clock: Clock) -> None:
    one = waii(environment=clock)
    one.sandbox.list_lag = 10.0
    one.send("create-user", {"user": {"id": "ada"}})
    assert (one.shown("list-users"), one.shown("list-users", {"lookup_user_id": "ada"})) == ([ADMIN], ["ada"])
    clock.advance(10)
    assert one.shown("list-users") == [ADMIN, "ada"]


def test_the_state_is_shown_and_reset(waii: MakeServed) -> None:
    one = waii(users=1)
    one.send("create-user", {"user": {"id": "ada"}})
    one.send("create-tenant", {"tenant": {"id": "eu", "name": "EU"}})
    state = one.client.get("/_sandbox/state").json()["waii"]
    assert [user["id"] for user in state["users"]][-1] == "ada"
    assert ([one["id"] for one in state["tenants"]], [one["id"] for one in state["organizations"]]) == (["eu"], [HOME])
    assert [(write["sid"], write["status"], write["origin"]) for write in state["log"]] == [("ada", 200, "http"), ("eu", 200, "http")]
    assert state["requests"] == {"create 200": 2}
    one.client.post("/_sandbox/reset")
    again = one.client.get("/_sandbox/state").json()["waii"]
    assert (len(again["users"]), again["log"], again["requests"], again["tenants"]) == (2, [], {}, [])
    assert one.send("get-user-info").status_code == 200


def test_a_config_that_points_at_it(waii: MakeServed) -> None:
    sandbox = waii().sandbox
    said = sandbox.config_yaml("http://127.0.0.1:1", ["waii"])
    assert "connector: waii\n    base_url: http://127.0.0.1:1/api/\n" in said
    assert sandbox.waii.api_key in said
