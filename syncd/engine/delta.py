"""When it is enough to ask a provider what changed, and from where on."""

from __future__ import annotations

from datetime import timedelta

from syncd.engine.context import Connected, Context
from syncd.environment import instant
from syncd.model import Watermark
from syncd.store import connections, journal

FULL = timedelta(hours=24)
"""After so long everything is read again: a delta never shows who is gone."""


def since(context: Context, one: Connected) -> Watermark | None:
    """The watermark of the last reading; None = everything is to be read.

    So it is when that was asked for, when the last full listing proved nothing or is older than `FULL`, and while a create is in doubt:
    only in a complete view is an account believed to be absent.
    """
    known = connections.row(context.store, one.name)
    if context.full or not one.connector.capability.delta or known is None or known.watermark is None or not known.complete:
        return None
    overdue = not timedelta(0) <= context.environment.now() - instant(known.last_full) < FULL
    return None if overdue or journal.open_steps(context.store, one.name) else Watermark(known.watermark)
