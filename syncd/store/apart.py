"""The rows of one batch are about different rows of the table: PostgreSQL takes them as one set, in which none comes after another."""

from __future__ import annotations

import re
from collections.abc import Sequence
from functools import lru_cache
from operator import itemgetter

from syncd.store.backend import Parameters

_VALUE = re.compile(r":([A-Za-z_]\w*)")
_REPLACED = re.compile(r"\bON CONFLICT \(([^)]*)\) DO UPDATE\b")
_WHERE = re.compile(r"\bWHERE\b")


def apart(statement: str, rows: Sequence[Parameters]) -> bool:
    """Whether no two of these meet the same row. What only inserts is left to the table's own keys."""
    keys = _keys(statement)
    return not keys or len(set(map(itemgetter(*keys), rows))) == len(rows)


@lru_cache(maxsize=256)
def _keys(statement: str) -> tuple[str, ...]:
    """The values that say which row is meant: those of an UPDATE's condition, those of the columns that an INSERT gives way for."""
    values = dict.fromkeys(_VALUE.findall(statement))
    if (replaced := _REPLACED.search(statement)) is not None:
        return tuple(name for name in map(str.strip, replaced[1].split(",")) if name in values)
    if statement.lstrip().startswith("UPDATE"):
        return tuple(dict.fromkeys(_VALUE.findall(_WHERE.split(statement, maxsplit=1)[1])))
    return ()
