"""The staging door: new and changed accounts of one connection enter the store, and what hangs on them is done in the same transaction."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

from syncd.engine import identify, observing, reappearing
from syncd.engine.context import Connected, Context
from syncd.store import staging
from syncd.store.staging import Staged


def enter(context: Context, one: Connected, staged: Sequence[Staged], *, known: bool = True) -> Mapping[str, int]:
    """Provider id -> row id. Whose they are at a source, what is to be projected again at a target; in the caller's transaction.

    ``known``: accounts of this connection were seen before, so that some may be back.
    """
    observing.changed(context, one, staged)
    rows = staging.upsert(context.store, one.name, staged)
    if one.connection.authoritative:
        identify.refresh(context, identify.claim(context, one, staged, rows))
    if one.policy is not None:
        if known:
            reappearing.reattach(context, one, staged, rows)
        staging.forget_strangers(context.store, list(rows.values()))
        staging.mark_linked(context.store, list(rows.values()))
    return rows
