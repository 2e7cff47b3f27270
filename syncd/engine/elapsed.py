"""How much time passed since the last run, as far as it can be believed: a clock that jumped ends no grace."""

from __future__ import annotations

from datetime import timedelta

from syncd.engine.context import Context
from syncd.store import clock

USUAL = timedelta(days=14)
"""The longest step from one run to the next that is believed at once; a longer one when the step before was at least half as long."""
BACK = timedelta(hours=1)
"""How far the clock may be set back (by NTP, by another machine's clock) without being noticed."""


def observe(context: Context) -> None:
    """Compare the clock with that of the last run, in the caller's transaction. A jump is no time that passed: every grace goes on where
    that run left it.

    A jump cannot be told from a machine that was off for long, nor need it be: an account then stays at most one grace longer.
    """
    now = context.began
    last = clock.last_run(context.store)
    step = now - last[0] if last else timedelta(0)
    if last and not -BACK <= step <= max(USUAL, 2 * last[1]):
        _jumped(context, step, clock.postpone(context.store, step))
    clock.began(context.store, now, max(step, timedelta(0)))


def _jumped(context: Context, step: timedelta, graces: int) -> None:
    if graces:
        where = f"{abs(step).days:,} days {'after' if step > timedelta(0) else 'before'} the last run"
        who = "1 account waits" if graces == 1 else f"{graces:,} accounts wait"
        told = f"the clock stands {where}: {who} for deletion as long as at that run, as if no time had passed"
        context.notes.append(f"{told}; if the clock is wrong, set it")
