"""What the emulated Waii holds: organizations, the tenants and users in them, and everybody's access keys."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from itertools import count
from typing import Any, NamedTuple

from syncd.environment import Environment
from syncd.sandbox import people
from syncd.sandbox.directory import Directory
from syncd.sandbox.journal import Journal, Note
from syncd.sandbox.waii_forms import Refused
from syncd.sandbox.waii_roles import DEFAULT, PERMISSIONS

HOME = "acme"
"""The organization that exists from the start, with the seeded people."""
ADMIN = "admin@acme.example"
_EVERYONE = 1 << 40


class User(NamedTuple):
    """``n``: its place in creation order."""

    n: int
    id: str
    name: str | None
    tenant_id: str | None
    org_id: str
    variables: dict[str, Any] | None
    roles: tuple[str, ...]

    def document(self) -> dict[str, Any]:
        return {name: value for name, value in self._asdict().items() if name != "n"} | {"roles": list(self.roles)}


class Key(NamedTuple):
    access_key: str
    user_id: str
    name: str | None
    created_at: int


class _Seeds:
    """User n is person n, by e-mail, in `HOME`; the administrator comes first."""

    def __init__(self, count: int, seed: int) -> None:
        self.count, self._seed = count + 1, seed

    def make(self, n: int) -> User:
        if n == 1:
            return User(n, ADMIN, "Administrator", None, HOME, None, ("waii-super-admin-user",))
        one = people.person(n - 1, self._seed)
        return User(n, one.email, one.displayName, None, HOME, None, DEFAULT)

    def find(self, key: str) -> int | None:
        if key == ADMIN:
            return 1
        n = people.number(key, self._seed)
        return n + 1 if n is not None and n < self.count else None


class Tree:
    """The write methods are for tests that play somebody else; HTTP goes through them as well. They raise Refused.

    ``absent``: the status for what does not exist; no source says which it is. ``keys``: by their secret.
    """

    def __init__(self, environment: Environment, journal: Journal, users: int, seed: int) -> None:
        self._environment, self._journal = environment, journal
        self.directory: Directory[User] = Directory(_Seeds(users, seed), environment.monotonic)
        self.organizations: dict[str, dict[str, Any]] = {HOME: {"id": HOME, "name": "Acme", "variables": {}}}
        self.tenants: dict[str, dict[str, Any]] = {}
        self.keys: dict[str, Key] = {}
        self.configs: dict[str, dict[str, Any]] = {}
        self.absent = 400
        self._numbers = count(1)

    # ---- reading -----------------------------------------------------------------------------------------------------

    def __len__(self) -> int:
        return len(self.directory)

    @property
    def users(self) -> dict[str, dict[str, Any]]:
        """A snapshot of everyone, by id, in creation order; O(n)."""
        return {user.id: user.document() for user in self.directory}

    def user(self, id: str) -> User | None:
        with self.directory.lock:
            n = self.directory.find(id)
            return None if n is None else self.directory.get(n)

    def listed(self, organization: str, tenant: str = "", id: str = "") -> list[User]:
        """Whom a listing shows, one of them without its lag."""
        if id:
            found = self.user(id)
            shown: Iterable[User] = [] if found is None else [found]
        else:
            shown = self.directory.page(0, _EVERYONE).records
        return [user for user in shown if user.org_id == organization and (not tenant or user.tenant_id == tenant)]

    # ---- users -------------------------------------------------------------------------------------------------------

    def create_user(self, id: str, org_id: str = HOME, *, note: Note | None = None, **fields: Any) -> User:
        note = note or Note("POST", "/api/create-user", {"user": {"id": id, "org_id": org_id, **fields}})
        with self.directory.lock:
            if self.user(id) is not None:
                raise self._refuse(note, 400, f"User {id} already exists", id)
            self._check(note, id, org_id, fields)
            user = self.directory.add(id, lambda n: _made(n, id, org_id, fields))
            self.record(note, 200, id)
        return user

    def update_user(self, id: str, org_id: str = HOME, *, note: Note | None = None, **fields: Any) -> User:
        """Replaces the user whole: a field that is not given is lost."""
        note = note or Note("POST", "/api/update-user", {"user": {"id": id, "org_id": org_id, **fields}})
        with self.directory.lock:
            before = self._existing(note, id)
            if before.org_id != org_id:
                raise self._refuse(note, 400, "A user cannot be moved to another organization", id)
            self._check(note, id, org_id, fields)
            after = _made(before.n, id, org_id, fields)
            self.directory.replace(before.n, after)
            self.record(note, 200, id)
        return after

    def delete_user(self, id: str, *, note: Note | None = None) -> None:
        note = note or Note("POST", "/api/delete-user", {"id": id})
        with self.directory.lock:
            self.directory.remove(self._existing(note, id).n, id)
            self.keys = {secret: key for secret, key in self.keys.items() if key.user_id != id}
            self.record(note, 200, id)

    def _existing(self, note: Note, id: str) -> User:
        user = self.user(id)
        if user is None:
            raise self._refuse(note, self.absent, f"User {id} not found", id)
        return user

    def _check(self, note: Note, id: str, org_id: str, fields: Mapping[str, Any]) -> None:
        tenant = fields.get("tenant_id")
        if org_id not in self.organizations:
            raise self._refuse(note, 400, f"Organization {org_id} not found", id)
        if tenant and self.tenants.get(tenant, {}).get("org_id") != org_id:
            raise self._refuse(note, 400, f"Tenant {tenant} not found in organization {org_id}", id)
        unknown = [role for role in fields.get("roles") or () if role not in PERMISSIONS]
        if unknown:
            raise self._refuse(note, 400, f"Unknown role {unknown[0]}", id)

    # ---- tenants and organizations -----------------------------------------------------------------------------------

    def create_tenant(self, id: str, org_id: str = HOME, *, note: Note | None = None, **fields: Any) -> None:
        note = note or Note("POST", "/api/create-tenant", {"tenant": {"id": id, "org_id": org_id, **fields}})
        with self.directory.lock:
            if id in self.tenants:
                raise self._refuse(note, 400, f"Tenant {id} already exists", id)
            if org_id not in self.organizations:
                raise self._refuse(note, 400, f"Organization {org_id} not found", id)
            self.tenants[id] = {"id": id, "name": fields.get("name"), "org_id": org_id, "variables": fields.get("variables")}
            self.record(note, 200, id)

    def update_tenant(self, id: str, org_id: str = HOME, *, note: Note | None = None, **fields: Any) -> None:
        note = note or Note("POST", "/api/update-tenant", {"tenant": {"id": id, "org_id": org_id, **fields}})
        with self.directory.lock:
            if self.tenants.get(id, {}).get("org_id") != org_id:
                raise self._refuse(note, self.absent, f"Tenant {id} not found", id)
            self.tenants[id] = {"id": id, "name": fields.get("name"), "org_id": org_id, "variables": fields.get("variables")}
            self.record(note, 200, id)

    def delete_tenant(self, id: str, *, note: Note | None = None) -> None:
        note = note or Note("POST", "/api/delete-tenant", {"id": id})
        with self.directory.lock:
            if id not in self.tenants:
                raise self._refuse(note, self.absent, f"Tenant {id} not found", id)
            if any(user.tenant_id == id for user in self.directory):
                raise self._refuse(note, 400, f"Tenant {id} has users", id)
            del self.tenants[id]
            self.record(note, 200, id)

    def create_organization(self, id: str, *, note: Note | None = None, **fields: Any) -> None:
        note = note or Note("POST", "/api/create-org", {"organization": {"id": id, **fields}})
        with self.directory.lock:
            if id in self.organizations:
                raise self._refuse(note, 400, f"Organization {id} already exists", id)
            self.organizations[id] = {"id": id, "name": fields.get("name"), "variables": fields.get("variables")}
            self.record(note, 200, id)

    def update_organization(self, id: str, *, note: Note | None = None, **fields: Any) -> None:
        note = note or Note("POST", "/api/update-org", {"organization": {"id": id, **fields}})
        with self.directory.lock:
            if id not in self.organizations:
                raise self._refuse(note, self.absent, f"Organization {id} not found", id)
            self.organizations[id] = {"id": id, "name": fields.get("name"), "variables": fields.get("variables")}
            self.record(note, 200, id)

    def delete_organization(self, id: str, *, note: Note | None = None) -> None:
        note = note or Note("POST", "/api/delete-org", {"id": id})
        with self.directory.lock:
            if id not in self.organizations:
                raise self._refuse(note, self.absent, f"Organization {id} not found", id)
            if any(one["org_id"] == id for one in self.tenants.values()) or any(user.org_id == id for user in self.directory):
                raise self._refuse(note, 400, f"Organization {id} is not empty", id)
            del self.organizations[id]
            self.record(note, 200, id)

    # ---- access keys -------------------------------------------------------------------------------------------------

    def create_key(self, user: str, name: str | None, secret: str | None = None, *, note: Note | None = None) -> Key:
        """A key without a ``name`` comes from a time before names."""
        note = note or Note("POST", "/api/create-key", {"name": name})
        with self.directory.lock:
            if name is not None and any((key.user_id, key.name) == (user, name) for key in self.keys.values()):
                raise self._refuse(note, 400, f"Access key {name} already exists", user)
            key = Key(secret or f"AK-{next(self._numbers):08x}", user, name, int(self._environment.now().timestamp() * 1000))
            self.keys[key.access_key] = key
            self.record(note, 200, user)
        return key

    def delete_keys(self, user: str, names: Iterable[str], *, note: Note | None = None) -> None:
        """Names that nobody has are nobody's mistake."""
        named = set(names)
        note = note or Note("POST", "/api/delete-access-keys", {"names": sorted(named)})
        with self.directory.lock:
            self.keys = {secret: key for secret, key in self.keys.items() if key.user_id != user or key.name not in named}
            self.record(note, 200, user)

    def record(self, note: Note, status: int, id: str | None = None) -> None:
        """Write down what became of a write."""
        self._journal.write(note, self._environment.now(), status, id, id)

    def _refuse(self, note: Note, status: int, detail: str, id: str) -> Refused:
        self.record(note, status, id)
        return Refused(status, detail)


def _made(n: int, id: str, org_id: str, fields: Mapping[str, Any]) -> User:
    roles = tuple(fields.get("roles") or DEFAULT)
    return User(n, id, fields.get("name"), fields.get("tenant_id"), org_id, fields.get("variables"), roles)
