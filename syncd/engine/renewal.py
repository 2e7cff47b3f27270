"""Evidence that grew old while other changes were sent is taken again before anybody is treated as a leaver."""

from __future__ import annotations

import asyncio
from typing import Any

from syncd.core.evidence import Evidence
from syncd.core.project import Projection
from syncd.engine.context import Connected, Context
from syncd.engine.projecting import at, project_dirty
from syncd.engine.read import read
from syncd.environment import instant
from syncd.errors import Incomplete
from syncd.model import Kind
from syncd.store import links


async def still_leaving(context: Context, one: Connected, row: Any) -> bool:
    """True for what is no leaver, and for one of whom just the planned change is still wanted on fresh or renewed evidence.

    Raises Incomplete when the evidence cannot be renewed.
    """
    if row.evidence_at is None or not _stale(context, instant(row.evidence_at)):
        return True
    await _renew(context)
    await project_dirty(context, one)
    standing = links.standing(context.store, one.name, [row.identity])
    return any(_wanted(row, at(context, one, each).projection) for each in standing)


def _wanted(row: Any, found: Projection) -> bool:
    """Whether projection still asks for what was planned: a deletion, or a disabling, and not the other."""
    deletes = row.kind == Kind.DELETE.value
    return found.event is not None and found.desired != found.actual and (found.desired is None) == deletes


def _stale(context: Context, taken: Any) -> bool:
    return Evidence(taken, ()).stale(context.environment.now())


async def _renew(context: Context) -> None:
    """Read every source again, once for all changes that wait for it."""
    async with context.renewal:
        if context.unproven:
            raise Incomplete(context.unproven)
        if context.renewed_at is not None and not _stale(context, context.renewed_at):
            return
        started = context.environment.now()
        readings = await asyncio.gather(*(read(context, context.connected[name]) for name in context.authoritative))
        defects = [f"{reading.name}: {reading.defect}" for reading in readings if reading.defect]
        if defects:
            context.unproven = f"evidence of absence could not be taken again ({'; '.join(defects)})"
            raise Incomplete(context.unproven)
        context.renewed_at = started
