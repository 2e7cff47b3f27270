"""Reading and changing one place in an account by its path: ``friendly_name``, ``attributes.team.name``."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from syncd.core.values import clean, present

__all__ = ["clean", "get", "present", "under", "with_value", "without"]


def get(document: Mapping[str, Any], path: str) -> Any:
    """The value at ``path``; None if there is none."""
    head, nested, rest = path.partition(".")
    value = document.get(head)
    return value if not nested else get(value, rest) if isinstance(value, Mapping) else None


def with_value(document: Mapping[str, Any], path: str, value: Any) -> dict[str, Any]:
    """A copy with ``value`` at ``path``; anything but an object on the way there is replaced by one. No value: as `without`."""
    if not present(value):
        return without(document, path)
    head, nested, rest = path.partition(".")
    inner = document.get(head)
    return {**document, head: with_value(inner if isinstance(inner, Mapping) else {}, rest, value) if nested else value}


def without(document: Mapping[str, Any], path: str) -> dict[str, Any]:
    """A copy without ``path``, nor any object on the way there that is left empty."""
    head, nested, rest = path.partition(".")
    left = dict(document)
    inner = left.get(head)
    if nested and isinstance(inner, Mapping):
        left[head] = without(inner, rest)
    if not nested or left.get(head) == {}:
        left.pop(head, None)
    return left


def under(path: str, parent: str) -> bool:
    """Whether ``path`` is a member, at any depth, of the object at ``parent``."""
    return path.startswith(parent + ".")
