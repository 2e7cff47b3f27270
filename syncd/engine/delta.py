"""When it is enough to ask a provider what changed, and from where on."""

from __future__ import annotations

from datetime import timedelta

from syncd.engine import passport
from syncd.engine.context import Connected, Context
from syncd.environment import instant
from syncd.model import Watermark
from syncd.store import connections, journal

FULL = timedelta(hours=24)
"""After so long everything is read again: a delta never shows who is gone."""


def since(context: Context, one: Connected) -> Watermark | None:
    """The watermark of the last reading; None = everything is to be read.

    So it is when that was asked for, when the last full listing proved nothing or is older than `FULL`, while a create is in doubt, and
    after any other write whose answer was lost: only a complete view, younger than the settle window, shows what became of it. And no
    watermark is used under other circumstances than it was left under.
    """
    known = connections.row(context.store, one.name)
    if context.full or not one.connector.capability.delta or known is None or known.watermark is None or not known.complete:
        return None
    if known.passport != passport.current(context, one, known):
        return None
    whole = instant(known.last_full)
    overdue = not timedelta(0) <= context.environment.now() - whole < FULL
    settle = one.connection.write.settle if one.connection.write else timedelta(0)
    unknown = journal.open_steps(context.store, one.name) or journal.lost_since(context.store, one.name, whole - settle)
    return None if overdue or unknown else Watermark(known.watermark)
