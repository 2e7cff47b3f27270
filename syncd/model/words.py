"""The words everything is said in: cursors, canonical attributes, kinds of change, mutability."""

from __future__ import annotations

from collections.abc import Mapping
from enum import StrEnum
from typing import Any, NewType

Cursor = NewType("Cursor", str)
"""A place inside one listing; opaque outside its connector."""
Watermark = NewType("Watermark", str)
"""Everything before it has been seen (overlap included)."""

Attributes = Mapping[str, Any]
"""Attribute name -> JSON value. Canonical attributes carry SCIM names (RFC 7643); provider attributes the provider's own."""

USER = "user"
CANONICAL = (
    "userName", "externalId", "displayName", "givenName", "familyName", "email", "phone", "photo", "active", "title", "department",
    "organization", "tenant", "roles", "labels", "locale", "timezone", "activeFrom", "activeUntil",
)  # fmt: skip
SETS = frozenset({"roles", "labels"})


class Kind(StrEnum):
    """What a change does to one account."""

    CREATE = "create"
    ADOPT = "adopt"
    UPDATE = "update"
    DISABLE = "disable"
    DELETE = "delete"


LEAVING = frozenset({Kind.DISABLE, Kind.DELETE})


class Mutability(StrEnum):
    """When a provider attribute can be written (RFC 7643 section 7, by its own names where they fit)."""

    READ_WRITE = "readWrite"
    IMMUTABLE = "immutable"  # set by create, never afterwards (Twilio identity)
    READ_ONLY = "readOnly"
    WRITE_ONLY = "writeOnly"
