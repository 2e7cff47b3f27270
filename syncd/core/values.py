"""JSON values: what counts as one, and the one form in which two are compared."""

from __future__ import annotations

import math
from collections.abc import Callable, Mapping
from typing import Any

from syncd.errors import Rejected

DEEPEST = 64
"""Levels of nesting; more is an attack on whoever reads it, not a directory attribute."""
_LARGEST = 2**63  # integers up to here survive JSON readers and both databases
_NUMBERS, _LISTS, _OBJECTS = (int, float), (list, tuple), (dict, Mapping)  # the commonest kind first: every value passes here

Flawed = Callable[[str, Any], Any]
"""What to put in the place of a value that cannot be stored, given its flaw."""


def present(value: Any) -> bool:
    """False for None, "", [] and {}: with absence they are one thing, no value. False and 0 are values."""
    return bool(value) or value == 0


def clean(value: Any) -> Any:
    """The one form of a value: `tidy`, and None for no value. Idempotent. Raises Rejected like `tidy`."""
    if type(value) is str and value.isascii() and "\0" not in value:
        return value or None  # nearly every value
    if value is None:
        return None
    value = _walk(value, _refuse, 0)
    return value if present(value) else None


def tidy(value: Any) -> Any:
    """A JSON value without object members that hold no value, whole numbers as integers; list members stay in place.

    Raises Rejected for what cannot be stored or compared: NUL, half a surrogate pair, NaN and the infinities, an integer beyond 64 bits,
    more than `DEEPEST` levels, anything that is not JSON.
    """
    return _walk(value, _refuse, 0)


def legible(value: Any) -> Any:
    """As `clean`, but for values somebody else wrote: what cannot be stored becomes text that says so. Raises nothing."""
    value = _walk(value, _stand_in, 0)
    return value if present(value) else None


def _refuse(flaw: str, _: Any) -> Any:
    raise Rejected(flaw)


def _stand_in(flaw: str, value: Any) -> Any:
    if isinstance(value, str):
        return f"<{flaw}: {value!a}>"
    return f"<{flaw}: {value:#x}>" if isinstance(value, int) else f"<{flaw}>"


def _walk(value: Any, flawed: Flawed, depth: int) -> Any:
    if isinstance(value, str):
        return _text(value, flawed)
    if value is None or isinstance(value, bool):
        return value
    if isinstance(value, _NUMBERS):
        return _number(value, flawed)
    if depth == DEEPEST:
        return flawed(f"nested more than {DEEPEST} levels deep", None)
    if isinstance(value, _LISTS):
        return [_walk(member, flawed, depth + 1) for member in value]
    if isinstance(value, _OBJECTS):
        members = [(_name(name, flawed), _walk(member, flawed, depth + 1)) for name, member in value.items()]
        return {name: member for name, member in members if present(member)}
    return flawed(f"{describe(value)} is not a JSON value", None)


def _text(value: str, flawed: Flawed) -> Any:
    if "\0" in value:
        return flawed("holds a NUL character", value)
    if not value.isascii() and any("\ud800" <= character <= "\udfff" for character in value):
        return flawed("holds half a surrogate pair", value)
    return value


def _name(name: Any, flawed: Flawed) -> Any:
    return _text(name, flawed) if isinstance(name, str) else flawed(f"a member name is {describe(name)}, not text", ascii(name))


def _number(value: int | float, flawed: Flawed) -> Any:
    if isinstance(value, float):
        if not math.isfinite(value):
            return flawed(f"{value} is not a number of JSON", None)
        return int(value) if value.is_integer() and abs(value) < _LARGEST else value
    return value if -_LARGEST <= value < _LARGEST else flawed("an integer beyond 64 bits", value)


def describe(value: Any) -> str:
    """The kind of a value in words, never the value: it may be personal."""
    for kind, words in ((bool, "true or false"), (str, "text"), (int | float, "a number"), (list, "a list"), (Mapping, "an object")):
        if isinstance(value, kind):
            return words
    return f"a {type(value).__name__}"
