"""What a plan holds, in groups: each reason once, with how many it holds, who they are, and what to do."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from typing import Any

from syncd.cli import cures
from syncd.cli.text import count, listed
from syncd.engine.planning import Plan
from syncd.model import USER, Hold
from syncd.store import answers


@dataclass(frozen=True, slots=True)
class Group:
    """``rows``: of `answers.held`; ``reason``: that holds them all, None where each change has one of its own. ``narrowly``: the options
    by which a command means these, and not what the same run holds besides."""

    rows: Sequence[Any]
    reason: str | None
    narrowly: str = ""

    @property
    def told(self) -> str:
        """``3 held (3 to disable): 3 leave (30 % of 10, limit 1)``."""
        kinds = Counter[tuple[str, str]]()
        for row in self.rows:
            kinds[row.object, row.kind] += row.n
        each = [f"{_number_of(number, object)} to {kind}" for (object, kind), number in kinds.items()]
        told = f"{kinds.total():,} held ({listed(each)})"
        return told if self.reason is None else f"{told}: {self.reason}"

    @property
    def agreeable(self) -> bool:
        """Nothing speaks against them but that nobody has said yes yet: they are to be read as what is about to be done."""
        return all(agreeable(row) for row in self.rows)

    @property
    def advice(self) -> str:
        """What to do, with the command to paste."""
        one = self.rows[0]
        these = f"{one.first}{self.narrowly}"
        if one.hold == Hold.FIRST_CONTACT and cures.releasable(one):
            return f"`syncd sync` asks and sends these (in cron: syncd sync --yes); or let them go: syncd held release {these}"
        if one.hold == Hold.FIRST_CONTACT:
            return cures.WAIT
        if one.hold == Hold.REVIEW:
            return f"{cures.REVIEWED}: syncd held release {these}   keep as it is: syncd held reject {these}"
        if cures.releasable(one):
            return f"let them go: syncd held release {these}   keep as it is: syncd held reject {these}"
        return f"{cures.WORDS[one.hold]}; or keep as it is: syncd held reject {these}"


def groups(plan: Plan, connection: str, goes: Callable[[Any], bool]) -> Iterator[Group]:
    """In order of planning; without those that a yes sends (``goes``)."""
    found: dict[tuple[Any, ...], list[Any]] = {}
    held = [row for row in answers.held(plan.store, plan.run) if not goes(row)]
    for row in held:
        if row.connection == connection:
            found.setdefault((row.hold, row.held, row.first, cures.releasable(row)), []).append(row)
    return (Group(rows, reason, _narrowly(rows, held)) for (_, reason, *_), rows in found.items())


def _narrowly(rows: Sequence[Any], held: Sequence[Any]) -> str:
    """``-c`` where the run holds something at another connection too, ``--kind`` where it holds other kinds at this one."""
    one = rows[0]
    others = [row for row in held if row.first == one.first and row not in rows]
    kinds = {row.kind for row in rows}
    elsewhere = any(row.connection != one.connection for row in others)
    besides = any(row.connection == one.connection and row.kind not in kinds for row in others)
    return (f" -c {one.connection}" if elsewhere else "") + "".join(f" --kind {kind}" for kind in sorted(kinds) if besides)


def agreeable(row: Any) -> bool:
    """The same of one row of `answers.held`."""
    return row.hold in (Hold.FIRST_CONTACT, Hold.REVIEW) and cures.releasable(row)


def _number_of(number: int, object: str) -> str:
    """People without a word, anything else with its kind."""
    return f"{number:,}" if object == USER else count(number, object)
