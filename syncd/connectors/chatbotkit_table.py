"""ChatBotKit's users as a table: their attributes and the five requests, below either name of the collection."""

from __future__ import annotations

import re
from collections.abc import Mapping
from datetime import timedelta
from typing import Any

from syncd.connectors.tables import Call, Listing, OwnWalk, Table, json_body
from syncd.model import AttributeSpec, Capability, Mutability

PAGE_SIZE = 100
"""The most that the server gives."""
MARKER = "meta.syncd"
_PLAIN = re.compile("[a-zA-Z0-9][a-zA-Z0-9_-]{0,63}")
"""An id; ``@x`` and ``(x)`` would address somebody by alias or name."""
_SPECS = (
    AttributeSpec("id", mutability=Mutability.READ_ONLY),
    AttributeSpec("name", limit=191, in_bytes=True),
    AttributeSpec("email", trusted=True),
    AttributeSpec("image", limit=191, in_bytes=True),  # the server itself fails on longer ones
    AttributeSpec("description"),  # listed, but not fetched
    AttributeSpec("limits", "object"),
    AttributeSpec("meta", "object", trusted=True),
    AttributeSpec("alias", mutability=Mutability.WRITE_ONLY, limit=128, carried=False, volatile=True),
)
_WRITES = {"name": "displayName", "email": "email", "image": "photo", "meta.externalId": "externalId"}
CAPABILITY = Capability(
    attributes={spec.name: spec for spec in _SPECS},
    delta=True,
    resumes=timedelta(hours=6),  # behind a user, wherever others are by then
    newcomers=True,
    marker=MARKER,
    revokes="tokens",
    write_defaults=_WRITES,
    read_defaults={canonical: path for path, canonical in _WRITES.items()},
)
_FIELDS = {spec.name: spec.name for spec in _SPECS if spec.mutability is not Mutability.READ_ONLY}


def _body(values: Mapping[str, Any]) -> tuple[bytes, str]:
    """No text is the empty one, no limits are null, and no alias is none said: an update that says none erases it."""
    said = {name: value for name, value in values.items() if (name, value) != ("alias", None)}
    emptied = {name: None if name == "limits" and not value else "" if value is None else value for name, value in said.items()}
    return json_body(emptied)


def table(collection: str) -> Table:
    """There are no other verbs than GET and POST, and a write answers ``{id}``."""
    users, user = f"/{collection}", f"/{collection}/{{id}}"
    return Table(
        capability=CAPABILITY,
        id="id",
        ids=_PLAIN,
        answers_id=True,
        listing=Listing(Call("GET", f"{users}/list"), "items", OwnWalk()),
        fetch=Call("GET", f"{user}/fetch"),
        create=Call("POST", f"{users}/create", _FIELDS, _body),
        updates=(Call("POST", f"{user}/update", _FIELDS, _body, repeatable=True),),
        delete=Call("POST", f"{user}/delete", encoding=_body, repeatable=True, bodied=True),
        gone=frozenset({"NOT_FOUND"}),
    )
