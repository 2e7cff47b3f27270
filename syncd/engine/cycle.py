"""The whole product on one page: read, reconcile, guard, ask, provision, report. A saved plan enters where others are asked about."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable, Mapping, Sequence
from functools import partial

from syncd.engine import containers, delta, guarding, rules, saved
from syncd.engine.concluding import Conclusions, Told, unheard
from syncd.engine.context import Connected, Context
from syncd.engine.doubt import recover
from syncd.engine.leasing import LONG, WAIT, give_up, leased, take
from syncd.engine.narrowing import WHOLE, Narrowing
from syncd.engine.opening import begin
from syncd.engine.planning import Plan, plan
from syncd.engine.provision import provision
from syncd.engine.read import read
from syncd.engine.reading import Reading
from syncd.engine.reconcile import reconcile
from syncd.engine.report import Report
from syncd.engine.saved import Saved
from syncd.environment import Environment, stamp
from syncd.errors import Busy, Quarantined
from syncd.model import Landscape
from syncd.store import Store, identities, links

MOMENT = 0.25
"""Seconds for which sources stay leased while targets are listed: what a page or two of changes take, and as long as others wait anyway
before they try again."""
Approve = Callable[[Plan], Awaitable[bool]]
"""Shown the plan before anything is sent, when people are free for other runs already; True = send it, and agree to a first contact."""


async def cycle(
    environment: Environment, landscape: Landscape, connected: Mapping[str, Connected], store: Store, *,
    mode: str, selection: Sequence[str], approve: Approve | None, wait: float = WAIT, full: bool = False,
    narrowing: Narrowing = WHOLE, plan_file: Saved | None = None, contact: bool = True, told: Told = unheard,
    turn: asyncio.Lock | None = None,
) -> tuple[Report, Plan]:  # fmt: skip
    """One run over the selected connections. ``mode``: delta | full | plan | apply; without ``approve`` nothing is sent. ``full``: also a
    plan reads everything, not only what changed. ``narrowing``: whose changes are provisioned, and how many. ``plan_file``: what is
    applied. ``contact``: whether a yes agrees to a first contact, too; where nobody is asked, it does not.

    ``told`` hears of each connection as soon as the run is done with it. ``turn``: shared by all runs of this process.

    What is leased meanwhile, and why others may work beside it: `leasing`. Raises Busy when another run holds a lease, Fatal when the store
    and the configuration do not belong together, Outdated for a ``plan_file`` that is not applied (any more).
    """
    context = Context(environment, store, landscape, connected, selection, full=full or mode == "full", narrowed=narrowing.only is not None)
    context.turn = turn or context.turn
    opening = partial(begin, context, mode if plan_file is None else None)
    async with leased(context, sorted({*selection, *context.authoritative}), wait, opening):
        await rules.register(context)
        if plan_file is not None:
            readings, first = await saved.resume(context, plan_file)
        else:
            readings = await _read(context)
            first = await _reconcile(context, readings, narrowing)
        made = plan(context, readings, first, stamp(environment.now()), plan_file is None or plan_file.whole)
        unseen = {one.name: links.count_dirty(store, one.name) for one in context.chosen(context.targets)}
        ends = Conclusions(context, readings, told, unseen)
        ends.conclude((name for name in connected if name in context.selected and name not in context.targets), keep=context.saved)
        if not context.saved:
            context.apart = True
            give_up(context, _unwritten(context))
        agreed = approve is not None and (not _sendable(made) or await approve(made))
        if agreed:
            await _provision(context, made.first_contacts if contact else (), ends, narrowing, consented=made.whole and not narrowing)
        else:
            ends.conclude(one.name for one in context.chosen(context.targets))
        return ends.report(mode, declined=approve is not None and not agreed), made


async def _read(context: Context) -> dict[str, Reading]:
    """Sources first, so that accounts at targets find the people they may belong to; then they are free while targets are listed, unless
    that takes but a moment."""
    identities.mark_due(context.store, context.targets, context.environment.now())
    readings = await _listed(context, context.chosen(context.authoritative))
    others = [context.connected[name] for name in context.connected if name in context.selected and name not in context.authoritative]
    if not others:
        return readings
    listing = asyncio.ensure_future(_listed(context, others))
    try:
        if not (await asyncio.wait({listing}, timeout=MOMENT))[0]:
            free = _unwritten(context)
            give_up(context, free)
            readings |= await listing
            await take(context, free, LONG)
            _insist(context)
    except BaseException:
        listing.cancel()
        await asyncio.gather(listing, return_exceptions=True)
        raise
    return readings | await listing


async def _listed(context: Context, each: Sequence[Connected]) -> dict[str, Reading]:
    found = await asyncio.gather(*(read(context, one, delta.since(context, one)) for one in each))
    return {reading.name: reading for reading in found}


def _unwritten(context: Context) -> list[str]:
    """The leases that are about people, not about an account that could be written."""
    return [name for name in context.tokens if name not in context.targets or name not in context.selected]


def _insist(context: Context) -> None:
    """Raise Busy when a run has gone by another configuration since this one began: what it would plan is out of date."""
    if not all(rules.stand(context, one) for one in context.chosen(context.targets)):
        raise Busy("another run has gone by another configuration meanwhile; try again")


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
    context: Context, contacts: Sequence[str], ends: Conclusions, narrowing: Narrowing, *, consented: bool
) -> None:  # fmt: skip
    """``contacts``: the targets whose first contact was agreed to. No target waits for another."""
    for name in contacts:
        guarding.consent(context, context.connected[name])
    narrowing.send(context)
    sending = (_send(context, one, ends, consented=consented) for one in context.chosen(context.targets))
    for failure in await asyncio.gather(*sending, return_exceptions=True):
        if failure is not None:
            raise failure


async def _send(context: Context, one: Connected, ends: Conclusions, *, consented: bool) -> None:
    reading = ends.readings.get(one.name)
    sending = await provision(context, one, reading.stopped if reading is not None else "")
    ends.one(one, sending, consented=consented)
