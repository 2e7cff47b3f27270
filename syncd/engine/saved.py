"""A plan that was saved earlier enters the pipeline: whether it may still be applied, and its changes as rows of a new run."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from itertools import groupby, islice
from typing import Any

from syncd.engine import guarding, visiting
from syncd.engine.context import Context
from syncd.engine.reading import Reading
from syncd.engine.renewal import read_files
from syncd.environment import instant, stamp
from syncd.errors import Outdated
from syncd.model import USER, Hold
from syncd.store import connections, identities, journal, plan_files, staging

LASTS = timedelta(hours=24)
"""A plan older than this is not applied."""
AHEAD = timedelta(minutes=5)
"""How far the clock of whoever made it may be ahead."""
BLOCK = 1000
ANEW = "make a new one: syncd plan --out FILE"
Change = Mapping[str, Any]
"""Columns of the journal (`journal.record`), without those that only one run or one store gives."""


@dataclass(frozen=True, slots=True)
class Saved:
    """``digest``: what it is known by once it was applied. ``settled``: connection -> how many changes had settled there when it was
    ``created``; ``whole`` as in `Plan`. ``changes``: streams them in order of planning, and raises Outdated when they are not those of
    the ``digest``."""

    digest: str
    created: datetime
    settled: Mapping[str, int]
    whole: bool
    changes: Callable[[], Iterator[Change]]


def start(context: Context, saved: Saved) -> int:
    """The run that applies it, with all that may be sent of it; what else the plan holds waits on where it waits.

    In one transaction: nobody applies it again. Raises Outdated.
    """
    store, now = context.store, context.environment.now()
    with store.transaction():
        _refuse(context, saved, now)
        run = journal.start_run(store, "apply", now)
        plan_files.apply(store, saved.digest, run, now)
        going = (change for change in saved.changes() if _goes(change))
        while block := list(islice(going, BLOCK)):
            journal.record(store, list(_rows(context, run, block)))
    return run


def _refuse(context: Context, saved: Saved, now: datetime) -> None:
    before = plan_files.applied(context.store, saved.digest)
    if before is not None:
        raise Outdated(f"this plan was applied already, by run {before.run} ({_moment(instant(before.at))})\n  {ANEW}")
    if now - saved.created > LASTS:
        raise Outdated(f"this plan is over 24 h old ({_moment(saved.created)})\n  {ANEW}")
    if saved.created - now > AHEAD:
        raise Outdated(
            f"this plan is of the future ({_moment(saved.created)}): this clock was set back, or that of its maker is ahead\n  {ANEW}"
        )
    for name, settled in saved.settled.items():
        known = connections.row(context.store, name)
        if known is None or known.settled != settled:
            raise Outdated(f"this plan is older than the last change that was made at {name}\n  {ANEW}")


def _moment(at: datetime) -> str:
    return f"{stamp(at)[:16].replace('T', ' ')} UTC"


def _goes(change: Change) -> bool:
    """It passed, or waits for what `apply` says by being typed: the yes to a first contact, a release of what was to be reviewed."""
    if change["hold"] == Hold.FIRST_CONTACT:
        return change["kind"] in guarding.CONSENTED
    return change["hold"] in (Hold.NOTHING, Hold.REVIEW)


def _rows(context: Context, run: int, block: Sequence[Change]) -> Iterator[dict[str, Any]]:
    """As just planned, whatever held them then: the guard judges them again."""
    for name, group in groupby(block, lambda change: change["connection"]):
        changes = list(group)
        links = plan_files.link_ids(context.store, name, [change["identity"] for change in changes])
        accounts = staging.row_ids(context.store, name, [change["account"] for change in changes if change["account"]])
        for change in changes:
            user = change["object"] == USER
            yield {
                **change, "run": run, "hold": Hold.NOTHING, "held": None, "state": "planned", "choices": None,
                "link_id": links.get(change["identity"], 0) if user else 0,
                "account_id": accounts.get(change["account"]) if user else None,
            }  # fmt: skip


async def resume(context: Context, saved: Saved) -> tuple[dict[str, Reading], dict[str, bool]]:
    """Where a cycle has read and reconciled: what was read (files alone), and which targets are at their first contact."""
    context.saved = True
    identities.mark_due(context.store, context.targets, context.environment.now())
    context.run = start(context, saved)
    readings = {reading.name: reading for reading in await read_files(context)}
    context.planned_at = context.environment.now()
    first: dict[str, bool] = {}
    for one in context.chosen(context.targets):
        await visiting.look(context, one)
        first[one.name] = guarding.guard(context, one, readings)
        guarding.reviewed(context, one)
    return readings, first
