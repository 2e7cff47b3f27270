"""How runs end, and which of them are kept: all of which anything is left, and the last ones."""

from __future__ import annotations

from datetime import datetime

from syncd.environment import stamp
from syncd.store.database import Store

IDLE = "idle"
"""The report of a run to which nothing in the store leads back: it found all as it was."""
LATELY = 100
"""So many runs are known whatever they did."""


def finish(store: Store, run: int, report: str, now: datetime) -> None:
    """What it decided, and may have told, is on the disk then; of one that decided nothing there is nothing to keep.

    Runs that were `IDLE` go once they are not among the last ones any more: a daemon makes thousands of them a week.
    """
    with store.transaction(durable=decided(store, run)):
        store.run("UPDATE run SET finished = :now, report = :report WHERE id = :run", now=stamp(now), report=report, run=run)
        text = "DELETE FROM run WHERE id BETWEEN :first AND :last AND report = :idle"
        store.run(text, first=run - 2 * LATELY, last=run - LATELY, idle=IDLE)


def decided(store: Store, run: int) -> bool:
    """Whether there is any change of this run."""
    return bool(store.value("SELECT EXISTS (SELECT 1 FROM change WHERE run = :run)", run=run))


def traced(store: Store, run: int) -> bool:
    """Whether the journal tells anything of this run."""
    return decided(store, run) or store.one("SELECT 1 FROM entry WHERE run = :run LIMIT 1", run=run) is not None
