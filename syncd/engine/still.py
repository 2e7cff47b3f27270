"""Whether what was planned of somebody is still wanted when it is sent: people are free for other runs meanwhile (see `leasing`).

Asked in the transaction of each intent, so that nobody can change anything between the answer and the intent. Whoever was marked since the
plan was made is projected again by what is known of them now; the change goes only if that is what it was planned for. So a leaver who came
back is not ended, a newcomer who left, or became one with somebody else, is not made, and no value is written that is old by now. What does
not go is skipped alone, and planned anew by the next run.

The account itself cannot have moved: only who holds the lease of its target lists it, or writes to it; and a plan that is old is looked at
anew (`renewal`).
"""

from __future__ import annotations

from typing import Any

import orjson

from syncd.core.mapping import delta
from syncd.core.project import Projection
from syncd.engine import rules
from syncd.engine.context import Connected, Context
from syncd.engine.projecting import at, save
from syncd.model import USER, Kind
from syncd.store import links

MOVED = "this changed since the plan was made: the next run plans it anew"


class Wanted:
    """What one change (a row of the journal) is to bring about, from its first request to its last."""

    def __init__(self, context: Context, one: Connected, row: Any) -> None:
        self._context, self._one, self._row, self._desired = context, one, row, row.wants
        self._asked = context.apart and row.object == USER

    def why_not(self) -> str:
        """Nothing, or why its next request is not sent, in the caller's transaction. Raises Paused when other rules are in use by now."""
        if not self._asked:
            return ""
        rules.insist(self._context, self._one)
        return "" if self._stands() else MOVED

    def moved(self) -> bool:
        """Whether its rest is to be left to the next run: asked before its answer is settled, which projects its person again."""
        return self._asked and not self._stands()

    def follow(self) -> None:
        """A request of it was settled: what is desired now is what the rest of it is for."""
        if self._asked:
            row = links.wanted(self._context.store, self._one.name, self._row.identity)
            self._desired = None if row is None else row.desired

    def _stands(self) -> bool:
        store, name, identity = self._context.store, self._one.name, self._row.identity
        row = links.wanted(store, name, identity)
        if row is None or (row.desired == self._desired and not row.dirty):
            return row is not None
        (each,) = (at(self._context, self._one, one) for one in links.standing(store, name, [identity]))
        save(self._context, self._one, [each])
        return each.projection.desired == self._desired or _asks_for(self._row, each.projection)


def _asks_for(row: Any, projection: Projection) -> bool:
    """Everything that the change writes is wanted just so, though more may be by now, and for the same end."""
    if row.kind == Kind.DELETE or (row.kind == Kind.DISABLE) != (projection.event is not None) or projection.desired is None:
        return False
    asked = {path: after for path, (_, after) in orjson.loads(row.delta).items()}
    known = {**projection.kept, **(projection.wanted or {})}
    return not delta({path: known.get(path) for path in asked}, asked)
