"""Precedence: one person's attributes from all the accounts that have a say, and whose value won.

::

    a connection's value            its standing
    none                            nothing: the next in the order
    what syncd itself put there     echo: no opinion, the next in the order
    any other, first in the order   wins
    any other                       loses
"""

from __future__ import annotations

from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass
from enum import StrEnum
from typing import Any

Readings = Mapping[str, Mapping[str, Any]]
"""Connection -> canonical attributes that have a value."""
Echoes = Mapping[str, Mapping[str, Sequence[Any]]]
"""Connection -> attribute -> what syncd itself last wrote there, as it reads back; several values while an outcome is unknown."""
SILENCE: Echoes = {}


class Say(StrEnum):
    """What came of one connection's value."""

    WINS = "wins"
    LOSES = "loses"
    ECHO = "echo"
    NOTHING = "nothing"


@dataclass(frozen=True, slots=True)
class Claim:
    """What one connection says of one attribute; ``value`` is None where it has none."""

    connection: str
    value: Any
    say: Say


def merge(
    readings: Readings, order: Sequence[str], precedence: Mapping[str, Sequence[str]], echoes: Echoes = SILENCE
) -> dict[str, Any]:  # fmt: skip
    """One set of attributes: of each, the first connection in its order that has an opinion wins; where none has, there is no value."""
    names = {name for reading in readings.values() for name in reading}
    merged: dict[str, Any] = {}
    for name in names:
        origin = contributor(name, readings, order, precedence, echoes)
        if origin is not None:
            merged[name] = readings[origin][name]
    return merged


def contributor(
    name: str, readings: Readings, order: Sequence[str], precedence: Mapping[str, Sequence[str]], echoes: Echoes = SILENCE
) -> str | None:  # fmt: skip
    """The connection whose value of ``name`` wins, or None when no one has an opinion."""
    for one in precedence.get(name, order):
        if one in readings and name in readings[one] and not _echoed(echoes, one, name, readings[one][name]):
            return one
    return None


def claims(
    name: str, readings: Readings, order: Sequence[str], precedence: Mapping[str, Sequence[str]], echoes: Echoes = SILENCE
) -> tuple[Claim, ...]:  # fmt: skip
    """What every connection that has a say in ``name`` says, best first: at most one of them wins."""
    winner = contributor(name, readings, order, precedence, echoes)
    made = []
    for one in precedence.get(name, order):
        value = readings.get(one, {}).get(name)
        echo = value is not None and _echoed(echoes, one, name, value)
        say = Say.NOTHING if value is None else Say.ECHO if echo else Say.WINS if one == winner else Say.LOSES
        made.append(Claim(one, value, say))
    return tuple(made)


def complete(
    readings: Readings, order: Sequence[str], precedence: Mapping[str, Sequence[str]], written: Echoes, names: Mapping[str, Collection[str]]
) -> dict[str, dict[str, Sequence[Any]]]:  # fmt: skip
    """The echoes of every attribute in ``names`` (connection -> those it contributes), also where ``written`` knows of none.

    Of a connection that was written before it had a say, or by a store that was lost, nobody knows what syncd wrote. A value in which all
    others agree is taken for that; any other is an opinion.
    """
    known: dict[str, dict[str, Sequence[Any]]] = {
        one: {name: list(written.get(one, {})[name]) for name in having if name in written.get(one, {})} for one, having in names.items()
    }
    found = {one: dict(wrote) for one, wrote in known.items()}
    for one, having in names.items():
        for name in sorted({*having} - known[one].keys()):
            value = readings.get(one, {}).get(name)
            others = {who: said for who, said in readings.items() if who not in names or name in known[who]}
            origin = contributor(name, others, order, precedence, known)
            agreed = value is not None and origin is not None and readings[origin][name] == value
            found[one][name] = [value] if agreed else []
    return found


def _echoed(echoes: Echoes, connection: str, name: str, value: Any) -> bool:
    return bool(echoes) and value in echoes.get(connection, {}).get(name, ())
