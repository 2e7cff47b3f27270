"""The whole product on one page: read, reconcile, guard, ask, provision, report. A saved plan enters where others are asked about."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable, Mapping, Sequence

from syncd.engine import containers, delta, elapsed, guarding, restored, rules, saved
from syncd.engine.context import Connected, Context
from syncd.engine.doubt import recover
from syncd.engine.leasing import WAIT, leased
from syncd.engine.narrowing import WHOLE, Narrowing
from syncd.engine.planning import Plan, plan
from syncd.engine.provision import provision
from syncd.engine.read import read
from syncd.engine.reading import Reading
from syncd.engine.reconcile import reconcile
from syncd.engine.report import Report, Result, result
from syncd.engine.saved import Saved
from syncd.engine.sending import Sending
from syncd.environment import Environment, stamp
from syncd.errors import Quarantined
from syncd.model import Landscape
from syncd.store import Store, connections, identities, journal, waiting

Approve = Callable[[Plan], Awaitable[bool]]
"""Shown the plan before anything is sent; True = send it, and agree to a first contact."""


async def cycle(
    environment: Environment, landscape: Landscape, connected: Mapping[str, Connected], store: Store, *,
    mode: str, selection: Sequence[str], approve: Approve | None, wait: float = WAIT, full: bool = False,
    narrowing: Narrowing = WHOLE, plan_file: Saved | None = None, contact: bool = True,
) -> tuple[Report, Plan]:  # fmt: skip
    """One run over the selected connections. ``mode``: delta | full | plan | apply; without ``approve`` nothing is sent. ``full``: also a
    plan reads everything, not only what changed. ``narrowing``: whose changes are provisioned, and how many. ``plan_file``: what is
    applied. ``contact``: whether a yes agrees to a first contact, too; where nobody is asked, it does not.

    Raises Busy when another run holds a lease, Fatal when the store and the configuration do not belong together, Outdated for a
    ``plan_file`` that is not applied (any more).
    """
    context = Context(environment, store, landscape, connected, selection, full=full or mode == "full", narrowed=narrowing.only is not None)
    async with leased(context, sorted({*selection, *context.authoritative}), wait):
        elapsed.observe(context)
        await rules.register(context)
        if plan_file is not None:
            readings, first = await saved.resume(context, plan_file)
        else:
            context.run = journal.start_run(store, mode, environment.now())
            readings = await _read(context)
            first = await _reconcile(context, readings, narrowing)
        made = plan(context, readings, first, stamp(environment.now()), plan_file is None or plan_file.whole)
        agreed = approve is not None and (not _sendable(made) or await approve(made))
        sent = await _provision(context, made.first_contacts if contact else (), readings, narrowing) if agreed else {}
        _consent(context, readings, agreed=agreed and made.whole and not narrowing)
        report = _conclude(context, mode, readings, sent, declined=approve is not None and not agreed)
        return report, made


async def _read(context: Context) -> dict[str, Reading]:
    """Sources first, so that accounts at targets find the people they may belong to."""
    identities.mark_due(context.store, context.targets, context.environment.now())
    sources = context.chosen(context.authoritative)
    others = [context.connected[name] for name in context.connected if name in context.selected and name not in context.authoritative]
    readings: list[Reading] = []
    for group in (sources, others):
        readings += await asyncio.gather(*(read(context, one, delta.since(context, one)) for one in group))
    return {reading.name: reading for reading in readings}


async def _reconcile(context: Context, readings: Mapping[str, Reading], narrowing: Narrowing) -> dict[str, bool]:
    """Plan each selected target, those that have a say first; returns which of them are at their first contact."""
    context.planned_at = context.environment.now()
    first: dict[str, bool] = {}
    for one in sorted(context.chosen(context.targets), key=lambda one: one.name not in context.contributing):
        if not readings[one.name].stopped:
            await _plan(context, one, readings)
        first[one.name] = guarding.guard(context, one, readings)
    narrowing.plan(context)
    for one in context.chosen(context.targets):
        first[one.name] = containers.plan(context, one) or first[one.name]
    return first


async def _plan(context: Context, one: Connected, readings: Mapping[str, Reading]) -> None:
    """Settle what is in doubt and plan what is out of step; a target that refuses to be asked is left alone for the rest of the run."""
    try:
        await recover(context, one, readings[one.name])
        await reconcile(context, one)
    except Quarantined as error:
        readings[one.name].failed(error)


def _sendable(made: Plan) -> bool:
    return bool(made.passed or made.first_contacts)


async def _provision(
    context: Context, contacts: Sequence[str], readings: Mapping[str, Reading], narrowing: Narrowing
) -> dict[str, Sending]:  # fmt: skip
    """``contacts``: the targets whose first contact was agreed to."""
    for name in contacts:
        guarding.consent(context, context.connected[name])
    narrowing.send(context)
    targets = context.chosen(context.targets)
    sent = await asyncio.gather(*(provision(context, one, _stopped(readings, one)) for one in targets))
    return dict(zip((one.name for one in targets), sent, strict=True))


def _stopped(readings: Mapping[str, Reading], one: Connected) -> str:
    return readings[one.name].stopped if one.name in readings else ""


def _consent(context: Context, readings: Mapping[str, Reading], *, agreed: bool) -> None:
    for one in context.chosen(context.targets):
        if agreed and not _stopped(readings, one):
            rules.consent(context, one)
            restored.conclude(context, one, readings)


def _conclude(context: Context, mode: str, readings: Mapping[str, Reading], sent: Mapping[str, Sending], *, declined: bool) -> Report:
    now = context.environment.now
    results = []
    for name in context.connected:
        if name in context.selected:
            reading = readings.get(name)
            whole = reading is not None and reading.whole and not context.narrowed
            waiting.refresh(context.store, context.run, name, now(), whole=whole)
            results.append(_result(context, context.connected[name], reading, sent.get(name)))
    report = Report(context.run, mode, results, declined, context.left)
    outcome = "interrupted" if context.environment.ending else "converged" if report.converged else ""
    journal.finish_run(context.store, context.run, outcome, now())
    return report


def _result(context: Context, one: Connected, reading: Reading | None, sending: Sending | None) -> Result:
    made = result(context, one, reading)
    made.broken, made.unauthorized = bool(reading and reading.broken), bool(reading and reading.unauthorized)
    made.seconds = sum(part.seconds for part in (reading, sending) if part is not None)
    if sending is not None:
        _tell(made, sending)
    with context.store.transaction():
        if context.environment.ending:
            connections.failed(context.store, one.name, "", known=False)
        else:
            connections.failed(context.store, one.name, made.error, broken=made.broken)
    return made


def _tell(made: Result, sending: Sending) -> None:
    """What a reading proves nothing of says more than what was not sent then."""
    made.paused = sending.stopped if sending.paused else ""
    failed = f"{sending.failed} changes could not be sent: {sending.last_error}" if sending.failed else ""
    stopped = "" if sending.paused else sending.stopped
    if stopped != made.error:  # not what the reading said already
        made.broken, made.unauthorized = made.broken or bool(stopped), made.unauthorized or sending.unauthorized
    made.error = made.error or stopped or failed
