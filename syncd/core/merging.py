"""Precedence: one person's attributes from all the accounts that make them."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

Readings = Mapping[str, Mapping[str, Any]]


def merge(readings: Readings, order: Sequence[str], precedence: Mapping[str, Sequence[str]]) -> dict[str, Any]:
    """Canonical attributes by connection -> one set: per attribute, the first connection in its order that has a value wins."""
    names = {name for reading in readings.values() for name in reading}
    merged: dict[str, Any] = {}
    for name in names:
        origin = contributor(name, readings, order, precedence)
        if origin is not None:
            merged[name] = readings[origin][name]
    return merged


def contributor(name: str, readings: Readings, order: Sequence[str], precedence: Mapping[str, Sequence[str]]) -> str | None:
    """The connection whose value of ``name`` wins, or None when no one has a value."""
    for one in precedence.get(name, order):
        if one in readings and name in readings[one]:
            return one
    return None
