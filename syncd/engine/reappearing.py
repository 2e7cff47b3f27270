"""Accounts of ours that were found gone and are listed again: the proof, or the answer to a delete, was false, and they are ours still."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

from syncd.core.correlation import marker
from syncd.core.rule import seen
from syncd.engine.context import Connected, Context
from syncd.store import outcomes, tombstones
from syncd.store.staging import Staged


def reattach(context: Context, one: Connected, staged: Sequence[Staged], rows: Mapping[str, int]) -> None:
    """Give them back to their people, so that they are wanted, or leave, as any other account."""
    owners = tombstones.disowned(context.store, list(rows.values()))
    if owners:
        marks = {rows[each.account]: value for each in staged for name, value, _ in each.keys if name == "@marker"}
        outcomes.reattach(context.store, one.name, [row for row, who in owners.items() if _same(context, one, who, marks.get(row))])


def _same(context: Context, one: Connected, who: str, mark: str | None) -> bool:
    """It bears the marker that only an administrator writes; where there is none such, the provider gives no id twice."""
    capability = one.connector.capability
    spec = capability.spec(capability.marker) if capability.marker else None
    if capability.marker is None or spec is None or not spec.trusted:
        return not capability.own_ids
    return bool(mark == seen(capability, capability.marker, marker(context.landscape.instance, who)))
