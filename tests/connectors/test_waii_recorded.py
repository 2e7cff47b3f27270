"""What we send means what the vendor's own SDKs were recorded to send, for every call that we and they both make."""

from __future__ import annotations

import json
from typing import Any

import pytest
from waii_world import RECORDED, change, world

from syncd.model import Kind

pytestmark = pytest.mark.anyio

OURS = {
    "python": {
        "list_access_keys", "delete_access_key", "get_user_info", "create_user full", "delete_user", "create_tenant", "delete_tenant",
        "list_tenants", "create_org", "delete_org", "list_orgs",
    },
    "javascript": {
        "listAccessKeys", "getInfo", "deleteUser", "listUsers org", "deleteTenant", "listTenants", "createOrganization",
        "deleteOrganization", "listOrganizations",
    },
}  # fmt: skip
"""The recorded calls to look for. Sparse updates are not among them: we never send one."""
IDS = {"u": "u1"}
"""The two recordings call their user differently."""


def meaning(value: Any) -> Any:
    """Without members that say nothing: null, and what is empty."""
    if isinstance(value, dict):
        return {name: meant for name, one in value.items() if (meant := meaning(one)) not in (None, "", [], {})}
    return value


async def test_what_we_send_was_recorded() -> None:
    async with world() as w:
        w.tree.create_organization("o2", name="kept")
        z = {"variables": {"z": 2}}
        for each in (
            change(Kind.CREATE, object="organization", id="o", name="O", **z), change(Kind.DELETE, "o", object="organization"),
            change(Kind.CREATE, object="organization", id="o", name="O"),
            change(Kind.CREATE, object="tenant", id="t", name="T", org_id="o", variables={"v": 1}),
            change(Kind.CREATE, id="u1", name="N", tenant_id="t", org_id="o", variables={"x": 1}, roles=["waii-user"]),
        ):  # fmt: skip
            await w.do(each)
        await w.walk()
        w.tree.directory.replace(w.tree.user("u1").n, w.tree.user("u1")._replace(org_id="acme", tenant_id=None))  # type: ignore[union-attr]
        for name in ("k1", "k2"):
            w.tree.create_key("u1", name)
        await w.do(change(Kind.DELETE, "u1"))
        await w.do(change(Kind.DELETE, "t", object="tenant", document={"org_id": "o"}))
        sent = [(one.operation, meaning(one.json)) for one in w.sent]
    found = set()
    for one in json.loads(RECORDED.read_text()):
        if one["call"] in OURS[one["sdk"]]:
            body = meaning({name: value for name, value in one["body"].items() if name != "scope"})
            wanted = body | {"id": IDS.get(body["id"], body["id"])} if "id" in body else body
            assert (one["operation"], wanted) in sent, one
            found.add((one["sdk"], one["call"]))
    assert found == {(sdk, call) for sdk, calls in OURS.items() for call in calls}, "recorded under these names"
