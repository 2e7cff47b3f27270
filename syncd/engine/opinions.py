"""What targets say of people themselves: heard from linked accounts, told from what syncd wrote there, merged anew when it changes.

A link's echo is JSON: the ``account`` (row) it is about, and what syncd ``wrote`` there, attribute -> values as they read back. An
attribute of which it holds nothing was never written under this precedence: see `merging.complete`.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

import orjson

from syncd.core.merging import Echoes, Readings, complete
from syncd.engine.context import Connected, Context
from syncd.model import Account
from syncd.store import opinions

Wrote = dict[str, list[Any]]


@dataclass(frozen=True, slots=True)
class Heard:
    """All that is said of one person, and which of it is an echo. ``unkept``: link -> the echo that its row does not hold yet."""

    readings: Readings
    echoes: Echoes = field(default_factory=dict)
    unkept: Mapping[int, str] = field(default_factory=dict)


def hear(context: Context, sources: Mapping[str, Readings]) -> dict[str, Heard]:
    """``sources``: identity -> what its sources say."""
    voices: dict[str, list[Any]] = {identity: [] for identity in sources}
    for name in context.contributing:
        for row in opinions.voices(context.store, name, list(sources)):
            if row.document is not None and not context.ignore.matches(row.account):
                voices[row.identity].append(row)
    return {identity: _heard(context, read, voices[identity]) for identity, read in sources.items()}


def _heard(context: Context, read: Readings, voices: Sequence[Any]) -> Heard:
    if not voices:
        return Heard(read)
    said = {row.connection: _said(context.connected[row.connection], row) for row in voices}
    names = {name: context.connected[name].opinions.names for name in said}
    written = {row.connection: recorded(row) or {} for row in voices}
    readings = {**read, **{name: {**read.get(name, {}), **own} for name, own in said.items()}}
    echoes = complete(readings, context.authoritative, context.landscape.precedence, written, names)
    records = ((row, record(row.account_id, echoes[row.connection])) for row in voices)
    return Heard(readings, echoes, {row.id: text for row, text in records if text != row.echo})


def _said(one: Connected, row: Any) -> dict[str, Any]:
    """A source that is written, too, says all it says by its own reading."""
    if one.connection.authoritative:
        return {}
    return one.opinions.read(Account(row.account, orjson.loads(row.document)))


def recorded(row: Any) -> Wrote | None:
    """What syncd wrote to the account that the link has now; None if nobody knows."""
    echo = orjson.loads(row.echo) if row.echo else None
    return None if echo is None or echo["account"] != row.account_id else dict(echo["wrote"])


def record(account: int | None, wrote: Mapping[str, Sequence[Any]]) -> str:
    said = {name: list(values) for name, values in wrote.items()}
    return orjson.dumps({"account": account, "wrote": said}, option=orjson.OPT_SORT_KEYS).decode()
