"""Which names an expression may use, and of what type each is."""

from __future__ import annotations

from collections.abc import Iterable

from syncd.model import SETS, Capability

ROW = {"row": "map"}
"""A file's read map sees its row: column -> text."""

_OF_KIND = {"string": "string", "boolean": "bool", "set": "list", "number": "double"}


def canonical_kind(name: str) -> str:
    """set for roles and labels, boolean for active, string for every other canonical attribute."""
    return "set" if name in SETS else "boolean" if name == "active" else "string"


def canonical(names: Iterable[str]) -> dict[str, str]:
    """The variables of scopes, retain rules and write maps: the canonical attributes in use."""
    return {name: _OF_KIND[canonical_kind(name)] for name in names}


def account(capability: Capability) -> dict[str, str]:
    """The variables of a provider's read map: its own attributes, objects excepted (plain paths reach their members)."""
    return {name: _OF_KIND[spec.kind] for name, spec in capability.attributes.items() if spec.kind in _OF_KIND}
