"""Columns of a people file that are read without being configured: one that vanishes refuses the file, as a configured one does."""

from __future__ import annotations

from collections.abc import Iterable

from syncd.connectors.base import Columned
from syncd.engine.context import Connected, Context
from syncd.store import connections


def expect(context: Context, one: Connected) -> None:
    """Tell the connector which columns its last sealed listing had: without one of them everybody would lose its value at once."""
    if isinstance(one.connector, Columned):
        read = _read(one)
        known = [column for column in connections.columns(context.store, one.name) if column in read]
        one.connector.remember({column: _cure(one, column, read[column]) for column in known})


def keep(context: Context, one: Connected, found: Iterable[str]) -> None:
    """A listing that lacked none of those it had is sealed with the columns ``found``; an empty file has them still."""
    if isinstance(one.connector, Columned):
        known = connections.columns(context.store, one.name)
        seen = sorted({*found, *known} & _read(one).keys())
        if seen != known:
            connections.keep_columns(context.store, one.name, seen)


def _read(one: Connected) -> dict[str, list[str]]:
    """Column -> the attributes that the default map reads from it when it is there."""
    read: dict[str, list[str]] = {}
    for entry in one.connection.read:
        if entry.source == "first":
            for column in entry.text.split(","):
                read.setdefault(column, []).append(entry.name)
    return read


def _cure(one: Connected, column: str, names: list[str]) -> str:
    said = " and ".join(f"`{name}: null`" for name in names)
    return (
        f"the last complete reading had {column!r}: put it back, or say in read.attributes of {one.name} where {', '.join(names)}"
        f" stands now ({said} if it is gone for good)"
    )
