"""Waii's users, tenants and organizations as tables: their attributes, and the requests for each."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from syncd.connectors.tables import Call, Encoding, Listing, OwnWalk, Table, json_body
from syncd.model import USER, AttributeSpec, Capability, Fading, Mutability

ORGANIZATION, TENANT = "organization", "tenant"
DEFAULT_ROLES = ["waii-api-user"]
"""What the server gives to whom no role was given: the same as none."""
CALLER = {"org_id": "", "user_id": ""}
"""In every body: whose context the request has, not its target; the vendor's SDKs send it empty."""


def _roles(value: Any) -> Any:
    return [] if value == DEFAULT_ROLES else value


def _specs(*own: AttributeSpec) -> dict[str, AttributeSpec]:
    """Only administrators can write any of this, the members of ``variables`` too."""
    id = AttributeSpec("id", mutability=Mutability.IMMUTABLE, trusted=True)
    return {spec.name: spec for spec in (id, AttributeSpec("name"), *own, AttributeSpec("variables", "object", trusted=True))}


_ORG_ID = AttributeSpec("org_id", mutability=Mutability.IMMUTABLE)
_ATTRIBUTES: Mapping[str, Mapping[str, AttributeSpec]] = {
    USER: _specs(AttributeSpec("tenant_id", within="org_id"), _ORG_ID, AttributeSpec("roles", "set", normalize=_roles)),
    TENANT: _specs(_ORG_ID),
    ORGANIZATION: _specs(),
}
WRITES: Mapping[str, Mapping[str, str]] = {
    USER: {"id": "userName", "name": "displayName", "variables.externalId": "externalId"},
    TENANT: {},
    ORGANIZATION: {},
}


def capability(object: str, **more: Any) -> Capability:
    """``more``: what depends on the configuration."""
    return Capability(
        attributes=_ATTRIBUTES[object],
        gone=False,
        fading=Fading(),
        key="id",
        marker="variables.syncd",
        revokes="access keys" if object == USER else "",
        write_defaults=WRITES[object],
        read_defaults={canonical: path for path, canonical in WRITES[object].items()},
        **more,
    )


def _enveloped(member: str = "") -> Encoding:
    def encode(values: Mapping[str, Any]) -> tuple[bytes, str]:
        return json_body({**({member: values} if member else values), **CALLER})

    return encode


def call(operation: str, *fields: str, member: str = "", **more: Any) -> Call:
    """Everything is POSTed as JSON, reads too, and only 200 is success."""
    return Call("POST", f"/{operation}", {name: name for name in fields}, _enveloped(member), **more)


@dataclass(frozen=True, slots=True)
class Kind:
    """One kind of object. ``narrowing``: the parameters of its listing."""

    object: str
    table: Table
    narrowing: tuple[str, ...]


def _kind(object: str, short: str, *narrowing: str) -> Kind:
    attributes = _ATTRIBUTES[object]
    changeable = [name for name, spec in attributes.items() if spec.mutability is Mutability.READ_WRITE]
    listed = call(f"list-{short}s", *narrowing, reads=True)
    return Kind(
        object,
        Table(
            capability=capability(object),
            id="id",
            listing=Listing(listed, f"{object}s", OwnWalk()),
            fetch=listed,
            create=call(f"create-{short}", *attributes, member=object),
            updates=(call(f"update-{short}", *changeable, member=object, repeatable=True),),
            delete=call(f"delete-{short}", repeatable=True),
        ),
        narrowing,
    )


KINDS: Mapping[str, Kind] = {
    USER: _kind(USER, "user", "lookup_org_id", "lookup_tenant_id", "lookup_user_id"),
    TENANT: _kind(TENANT, "tenant", "lookup_org_id"),
    ORGANIZATION: _kind(ORGANIZATION, "org"),
}
INFO = call("get-user-info", reads=True)
KEYS = call("list-access-keys", reads=True)
REVOKE = call("delete-access-keys", repeatable=True)
IMPERSONATE = "x-waii-impersonate-user"
"""The header that makes a request that of another user."""
