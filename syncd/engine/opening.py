"""What a run begins with: one transaction with its leases, in which it looks at the clock, binds its connections and takes a number."""

from __future__ import annotations

from syncd.engine import elapsed, rules
from syncd.engine.context import Context
from syncd.store import journal


def begin(context: Context, mode: str | None) -> None:
    """In the transaction that takes the leases (`leasing.leased`). ``mode``: of the run; None where it gets its number later.

    Raises Fatal when the store and the configuration do not belong together: then nothing was leased.
    """
    elapsed.observe(context)
    rules.bind(context)
    if mode is not None:
        context.run = journal.start_run(context.store, mode, context.environment.now())
