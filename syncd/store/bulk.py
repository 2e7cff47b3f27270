"""One statement for many rows, on PostgreSQL: the rows travel as one JSON text, and the statement becomes one about a set.

::

    INSERT INTO t (a, b) VALUES (:x, 1) ...   ->   INSERT INTO t (a, b) SELECT given._x, 1 FROM (...) AS given ...
    UPDATE t SET a = :x WHERE id = :y         ->   UPDATE t SET a = given._x FROM (...) AS given WHERE id = given._y

Of 2 rows or 1,000 alike this is faster than to send each, or to copy them into a temporary table first, and needs none. Many rows that
are only inserted, just as they are given, are copied: that takes the database half as much.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Sequence
from functools import lru_cache
from typing import Any

import orjson
from psycopg import Connection as Driver
from psycopg.errors import error_from_result
from psycopg.pq import ExecStatus

from syncd.store.backend import Parameters

MANY = 100
"""Rows from which on a copy, which takes one round trip more, costs less."""
_NAME = re.compile(r"%\((\w+)\)s")
_INSERT = re.compile(r"\s*(INSERT INTO \w+ \([^)]*\))\s*VALUES\s*\((.*?)\)\s*(ON CONFLICT\b.*)?", re.DOTALL)
_GIVEN = re.compile(r"\s*INSERT INTO (\w+ \([^)]*\))\s*VALUES\s*\(((?:%\(\w+\)s|[,\s])*)\)\s*")
"""Nothing but the values given."""
_UPDATE = re.compile(r"\s*(UPDATE \w+ SET .*?)\s+(WHERE .*)", re.DOTALL)
Types = tuple[str, ...]


def many(driver: Driver[Any], statement: str, rows: Sequence[Parameters]) -> None:
    """``statement``: as the driver reads it."""
    if len(rows) == 1:
        driver.execute(statement.encode(), rows[0])
        return
    if len(rows) >= MANY and (into := _copied(statement)):
        _copy(driver, into, _names(statement), rows)
        return
    types = _types(statement, lambda text: _asked(driver, text))
    driver.execute(_set(statement, types).encode(), {"rows": orjson.dumps(list(rows), default=_bytes).decode()})


@lru_cache(maxsize=256)
def _copied(statement: str) -> str:
    """The table, and its columns in the order of the names; "" where that is not all there is to it."""
    given = _GIVEN.fullmatch(statement)
    return given[1] if given is not None and len(_NAME.findall(statement)) == len(_names(statement)) else ""


def _copy(driver: Driver[Any], into: str, names: Sequence[str], rows: Sequence[Parameters]) -> None:
    with driver.cursor() as cursor, cursor.copy(f"COPY {into} FROM STDIN".encode()) as copying:
        for row in rows:
            copying.write_row([row[name] for name in names])


def _bytes(value: Any) -> str:
    """As PostgreSQL reads ``bytea`` in a text (its documentation, "Binary Data Types")."""
    if isinstance(value, bytes):
        return "\\x" + value.hex()
    raise TypeError(type(value))


_known: dict[str, Types] = {}


def _types(statement: str, ask: Callable[[str], Types]) -> Types:
    """Of the values in order of their names' first use; what the database itself makes of them, asked once."""
    if statement not in _known:
        _known[statement] = ask(statement)
    return _known[statement]


def _asked(driver: Driver[Any], statement: str) -> Types:
    names = _names(statement)
    text = _NAME.sub(lambda found: f"${names.index(found[1]) + 1}", statement).replace("%%", "%")
    result = driver.pgconn.prepare(b"", text.encode())
    if result.status != ExecStatus.COMMAND_OK:
        raise error_from_result(result)
    told = driver.pgconn.describe_prepared(b"")
    return tuple(driver.adapters.types[told.param_type(place)].name for place in range(told.nparams))


@lru_cache(maxsize=256)
def _names(statement: str) -> tuple[str, ...]:
    return tuple(dict.fromkeys(_NAME.findall(statement)))


@lru_cache(maxsize=256)
def _set(statement: str, types: Types) -> str:
    names = _names(statement)
    columns = ", ".join(f"{name} {type}" for name, type in zip(names, types, strict=True))
    renamed = ", ".join(f"r.{name} AS _{name}" for name in names)
    given = f"(SELECT {renamed} FROM json_to_recordset(CAST(%(rows)s AS json)) AS r ({columns})) AS given"
    text = _NAME.sub(lambda found: f"given._{found[1]}", statement)
    if (insert := _INSERT.fullmatch(text)) is not None:
        return f"{insert[1]} SELECT {insert[2]} FROM {given} {insert[3] or ''}"
    update = _UPDATE.fullmatch(text)
    assert update is not None, f"neither INSERT ... VALUES nor UPDATE ... WHERE: {statement}"
    return f"{update[1]} FROM {given} {update[2]}"
