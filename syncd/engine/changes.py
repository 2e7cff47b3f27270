"""A planned row of the journal as the Change that its connector turns into requests."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import orjson

from syncd.model import Change, Kind


def change_of(row: Any, document: str | None) -> Change:
    """``row``: of the journal. ``document``: JSON, the account's attributes as they are known."""
    delta: Mapping[str, Any] = orjson.loads(row.delta)
    return Change(
        id=row.id, connection=row.connection, kind=Kind(row.kind), identity=row.identity, who=row.who, account=row.account,
        delta={path: (before, after) for path, (before, after) in delta.items()}, reason=row.reason,
        document=None if document is None else orjson.loads(document), expects=row.expects, object=row.object, replaces=row.replaces,
        revoke=bool(row.revoke),
    )  # fmt: skip
