"""What the listings prove about leavers, by why they left."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import datetime
from typing import Any

from syncd.core.entitlement import Event
from syncd.core.evidence import Evidence, Seal, prove
from syncd.engine.context import Connected, Context
from syncd.environment import instant
from syncd.store import connections

Proofs = Mapping[Event, Evidence | None]
"""Why somebody left -> what proves it."""
NOBODY: Mapping[str, datetime] = {}


def proofs(context: Context, one: Connected, heard: Mapping[str, datetime] = NOBODY) -> Proofs:
    """Once the target's own listing was sealed: of absence, every source's whole listing; of anything else, what each was last seen to say.
    A source that was ``heard`` about somebody says the same of them since then."""
    target, *rows = (connections.row(context.store, name) for name in (one.name, *context.authoritative))
    if target is None or not target.complete:
        return dict.fromkeys(Event)
    gone = [Seal(row.name, heard.get(row.name) or instant(row.sealed_at)) if row is not None and row.complete else None for row in rows]
    said = [
        Seal(row.name, heard.get(row.name) or _heard(context, row)) if row is not None and row.complete and not row.defect else None
        for row in rows
    ]
    there = prove(said)
    return {Event.DEPARTED: prove(gone), Event.INACTIVE: there, Event.OUT_OF_SCOPE: there}


def _heard(context: Context, source: Any) -> datetime:
    """When everybody at a source was last seen to say what they say: a delta that shows newcomers only tells nothing of the others."""
    newcomers = context.connected[source.name].connector.capability.newcomers
    return instant(source.sealed_at if newcomers else source.last_delta)
