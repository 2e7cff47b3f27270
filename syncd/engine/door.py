"""The staging door: new and changed accounts of one connection enter the store, and what hangs on them is done in the same transaction."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import replace
from typing import Any

from syncd.engine import identify, observing, reappearing
from syncd.engine.context import Connected, Context
from syncd.store import identities, staging, whose
from syncd.store.staging import Staged


def enter(context: Context, one: Connected, staged: Sequence[Staged], *, known: bool = True) -> Mapping[str, int]:
    """Provider id -> row id. Whose they are at a source, what is to be projected again at a target; in the caller's transaction.

    ``known``: accounts of this connection were seen before, so that some may be back.
    """
    before = whose.known(context.store, one.name, [each.account for each in staged])
    observing.changed(context, one, staged, before)
    if one.policy is not None:
        staged = _bare(context, staged, before)
    makes = identify.claim(context, one, staged, before) if one.connection.authoritative else {}
    rows = staging.upsert(context.store, one.name, staged, {account: row.id for account, row in before.items()}, makes)
    identify.refresh(context, makes.values())
    if one.policy is not None:
        if known:
            reappearing.reattach(context, one, staged, rows)
        staging.forget_strangers(context.store, list(rows.values()))
        staging.mark_linked(context.store, list(rows.values()))
    return rows


def _bare(context: Context, staged: Sequence[Staged], before: Mapping[str, Any]) -> list[Staged]:
    """Without the documents of newcomers who correlate with nobody: they would be forgotten again (`staging.forget_strangers`)."""
    answered = identities.by_keys(context.store, {key[:2] for each in staged if each.account not in before for key in each.keys})
    return [
        each if each.account in before or any(key[:2] in answered for key in each.keys) else replace(each, document=None) for each in staged
    ]
