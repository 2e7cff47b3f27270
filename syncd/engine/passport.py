"""Under which circumstances a listing is read: a place in it, or the watermark it left, is good under the very same alone."""

from __future__ import annotations

from typing import Any

import orjson

from syncd.engine.context import Connected, Context

_NAMES = {"credentials": "its credentials", "options": "its configuration", "map": "how it is read", "store": "the store"}
"""Ingredient -> what one calls it."""
_SHOWN = ("credentials", "options")
"""Those on which it depends whom a provider shows."""


def current(context: Context, one: Connected, known: Any) -> str:
    """The passport of now, JSON text: the ingredients as digests, and how often the store was restored. ``known``: the row of ``one``."""
    read = {"map": None if known is None else known.reading, "store": context.store.epoch}
    return orjson.dumps({**one.asking(context.store.digest_key), **read}, option=orjson.OPT_SORT_KEYS).decode()


def otherwise(before: str | None, now: str) -> str:
    """What is not as it was ``before``, in words; "" where everything is, and where nothing was noted then."""
    return " and ".join(_NAMES[name] for name in _differing(before, now))


def foreign(known: Any, now: str) -> bool:
    """Whether the last listing that proved anything (of the row ``known``) could have shown others than one of ``now``."""
    before = None if known is None else known.passport
    return any(name in _SHOWN for name in _differing(before, now))


def _differing(before: str | None, now: str) -> list[str]:
    if before is None:
        return []
    then, current = orjson.loads(before), orjson.loads(now)
    return [name for name in _NAMES if then.get(name) != current.get(name)]
