"""Fingerprints: sixteen bytes that are equal when, and only when, two sets of values are."""

from __future__ import annotations

from collections.abc import Mapping
from hashlib import blake2b
from typing import Any

import orjson

from syncd.core.values import legible


def canonical(value: Any) -> bytes:
    """The value as JSON: cleaned, members in order of their names, compact, UTF-8; total, because strangers wrote what it is made of.

    This is the one equality of values: Python's own takes 1 for True.
    """
    return orjson.dumps(legible(value), option=orjson.OPT_SORT_KEYS)


def fingerprint(values: Mapping[str, Any]) -> bytes:
    """Sixteen bytes over ``values``; entries without a value do not count."""
    return blake2b(canonical(values), digest_size=16).digest()


def fingerprint_of_clean(values: Mapping[str, Any]) -> bytes:
    """The same bytes, where every value is clean already, or None."""
    held = {name: value for name, value in values.items() if value is not None}
    return blake2b(orjson.dumps(held or None, option=orjson.OPT_SORT_KEYS), digest_size=16).digest()
