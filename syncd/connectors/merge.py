"""Members of nested objects by path: `attributes.team.name` read, set and removed without touching what stands beside them."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from syncd.errors import Rejected


def merged(document: Mapping[str, Any], changes: Mapping[str, Any]) -> dict[str, Any]:
    """A copy of ``document`` with each path set to its value, None removing it; missing objects on the way are made.

    Raises Rejected where a path leads through something that is no object: that belongs to somebody else.
    """
    result = dict(document)
    for path, value in changes.items():
        _set(result, path, path.split("."), value)
    return result


def _set(target: dict[str, Any], path: str, keys: list[str], value: Any) -> None:
    head, *rest = keys
    if not rest:
        if value is None:
            target.pop(head, None)
        else:
            target[head] = value
        return
    inner = target.get(head)
    if inner is None:
        if value is None:
            return
        inner = {}
    if not isinstance(inner, dict):
        raise Rejected(f"{path}: {head} holds a value that is no object, so it can have no members")
    target[head] = inner = dict(inner)
    _set(inner, path, rest, value)
