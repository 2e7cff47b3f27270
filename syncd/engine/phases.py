"""In which order passed changes are sent: each after those it waits for."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from typing import Any, NamedTuple

from syncd.engine.context import Connected, Context
from syncd.model import USER, Kind
from syncd.store import journal


class Phase(NamedTuple):
    """Changes to objects of one kind; ``belongs``: whether a row of the journal is among them, asked when its turn comes."""

    object: str
    belongs: Callable[[Any], bool]


def phases(context: Context, one: Connected) -> Iterator[Phase]:
    """Containers that are to be, outermost first; users; those who replace a deleted account; containers that nobody lives in any more."""
    containers = list(one.connector.capability.containers)
    yield from (Phase(object, lambda row: row.kind != Kind.DELETE) for object in containers)
    yield Phase(USER, lambda row: row.replaces is None)
    yield Phase(USER, lambda row: row.replaces is not None and _replaced(context, row))
    yield from (Phase(object, lambda row: row.kind == Kind.DELETE) for object in reversed(containers))


def _replaced(context: Context, row: Any) -> bool:
    """The deletion that this creation replaces has taken."""
    return journal.state_of(context.store, context.run, row.replaces) == "applied"


def passed(context: Context, one: Connected, phase: Phase, stopped: Callable[[], bool]) -> Iterator[Any]:
    """The changes of a phase that may be sent, streamed, until nothing more may."""
    after = 0
    while rows := journal.in_state(context.store, context.run, one.name, "passed", after, object=phase.object):
        after = rows[-1].seq
        for row in rows:
            if stopped():
                return
            if phase.belongs(row):
                yield row
