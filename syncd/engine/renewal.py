"""Evidence that grew old while other changes were sent is taken again before anybody is treated as a leaver."""

from __future__ import annotations

import asyncio
from typing import Any

from syncd.core.evidence import Evidence
from syncd.engine.context import Connected, Context
from syncd.engine.projecting import at, project_dirty
from syncd.engine.read import read
from syncd.environment import instant
from syncd.errors import Retryable
from syncd.store import links


async def still_leaving(context: Context, one: Connected, row: Any) -> bool:
    """True for what is no leaver, and for a leaver whose evidence is fresh or was renewed. Raises Retryable when it cannot be renewed."""
    if row.evidence_at is None or not _stale(context, instant(row.evidence_at)):
        return True
    await _renew(context)
    await project_dirty(context, one)
    standing = links.standing(context.store, one.name, [row.identity])
    return any(at(context, one, each).projection.event is not None for each in standing)


def _stale(context: Context, taken: Any) -> bool:
    return Evidence(taken, ()).stale(context.environment.now())


async def _renew(context: Context) -> None:
    """Read every source again, once for all changes that wait for it."""
    async with context.renewal:
        if context.renewed_at is not None and not _stale(context, context.renewed_at):
            return
        started = context.environment.now()
        readings = await asyncio.gather(*(read(context, context.connected[name]) for name in context.authoritative))
        defects = [f"{reading.name}: {reading.defect}" for reading in readings if reading.defect]
        if defects:
            raise Retryable(f"evidence of absence could not be taken again ({'; '.join(defects)})")
        context.renewed_at = started
