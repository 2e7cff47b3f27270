"""Whom an expression matches of all that the store knows, and what would change if it were a target's scope."""

from __future__ import annotations

import os
import sys
from collections import Counter
from collections.abc import Callable, Collection, Sequence
from dataclasses import dataclass, field
from operator import itemgetter
from typing import Any

import orjson

from syncd.core.scope import Scope
from syncd.engine.projecting import called
from syncd.errors import Rejected
from syncd.store import Store, census
from syncd.store.census import Alike, Block
from syncd.store.database import Database

EXAMPLES = 3
"""People who are named of those that would come, and of those that would go."""
REMEMBERED = 20_000
"""Answers that are kept; more different values than that are judged anew where they come again."""
SHARE = 200_000
"""People for whom it is worth another process."""


@dataclass(slots=True)
class Against:
    """A target's present scope (None = everyone) beside the expression. ``joining``: who matches and is not in scope now; ``leaving``: who
    is in scope now and does not match; who cannot be judged neither comes nor goes."""

    name: str
    scope: str | None
    joining: int = 0
    leaving: int = 0
    newcomers: list[str] = field(default_factory=list)
    leavers: list[str] = field(default_factory=list)

    def add(self, other: Against) -> None:
        self.joining, self.leaving = self.joining + other.joining, self.leaving + other.leaving
        self.newcomers, self.leavers = [(mine + theirs)[:EXAMPLES] for mine, theirs in (
            (self.newcomers, other.newcomers), (self.leavers, other.leavers),
        )]  # fmt: skip


@dataclass(slots=True)
class Assessment:
    """``undecided``: why people cannot be judged -> how many; they are no match."""

    expression: str
    targets: list[Against]
    people: int = 0
    matching: int = 0
    undecided: Counter[str] = field(default_factory=Counter)

    def add(self, other: Assessment) -> None:
        self.people, self.matching = self.people + other.people, self.matching + other.matching
        self.undecided.update(other.undecided)
        for mine, theirs in zip(self.targets, other.targets, strict=True):
            mine.add(theirs)


@dataclass(frozen=True, slots=True)
class Asked:
    """``scopes``: (target, its present scope)."""

    expression: str
    canonical: tuple[str, ...]
    scopes: tuple[tuple[str, str | None], ...]

    def blank(self) -> Assessment:
        return Assessment(self.expression, [Against(name, text) for name, text in self.scopes])


class _Judge:
    """One scope, asked once for all who have the same values. ``names``: what the rows hold, in order."""

    def __init__(self, scope: Scope, names: Sequence[str]) -> None:
        self._scope = scope
        self._names = [name for name in names if name in scope.names]
        self._own: Callable[[Alike], Any] = itemgetter(*(names.index(name) for name in self._names)) if self._names else lambda _: None
        self._known: dict[Any, bool | str] = {}

    def answer(self, alike: Alike) -> bool | str:
        """True, False, or why there is no answer."""
        own = self._own(alike)
        known = self._known.get(own)
        if known is None:
            if len(self._known) >= REMEMBERED:
                self._known.clear()
            known = self._known[own] = self._judged((own,) if len(self._names) == 1 else own or ())
        return known

    def _judged(self, own: Sequence[str | None]) -> bool | str:
        values: dict[str, Any] = {name: orjson.loads(text) for name, text in zip(self._names, own, strict=True) if text is not None}
        try:
            return self._scope.includes(values)
        except Rejected as error:
            return str(error).removeprefix("scope: ")


def assess(store: Store, expression: str, canonical: Collection[str], scopes: Sequence[tuple[str, str | None]]) -> Assessment:
    """``scopes``: (target, its present scope). Of many people each processor judges a part.

    Raises ExpressionError for an expression that does not compile.
    """
    asked = Asked(expression, tuple(canonical), tuple(scopes))
    Scope(expression, canonical)
    blocks = census.blocks(store, os.cpu_count() or 1 if sys.platform == "linux" else 1, SHARE)
    if len(blocks) == 1:
        return _assess(store, asked, blocks[0])
    from concurrent.futures import ProcessPoolExecutor
    from multiprocessing import get_context

    made = asked.blank()
    parts = len(blocks)
    with ProcessPoolExecutor(parts, get_context("fork")) as pool:
        for part in pool.map(_part, [store.url] * parts, [asked] * parts, blocks):
            made.add(part)
    return made


def _part(url: str, asked: Asked, block: Block) -> Assessment:
    """In a process of its own, with a connection of its own."""
    store = Database(url)
    try:
        return _assess(store, asked, block)
    finally:
        store.close()


def _assess(store: Database, asked: Asked, whole: Block) -> Assessment:
    made, scope = asked.blank(), Scope(asked.expression, asked.canonical)
    present = [Scope(text, asked.canonical) for _, text in asked.scopes]
    names = sorted(scope.names.union(*(one.names for one in present)))
    judge = _Judge(scope, names).answer
    against = [(one, _Judge(before, names).answer) for one, before in zip(made.targets, present, strict=True)]
    for block, rows in census.census(store, names, whole):
        for alike in rows:
            answer, people = judge(alike), alike[-1]
            made.people += people
            if answer is True:
                made.matching += people
            elif answer is not False:
                made.undecided[str(answer)] += people
            for one, before in against:
                if answer is not (now := before(alike)):
                    _compare(store, names, block, alike, one, answer, now)
    return made


def _compare(
    store: Database, names: Sequence[str], block: Block, alike: Alike, one: Against, answer: bool | str, before: bool | str
) -> None:  # fmt: skip
    def named(most: int) -> list[str]:
        return [called(id, attributes) for id, attributes in census.some(store, names, block, alike, most)] if most > 0 else []

    if answer is True and before is not True:
        one.joining += alike[-1]
        one.newcomers += named(EXAMPLES - len(one.newcomers))
    elif answer is False and before is True:
        one.leaving += alike[-1]
        one.leavers += named(EXAMPLES - len(one.leavers))
