"""Turning a value into the type of the attribute that is to hold it."""

from __future__ import annotations

from typing import Any

from syncd.core.values import describe, tidy
from syncd.errors import Rejected

_WORDS = {"true": True, "1": True, "yes": True, "false": False, "0": False, "no": False}


def coerce(kind: str, value: Any) -> Any:
    """A clean value as ``kind``: string | boolean | number | set (sorted, each once, none empty) | object | any (a list of text is a set).

    A scalar becomes text, or a set of one; text becomes a boolean by the words true/false/1/0/yes/no. Raises Rejected where nothing fits.
    """
    match kind:
        case "string":
            return text(value)
        case "boolean":
            return _boolean(value)
        case "number":
            return _number(value)
        case "set":
            return _members(value if isinstance(value, list) else [value])
        case "object" if not isinstance(value, dict):
            raise Rejected(f"{describe(value)} where an object is expected")
    return _members(value) if fits("set", value) else value


def fits(kind: str, value: Any) -> bool:
    """Whether a value already is of this kind; a set in any order is."""
    match kind:
        case "string":
            return isinstance(value, str)
        case "boolean":
            return isinstance(value, bool)
        case "number":
            return isinstance(value, int | float) and not isinstance(value, bool)
        case "set":
            return isinstance(value, list) and all(isinstance(member, str) for member in value)
        case "object":
            return isinstance(value, dict)
    return True


def text(value: Any) -> str:
    """A scalar as text: ``true``, ``false``, numbers in decimal. Raises Rejected for a list or an object."""
    if isinstance(value, bool):
        return "true" if value else "false"
    if isinstance(value, str | int | float):
        return str(value)
    raise Rejected(f"{describe(value)} where text is expected")


def boolean(value: str) -> bool | None:
    """true/1/yes and false/0/no in any case; None for any other text."""
    return _WORDS.get(value.strip().lower())


def _members(values: list[Any]) -> list[str]:
    return sorted({text(member) for member in values} - {""})


def _boolean(value: Any) -> bool:
    known = boolean(text(value)) if isinstance(value, str | int | float) else None
    if known is None:
        raise Rejected(f"{describe(value)} that is none of true, false, 1, 0, yes and no")
    return known


def _number(value: Any) -> int | float:
    if fits("number", value):
        return value  # type: ignore[no-any-return]
    try:
        number: int | float = tidy(float(text(value)))
    except ValueError:
        raise Rejected(f"{describe(value)} where a number is expected") from None
    return number
