"""A plan that grew old before it was sent, or was saved and is applied: what it stands on is looked at again, and only what would be
planned just so is sent.

In a run everything is read again, once for all changes; a saved plan asks for each account by itself and lists nothing but files.
"""

from __future__ import annotations

import asyncio
from collections.abc import Mapping, Sequence
from datetime import datetime
from typing import Any

import orjson

from syncd.core.evidence import Evidence
from syncd.engine import single, visiting
from syncd.engine.context import Connected, Context
from syncd.engine.leasing import WAIT, give_up, take
from syncd.engine.projecting import project_dirty
from syncd.engine.read import read
from syncd.engine.reading import Reading
from syncd.engine.reconcile import plan_again
from syncd.engine.still import MOVED
from syncd.environment import instant
from syncd.errors import Busy, Incomplete, Paused, Quarantined
from syncd.model import USER, Kind
from syncd.store import connections, lease, links


async def unlike(context: Context, one: Connected, row: Any) -> str:
    """Nothing for a change that is, as far as is known now, planned just so still; else why it is not.

    Raises Incomplete when the absence of a leaver cannot be proven again, Retryable when the account cannot be asked for, Quarantined
    when the target refuses to be read, or another run may have taken over.
    """
    if context.saved:
        return await _asked(context, one, row) if row.object == USER else visiting.unlike(context, one, row)
    if row.object != USER or not _stale(context, instant(row.evidence_at) if row.evidence_at else context.planned_at):
        return ""
    await _see_anew(context, one, context.sealed if row.evidence_at else context.seen)
    if row.evidence_at:
        _prove_again(context)
    await project_dirty(context, one)
    planned = await plan_again(context, one, row.identity)
    return "" if any(_same(row, new) for new in planned) else MOVED


async def _asked(context: Context, one: Connected, row: Any) -> str:
    """The same of a change of a saved plan; evidence is as old as what was asked now, or is none."""
    await read_files(context)
    heard, why = await single.ask_sources(context, row)
    why = why or await single.ask_target(context, one, row)
    if why:
        return why
    await project_dirty(context, one)
    planned = await plan_again(context, one, row.identity, heard)
    same = next((new for new in planned if _same(row, new)), None)
    if same is None:
        return _told(context, one, row, planned)
    return _unproven(context) if same["evidence_at"] and _stale(context, instant(same["evidence_at"])) else ""


def _same(row: Any, new: dict[str, Any]) -> bool:
    """What replaces an account that was just deleted has lost the account it was planned against, and is else as it was."""
    if row.replaces is not None:
        return (row.kind, row.delta) == (new["kind"], new["delta"])
    return bool((row.id, row.delta) == (new["id"], new["delta"]) and new["state"] == "planned")


def _told(context: Context, one: Connected, row: Any, planned: Sequence[dict[str, Any]]) -> str:
    """What is otherwise than when the plan was made, as far as one can say it in a few words."""
    new = planned[0] if planned else None
    if new is None:
        stands = links.standing(context.store, one.name, [row.identity])
        if stands and stands[0].doubt is not None:
            return "what became of an earlier request for them is not known yet: the next run finds out"
        return (
            _unproven(context) if row.evidence_at and not _proven(context) else "nothing is left to be done here, or a person said no to it"
        )
    if row.kind == Kind.CREATE and new["account"] is not None:
        return f"account {new['account']} is there by now ({new['reason']})"
    if new["hold"]:
        return f"it waits for a person now: {new['held']}"
    if row.expects != new["expects"]:
        return f"account {row.account} was changed since the plan was made{_where(row, new)}"
    return MOVED


def _where(row: Any, new: Mapping[str, Any]) -> str:
    """The attributes of the account that are not what the plan saw."""
    then, now = orjson.loads(row.delta), orjson.loads(new["delta"])
    moved = sorted(path for path in {*then, *now} if then.get(path, [None])[0] != now.get(path, [None])[0])
    return f" ({', '.join(moved)})" if moved else ""


def _stale(context: Context, taken: datetime | None) -> bool:
    return taken is None or Evidence(taken, ()).stale(context.environment.now())


async def _see_anew(context: Context, one: Connected, sources: dict[str, datetime]) -> None:
    """Read what this run has not read for long, once for all changes that wait for it: every source, the target, and those that have a
    say beside it.

    ``sources``: when they were read; a proof of absence needs the whole listing.
    """
    async with context.renewal:
        heard = [name for name in context.contributing if name in context.tokens and name not in context.authoritative]
        old = [name for name in heard if _stale(context, context.seen.get(name))]
        if one.name not in [*old, *context.authoritative] and _stale(context, context.seen.get(one.name)):
            old.append(one.name)
        if not any(_stale(context, sources.get(name)) for name in context.authoritative) and not old:
            return
        taken = await _people(context)
        try:
            old += [name for name in context.authoritative if _stale(context, _lately(context, name, sources))]
            readings = await _read(context, old)
        finally:
            give_up(context, taken)
        for reading in readings:
            if reading.name == one.name and reading.stopped:
                raise Quarantined(reading.stopped)


async def _people(context: Context) -> list[str]:
    """Nobody else makes people meanwhile; what is to be given up afterwards. Raises Paused."""
    try:
        return await take(context, context.authoritative, WAIT)
    except Busy as error:
        raise Paused(f"what was planned grew old, and its sources could not be read again: {error}") from None


def _lately(context: Context, name: str, sources: dict[str, datetime]) -> datetime | None:
    """When a source was last read, by this run or another: a reading is as good as its listing was complete."""
    row = connections.row(context.store, name)
    if row is not None and row.complete and not row.defect:
        read = instant(row.sealed_at if sources is context.sealed else row.last_delta)
        sources[name] = max(read, sources.get(name, read))
    return sources.get(name)


async def read_files(context: Context) -> Sequence[Reading]:
    """Every source that only a listing tells of, unless it was read lately; what came of it."""
    async with context.renewal:
        files = [name for name in context.authoritative if not context.connected[name].connector.capability.answers]
        return await _read(context, [name for name in files if _stale(context, context.sealed.get(name))])


async def _read(context: Context, names: Sequence[str]) -> Sequence[Reading]:
    if names:
        context.hold_on()
    for name in names:
        lease.alone(context.store, name, context.tokens[name], context.environment.now())
    return await asyncio.gather(*(read(context, context.connected[name], anew=True) for name in names))


def _prove_again(context: Context) -> None:
    if not _proven(context):
        raise Incomplete(_unproven(context))


def _proven(context: Context) -> bool:
    return not _defects(context)


def _unproven(context: Context) -> str:
    """Which evidence lacks, or is too old and was not given again."""
    return f"evidence of absence could not be taken again ({'; '.join(_defects(context) or _unheard(context))})"


def _defects(context: Context) -> list[str]:
    rows = [connections.row(context.store, name) for name in context.authoritative]
    return [f"{row.name}: {row.defect}" for row in rows if row is not None and not row.complete]


def _unheard(context: Context) -> list[str]:
    old = [name for name in context.authoritative if _stale(context, context.sealed.get(name))]
    return [f"{name} knows no account of theirs to ask for: only a listing tells who is not in it" for name in old]
