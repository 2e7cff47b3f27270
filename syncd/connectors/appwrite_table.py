"""Appwrite's users as a table: attributes, the one request for each, and how a record is read."""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import replace
from datetime import timedelta
from hashlib import blake2b
from typing import Any

from syncd.connectors.records import Reader
from syncd.connectors.tables import Call, Listing, OwnWalk, Table, json_body
from syncd.errors import Rejected
from syncd.model import Account, AttributeSpec, Capability, Mutability

MARK = "syncd"
"""The attribute that stands for our label among a user's labels."""
_LABEL = re.compile("syncd[0-9a-f]{30}")
_LABELS = re.compile(f"{_LABEL.pattern}( {_LABEL.pattern})*")
_LOWER = str.maketrans("ABCDEFGHIJKLMNOPQRSTUVWXYZ", "abcdefghijklmnopqrstuvwxyz")


def label(marker: Any) -> Any:
    """A marker as the label that stands for it: labels are short and alphanumeric. What is one already stays so."""
    if not isinstance(marker, str) or not marker or _LABELS.fullmatch(marker):
        return marker
    return MARK + blake2b(marker.encode(), digest_size=15).hexdigest()


def _lower(value: Any) -> Any:
    """As PHP's strtolower: ASCII only."""
    return value.translate(_LOWER) if isinstance(value, str) else value


def _flag(value: Any) -> Any:
    """A flag that is down is no value: nobody can have neither."""
    return value or None


_SPECS = (
    AttributeSpec("$id", mutability=Mutability.IMMUTABLE, limit=36),  # a visitor can choose it when signing up
    AttributeSpec("name", limit=128),
    AttributeSpec("email", normalize=_lower, limit=320, trusted_if="emailVerification"),
    AttributeSpec("phone", limit=16),
    AttributeSpec("status", "boolean"),
    AttributeSpec("labels", "set", limit=36),
    AttributeSpec(MARK, normalize=label, trusted=True),  # only keys with users.write set labels
    AttributeSpec("prefs", "object", limit=65_535),  # users edit their own
    AttributeSpec("emailVerification", "boolean", normalize=_flag),
    AttributeSpec("phoneVerification", "boolean", normalize=_flag),
)
_WRITES = {"name": "displayName", "email": "email", "phone": "phone", "status": "active"}
CAPABILITY = Capability(
    attributes={spec.name: spec for spec in _SPECS},
    delta=True,
    resumes=timedelta(hours=6),  # behind a user, wherever others are by then
    key="$id",
    own_ids=True,
    marker=MARK,
    marked_late=True,
    revokes="sessions",
    switch=("status", True, False),
    write_defaults=_WRITES,
    read_defaults={canonical: path for path, canonical in _WRITES.items()},
)
_NOTHING: Mapping[str, Any] = {"name": "", "email": "", "number": "", "labels": [], "emailVerification": False, "phoneVerification": False}


def _body(values: Mapping[str, Any]) -> tuple[bytes, str]:
    """No value is said in the parameter's own type: null would count as a missing one. Raises Rejected where it has none."""
    absent = sorted(name for name, value in values.items() if value is None and name not in _NOTHING)
    if absent:
        raise Rejected(f"{', '.join(absent)} cannot be without a value", "required")
    return json_body({name: _NOTHING[name] if value is None else value for name, value in values.items()})


_USER = "/users/{id}"


def _update(path: str, *attributes: str, method: str = "PATCH", parameter: str = "") -> Call:
    return Call(method, f"{_USER}/{path}", {one: parameter or attributes[0] for one in attributes}, _body, repeatable=True)


LABELS = _update("labels", "labels", MARK, method="PUT")
PREFS = _update("prefs", "prefs")
SESSIONS = Call("DELETE", f"{_USER}/sessions", success=frozenset({204}), repeatable=True)
UPDATES = (
    _update("status", "status"),  # first, so that nothing can be in the way of disabling
    _update("name", "name"),
    _update("email", "email"),
    _update("phone", "phone", parameter="number"),
    LABELS,
    PREFS,
    _update("verification", "emailVerification"),  # a new e-mail or phone resets its flag, so the flags come last
    _update("verification/phone", "phoneVerification"),
)


TABLE = Table(
    capability=CAPABILITY,
    id="$id",
    version="$updatedAt",
    listing=Listing(Call("GET", "/users"), "users", OwnWalk()),
    fetch=Call("GET", _USER),
    lookups={"$id": Call("GET", "/users/{value}")},
    create=Call("POST", "/users", {"$id": "userId", "email": "email", "phone": "phone", "name": "name"}, _body, frozenset({201})),
    updates=UPDATES,
    delete=Call("DELETE", _USER, success=frozenset({204}), repeatable=True),
    gone=frozenset({"user_not_found"}),
)


class Users(Reader):
    """Marking labels (several only by mistake) apart from the others, PHP's empty array as an empty object, no hashes and no targets."""

    def account(self, document: Any) -> Account:
        if isinstance(document, dict) and document.get("prefs") == []:
            document = {**document, "prefs": {}}
        account = super().account(document)
        labels = account.attributes.get("labels")
        if labels is None:
            return account
        ours = {one for one in labels if isinstance(one, str) and _LABEL.fullmatch(one)}
        attributes = {**account.attributes, "labels": [one for one in labels if one not in ours], MARK: " ".join(sorted(ours)) or None}
        return replace(account, attributes=attributes)
