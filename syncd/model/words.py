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


class Hold(StrEnum):
    """Why a change waits for a person, as it is stored. What each needs is said in `syncd.cli.cures`."""

    NOTHING = ""
    FIRST_CONTACT = "first_contact"  # nothing of this connection was changed yet
    LIMIT = "limit"  # more of this kind than 24 hours allow
    CONFIG = "config"  # a leaver because the map, the scope or the sources changed
    UNTRUSTED = "untrusted"  # the matching key can be edited by the account's holder
    CONTRADICTED = "contradicted"  # another trusted key names somebody else
    REHIRE = "rehire"  # the matching account was a leaver's
    UNREADABLE = "unreadable"  # a record that cannot be read may be this newcomer's account
    RESTORED = "restored"  # a leaver of a store that was restored from a backup
    DRIFT = "drift"  # changed outside, and `drift: report`
    FIGHT = "fight"  # somebody else writes the same value too
    KEY = "key"  # a key that the provider cannot change is to change
    ERASES = "erases"  # the write may erase what no answer shows
    VAIN = "vain"  # tried, answered with success, and it did not take
    APPLY = "apply"  # `apply: never`
    REVIEW = "review"  # `apply: review`
    AMBIGUOUS = "ambiguous"
    TAKEN = "taken"
    IGNORED = "ignored"
    FOREIGN = "foreign"
    UNLINKED = "unlinked"  # a person's `unlink` is about the matching account
    UNREAD = "unread"
    NEVER = "never"  # `adopt: never`, and an account matches
    COLLISION = "collision"  # several people want one key


FINAL = frozenset({Hold.AMBIGUOUS, Hold.TAKEN, Hold.UNLINKED, Hold.IGNORED, Hold.FOREIGN, Hold.UNREAD, Hold.NEVER, Hold.COLLISION})
"""Holds that no release can cure: the data must change first."""


class Mutability(StrEnum):
    """When a provider attribute can be written (RFC 7643 section 7, by its own names where they fit)."""

    READ_WRITE = "readWrite"
    IMMUTABLE = "immutable"  # set by create, never afterwards (Twilio identity)
    READ_ONLY = "readOnly"
    WRITE_ONLY = "writeOnly"
