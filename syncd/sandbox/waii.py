"""The emulated Waii user module, after recorded SDK traffic: all POST and JSON, only 200 is success, errors say ``{"detail": ...}``."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping, Sequence
from typing import Any, NamedTuple

import orjson

from syncd.environment import Environment
from syncd.sandbox.directory import Directory
from syncd.sandbox.emulated import Emulated
from syncd.sandbox.faults import Fault
from syncd.sandbox.journal import Note
from syncd.sandbox.message import Answer, Call, Shape
from syncd.sandbox.waii_forms import BENT, DETAILS, Refused, body, given, invalid, narrowed, text
from syncd.sandbox.waii_roles import permissions, rank
from syncd.sandbox.waii_tree import ADMIN, HOME, Tree, User

IMPERSONATE = "x-waii-impersonate-user"


class Asked(NamedTuple):
    """One request: ``user`` is who asks, or whom the asker plays."""

    user: User
    sent: Mapping[str, Any]
    note: Note


class Operation(NamedTuple):
    """``fault``: as what faults know it. ``needs``: the permission."""

    fault: str
    needs: str
    do: Callable[[Asked], Any]


class Waii(Emulated):
    """One installation with one organization, the seeded people and an administrator in it. ``tree`` may be changed while it runs.

    ``refuses_unknown``: whether asking for the members of an organization that does not exist is an error; no source says.
    """

    api_key = "sandbox-waii-key-5a5a5a5a5a5a5a5a"
    refuses_unknown = False
    shape = Shape(collection="users", key="id", text="name")

    def __init__(self, environment: Environment, users: int = 0, seed: int = 0) -> None:
        super().__init__(environment, users, seed)
        self._operations = self._table()
        paths = {f"/api/{name}": {"POST": one.fault} for name, one in self._operations.items()}
        self.routes: Mapping[str, Mapping[str, str]] = {**paths, "/api/{rest:path}": {}}
        self.reset()

    def populate(self) -> None:
        self.tree = Tree(self._environment, self.journal, self._seeded, self._seed)
        self.tree.create_key(ADMIN, "sandbox", self.api_key)

    def directories(self) -> Iterable[Directory[Any]]:
        return [self.tree.directory]

    def holds(self) -> dict[str, Any]:
        """``{"organizations": [..], "tenants": [..], "users": [..]}``."""
        tree = self.tree
        return {
            "organizations": list(tree.organizations.values()), "tenants": list(tree.tenants.values()), "users": list(tree.users.values()),
        }  # fmt: skip

    def config(self, url: str) -> str:
        return f"""\
  sql:
    connector: waii
    base_url: {url}/api/
    api_key: {self.api_key}
    organizations: [{HOME}]
    write: {{}}
"""

    # ---- what the gateway asks of a provider (gateway.Provider) ----------------------------------------------------

    def answer(self, operation: str, call: Call, fault: Fault | None) -> Answer:
        one = self._operations[call.path.removeprefix("/api/")]
        try:
            sent = body(call)
            user = self._acting(self._caller(call), call.headers.get(IMPERSONATE, ""))
            if one.needs not in ("", *permissions(user.roles)):
                raise Refused(403, f"Permission denied: {one.needs}")
            answered = one.do(Asked(user, sent, Note(call.method, call.path, sent, "http")))
        except Refused as error:
            return Answer(error.status, orjson.dumps({"detail": error.detail}))
        if one.fault == "list" and fault is not None:
            answered = {name: BENT.get(fault.kind, list)(records) for name, records in answered.items()}
        return Answer(200, orjson.dumps(answered or {}))

    def refusal(self, status: int, call: Call) -> Answer:
        status = 404 if status == 405 and call.path.removeprefix("/api/") not in self._operations else status
        return Answer(status, orjson.dumps({"detail": DETAILS[status]}))

    def continues(self, call: Call) -> bool:
        """A listing goes on from organization to organization."""
        return call.path in ("/api/list-users", "/api/list-tenants")

    def headers(self, concurrent: int) -> dict[str, str]:
        return {}

    # ---- who asks ----------------------------------------------------------------------------------------------------

    def _caller(self, call: Call) -> User:
        scheme, _, secret = call.headers.get("authorization", "").partition(" ")
        key = self.tree.keys.get(secret.strip()) if scheme.lower() == "bearer" else None
        user = None if key is None else self.tree.user(key.user_id)
        if user is None:
            raise Refused(401, DETAILS[401])
        return user

    def _acting(self, caller: User, other: str) -> User:
        """Administrators may play users of their own organization who may not do more than they."""
        if not other:
            return caller
        played = self.tree.user(other)
        if "usage:impersonation" not in permissions(caller.roles) or played is None:
            raise Refused(403, f"Cannot impersonate {other}")
        if played.org_id != caller.org_id or rank(played.roles) > rank(caller.roles):
            raise Refused(403, f"Cannot impersonate {other}")
        return played

    # ---- the operations --------------------------------------------------------------------------------------------

    def _table(self) -> dict[str, Operation]:
        return {
            "list-users": Operation("list", "read:user", self._list_users),
            "create-user": Operation("create", "write:user", lambda one: self._put_user(one, self.tree.create_user)),
            "update-user": Operation("update", "write:user", lambda one: self._put_user(one, self.tree.update_user)),
            "delete-user": Operation("delete", "write:user", self._delete_user),
            "list-tenants": Operation("list", "read:tenant", self._list_tenants),
            "create-tenant": Operation("create", "write:tenant", lambda one: self._put_tenant(one, self.tree.create_tenant)),
            "update-tenant": Operation("update", "write:tenant", lambda one: self._put_tenant(one, self.tree.update_tenant)),
            "delete-tenant": Operation("delete", "write:tenant", lambda one: self.tree.delete_tenant(text(one.sent, "id"), note=one.note)),
            "list-orgs": Operation("list", "read:org", self._list_organizations),
            "create-org": Operation("create", "write:org", lambda one: self._put_organization(one, self.tree.create_organization)),
            "update-org": Operation("update", "write:org", lambda one: self._put_organization(one, self.tree.update_organization)),
            "delete-org": Operation("delete", "write:org", lambda one: self.tree.delete_organization(text(one.sent, "id"), note=one.note)),
            "create-key": Operation("create", "write:access_key", self._create_key),
            "list-access-keys": Operation("fetch", "", lambda one: self._keys(one.user)),
            "delete-access-keys": Operation("delete", "write:access_key", self._delete_keys),
            "get-user-info": Operation("fetch", "", _info),
            "update-config": Operation("update", "", self._update_config),
            "create-user-secret": Operation("create", "write:user", lambda one: {}),
            "update-db-connect-info": Operation("fetch", "", lambda one: {"connectors": []}),
        }

    def _list_users(self, one: Asked) -> dict[str, Any]:
        shown = self.tree.listed(
            self._organization(one, "lookup_org_id"), narrowed(one.sent, "lookup_tenant_id"), narrowed(one.sent, "lookup_user_id")
        )  # fmt: skip
        return {"users": [user.document() for user in shown]}

    def _list_tenants(self, one: Asked) -> dict[str, Any]:
        organization = self._organization(one, "lookup_org_id")
        return {"tenants": [tenant for tenant in self.tree.tenants.values() if tenant["org_id"] == organization]}

    def _list_organizations(self, one: Asked) -> dict[str, Any]:
        """All of them to a super administrator, to others their own."""
        everything = "write:org" in permissions(one.user.roles)
        return {"organizations": [found for id, found in self.tree.organizations.items() if everything or id == one.user.org_id]}

    def _organization(self, one: Asked, name: str) -> str:
        """The one that is asked about: the asker's own unless it says otherwise, and others only for a super administrator."""
        organization = self._allowed(one, narrowed(one.sent, name) or one.user.org_id)
        if self.refuses_unknown and organization not in self.tree.organizations:
            raise Refused(self.tree.absent, f"Organization {organization} not found")
        return organization

    def _allowed(self, one: Asked, organization: str) -> str:
        if organization != one.user.org_id and "write:org" not in permissions(one.user.roles):
            raise Refused(403, f"Permission denied: organization {organization}")
        return organization

    def _put_user(self, one: Asked, put: Callable[..., User]) -> None:
        asked = given(one.sent, "user")
        asked["org_id"] = self._allowed(one, asked["org_id"] or one.user.org_id)
        if any(not isinstance(role, str) for role in asked["roles"] or ()):
            raise invalid("str type expected", "type_error.str", "user", "roles")
        self._refuse_higher(one, asked["id"], asked["roles"] or ())
        put(**asked, note=one.note)

    def _refuse_higher(self, one: Asked, id: str, roles: Sequence[str] = ()) -> None:
        """Nobody touches a user who may do more, or makes one."""
        before = self.tree.user(id)
        if max(rank(roles), rank(before.roles if before else ())) > rank(one.user.roles):
            raise Refused(403, "Permission denied: more permissions than the caller's")

    def _delete_user(self, one: Asked) -> None:
        id = text(one.sent, "id")
        self._refuse_higher(one, id)
        self.tree.delete_user(id, note=one.note)

    def _put_tenant(self, one: Asked, put: Callable[..., None]) -> None:
        asked = given(one.sent, "tenant")
        put(**{**asked, "org_id": self._allowed(one, asked["org_id"] or one.user.org_id)}, note=one.note)

    def _put_organization(self, one: Asked, put: Callable[..., None]) -> None:
        put(**given(one.sent, "organization"), note=one.note)

    def _keys(self, user: User) -> dict[str, Any]:
        return {"access_keys": [key._asdict() | {"description": None} for key in self.tree.keys.values() if key.user_id == user.id]}

    def _create_key(self, one: Asked) -> dict[str, Any]:
        self.tree.create_key(one.user.id, text(one.sent, "name"), note=one.note)
        return self._keys(one.user)

    def _delete_keys(self, one: Asked) -> None:
        names = one.sent.get("names")
        if not isinstance(names, list):
            raise invalid("field required", "value_error.missing", "names")
        self.tree.delete_keys(one.user.id, [str(name) for name in names], note=one.note)

    def _update_config(self, one: Asked) -> dict[str, Any]:
        configs = self.tree.configs.setdefault(one.user.id, {})
        configs |= one.sent.get("updated") or {}
        for name in one.sent.get("deleted") or ():
            configs.pop(name, None)
        return {"configs": configs}


def _info(one: Asked) -> dict[str, Any]:
    user = one.user
    return {
        "id": user.id, "name": user.name or "", "email": user.id, "roles": list(user.roles),
        "permissions": sorted(permissions(user.roles)),
    }  # fmt: skip
