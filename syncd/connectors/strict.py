"""JSON that can be kept: decoded only if every store, digest and provider downstream can carry it unchanged."""

from __future__ import annotations

from typing import Any

import msgspec
import orjson

DEPTH = 64
_INTEGERS = range(-(1 << 63), 1 << 64)


def loads(raw: bytes) -> Any:
    """The value; raises ValueError with the reason for anything that is no strict JSON (RFC 8259), or is it only by the letter.

    Refused: invalid UTF-8, lone surrogates, NaN and Infinity, numbers beyond a double or 64 bits, NUL, nesting deeper than 64.
    """
    value = orjson.loads(raw)
    shallow = raw.count(b"[") + raw.count(b"{") <= DEPTH
    if shallow and b"\\u" not in raw and not _has_float(value):
        return value  # nearly every record; no escape that could be NUL
    value = _exact(raw)
    _examine(value, DEPTH)
    return value


def _has_float(value: Any) -> bool:
    """Whether a number may have been rounded: orjson makes floats of integers beyond 64 bits."""
    kind = type(value)
    if kind is dict:
        value = value.values()
    elif kind is not list:
        return kind is float
    for member in value:
        kind = type(member)
        if kind is float or ((kind is dict or kind is list) and _has_float(member)):
            return True
    return False


def dumps(value: Any) -> str:
    """Compact, keys sorted, non-ASCII kept. Raises ValueError for what JSON in 64 bits and UTF-8 cannot carry."""
    try:
        return orjson.dumps(value, option=orjson.OPT_SORT_KEYS).decode()
    except TypeError as error:
        raise ValueError(str(error)) from None


def _exact(raw: bytes) -> Any:
    """As orjson, but integers of any size stay integers."""
    try:
        return msgspec.json.decode(raw)
    except (msgspec.MsgspecError, RecursionError):
        raise ValueError("a number or a nesting is too large") from None


def _examine(value: Any, depth: int) -> None:
    match value:
        case str() if "\x00" in value:
            raise ValueError("a text holds NUL")
        case int() if value not in _INTEGERS:
            raise ValueError("an integer exceeds 64 bits")
        case dict() | list() if depth == 0:
            raise ValueError(f"nested deeper than {DEPTH} levels")
        case dict():
            for key, member in value.items():
                _examine(key, depth)
                _examine(member, depth - 1)
        case list():
            for member in value:
                _examine(member, depth - 1)
