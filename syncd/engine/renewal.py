"""A plan that grew old before it was sent: everything is read again, and only what would be planned just so is sent."""

from __future__ import annotations

import asyncio
from collections.abc import Mapping
from datetime import datetime
from typing import Any

from syncd.core.evidence import Evidence
from syncd.engine.context import Connected, Context
from syncd.engine.projecting import project_dirty
from syncd.engine.read import read
from syncd.engine.reconcile import plan_again
from syncd.environment import instant
from syncd.errors import Incomplete, Quarantined
from syncd.model import USER
from syncd.store import connections, lease


async def as_planned(context: Context, one: Connected, row: Any) -> bool:
    """True for a change whose plan, or whose evidence, is young, and for one that is planned just so from what is read now; containers
    follow those who need them.

    Raises Incomplete when the absence of a leaver cannot be proven again, Quarantined when the target refuses to be read, or
    another run may have taken over.
    """
    if row.object != USER or not _stale(context, instant(row.evidence_at) if row.evidence_at else context.planned_at):
        return True
    await _see_anew(context, one, context.sealed if row.evidence_at else context.seen)
    if row.evidence_at:
        _prove_again(context)
    await project_dirty(context, one)
    return any(_same(row, new) for new in await plan_again(context, one, row.identity))


def _same(row: Any, new: dict[str, Any]) -> bool:
    """What replaces an account that was just deleted has lost the account it was planned against, and is else as it was."""
    if row.replaces is not None:
        return (row.kind, row.delta) == (new["kind"], new["delta"])
    return bool(row.id == new["id"] and new["state"] == "planned")


def _stale(context: Context, taken: datetime | None) -> bool:
    return taken is None or Evidence(taken, ()).stale(context.environment.now())


async def _see_anew(context: Context, one: Connected, sources: Mapping[str, datetime]) -> None:
    """Read what this run has not read for long, once for all changes that wait for it: every source, the target, and those that have a
    say beside it.

    ``sources``: when they were read; a proof of absence needs the whole listing.
    """
    async with context.renewal:
        heard = [name for name in context.contributing if name in context.tokens and name not in context.authoritative]
        old = [name for name in context.authoritative if _stale(context, sources.get(name))]
        old += [name for name in heard if _stale(context, context.seen.get(name))]
        if one.name not in old and _stale(context, context.seen.get(one.name)):
            old.append(one.name)
        context.hold_on()
        for name in old:
            lease.alone(context.store, name, context.tokens[name], context.environment.now())
        for reading in await asyncio.gather(*(read(context, context.connected[name]) for name in old)):
            if reading.name == one.name and reading.stopped:
                raise Quarantined(reading.stopped)


def _prove_again(context: Context) -> None:
    rows = [connections.row(context.store, name) for name in context.authoritative]
    defects = [f"{row.name}: {row.defect}" for row in rows if row is not None and not row.complete]
    if defects:
        raise Incomplete(f"evidence of absence could not be taken again ({'; '.join(defects)})")
