"""After a restore the store knows nothing of the time since its backup: who leaves waits, and newcomers wait for a later view."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import datetime

from syncd.engine.context import Connected, Context
from syncd.engine.reading import Reading
from syncd.environment import instant
from syncd.model import LEAVING, Hold, Kind
from syncd.store import connections, journal, verdicts

LEAVERS = (
    "the store was restored at {at} UTC from a backup: who leaves is held until one whole run held nobody; release the leavers you expect"
)
NEWCOMERS = "the store was restored {ago:.0f} s ago: an account made just before may not be listed yet; the next run makes who is missing"


def hold(context: Context, one: Connected, reading: Reading | None) -> None:
    """In the guard's transaction: every leaver that no person released since, also one whose grace had begun; and creates for a while."""
    since = _since(context, one)
    if since is None or one.policy is None:
        return
    told = LEAVERS.format(at=f"{since:%Y-%m-%d %H:%M}")
    verdicts.hold(context.store, context.run, one.name, [kind.value for kind in LEAVING], Hold.RESTORED, told)
    if reading is not None and reading.started < since + one.policy.target.settle:
        why = NEWCOMERS.format(ago=(reading.started - since).total_seconds())
        if verdicts.postpone(context.store, context.run, one.name, Kind.CREATE.value, why, context.environment.now()):
            context.notes.append(f"{one.name}: {why}")


def conclude(context: Context, one: Connected, readings: Mapping[str, Reading]) -> None:
    """After a cycle that was agreed to: as ever from now on, when everything was read whole since and this run held no leaver for it. A
    saved plan holds only whom it is about."""
    if context.saved or _since(context, one) is None or journal.tally(context.store, context.run, one.name, "hold").get(Hold.RESTORED):
        return
    rows = [connections.row(context.store, name) for name in (one.name, *context.authoritative)]
    read = all(name in readings and readings[name].complete for name in context.authoritative)
    if read and all(row is not None and row.complete for row in rows):
        with context.store.transaction(durable=False):
            connections.trusted_again(context.store, one.name)


def _since(context: Context, one: Connected) -> datetime | None:
    known = connections.row(context.store, one.name)
    return None if known is None or known.restored is None else instant(known.restored)
