"""Why somebody's accounts are as they are: the same questions and decisions as those of a run, asked about one person, nothing written."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any

import orjson

from syncd.core.explanation import Scoped, scoped
from syncd.core.matching import Conflict, Match
from syncd.core.merging import Claim, Say, claims
from syncd.core.rule import Derived
from syncd.engine import identify, rules
from syncd.engine.context import Connected, Context
from syncd.engine.correlating import correlate
from syncd.engine.guarding import standing_hold
from syncd.engine.opinions import Heard
from syncd.engine.projecting import Projected, at, called
from syncd.engine.reconcile import decisions, in_step, ready
from syncd.environment import instant
from syncd.model import Hold, Kind
from syncd.store import about, connections, identities, links, pauses

CHANGES = 20
"""The last changes of a person at a connection that an explanation knows of."""


@dataclass(frozen=True, slots=True)
class Sighting:
    """An account as it was last read. ``run``, ``page`` and ``at``: when and where that was, None where nobody wrote it down.
    ``refused``: why what is there now could not be read, None where it could."""

    connection: str
    account: str
    run: int | None
    page: int | None
    at: datetime | None
    gone_at: datetime | None = None
    ignored: bool = False
    missing_since: datetime | None = None
    refused: str | None = None


@dataclass(frozen=True, slots=True)
class Someone:
    """The person: what each attribute is, and who says so."""

    id: str
    who: str
    live: str
    ignored: bool
    departed_at: datetime | None
    starts: datetime | None
    ends: datetime | None
    sightings: tuple[Sighting, ...]
    attributes: Mapping[str, Any]
    claims: Mapping[str, tuple[Claim, ...]]


@dataclass(frozen=True, slots=True)
class At:
    """How they stand at one target, with every reason for it.

    ``known``: the store's row of the connection, None before anything was read. ``keys``: what their account would be found by. ``found``:
    the account that correlation finds for somebody who has none. ``step``: in_step | vain | refused | doubt | resting | out_of_step.
    ``decided``: what a plan would hold, each with what waits under its id; ``waits``: that and all else that waits. ``changes``: the
    last ones, newest first, each with its requests. ``stale``: the rules changed since they were projected; ``dirty``: they did.
    """

    one: Connected
    known: Any
    sighting: Sighting | None
    each: Projected
    link: Any
    step: str
    scoped: Scoped
    derived: tuple[Derived, ...]
    found: Match | Conflict | None
    decided: tuple[Mapping[str, Any], ...]
    waits: tuple[Any, ...]
    changes: tuple[tuple[Any, tuple[Any, ...]], ...]
    words: tuple[Any, ...]
    pause: Any
    stale: bool
    dirty: bool


@dataclass(frozen=True, slots=True)
class Explanation:
    """``sources``: the store's rows of the authoritative connections, those that were never read apart."""

    someone: Someone
    sources: tuple[Any, ...]
    targets: tuple[At, ...]


async def explain(context: Context, identity: str) -> Explanation:
    """``context`` is offline. Everything is as it is stored; what a plan would say of it is computed, not remembered."""
    context.changed_rules.update(rules.changed(context))
    stale = set(rules.unseen(context))
    made = [await at_target(context, context.connected[name], identity, stale=name in stale) for name in context.targets]
    return Explanation(someone(context, identity), sources(context), tuple(made))


def sources(context: Context) -> tuple[Any, ...]:
    rows = (connections.row(context.store, name) for name in context.authoritative)
    return tuple(row for row in rows if row is not None)


def someone(context: Context, identity: str) -> Someone:
    (row,) = identities.documents(context.store, [identity])
    said = identify.heard(context, [identity])[identity]
    attributes, accounts = orjson.loads(row.attributes), about.sightings(context.store, identity)
    return Someone(
        identity, called(identity, attributes), row.live, bool(row.ignored), _moment(row.departed_at), _moment(row.starts_at),
        _moment(row.ends_at), tuple(map(sighting, accounts)), attributes, claimed(context, attributes, said),
    )  # fmt: skip


def claimed(context: Context, attributes: Mapping[str, Any], said: Heard) -> dict[str, tuple[Claim, ...]]:
    """Attribute -> who says what of it, best first."""
    names = sorted({*attributes, *(name for one in said.readings.values() for name in one)})
    order, precedence = context.authoritative, context.landscape.precedence
    found = {name: claims(name, said.readings, order, precedence, said.echoes) for name in names}
    return {name: tuple(one for one in each if one.say is not Say.NOTHING) for name, each in found.items()}


def sighting(row: Any) -> Sighting:
    """Of a row of `syncd.store.about`."""
    return Sighting(
        row.connection, row.account, row.run, row.page, _moment(row.started), _moment(row.gone_at), bool(row.ignored),
        _moment(row.missing_since), row.refused,
    )  # fmt: skip


async def at_target(context: Context, one: Connected, identity: str, *, stale: bool) -> At:
    assert one.policy is not None
    store = context.store
    (row,) = links.standing(store, one.name, [identity])
    each, link, known = at(context, one, row), about.link(store, one.name, identity), connections.row(store, one.name)
    step = _step(context, one, each, link)
    decided = await decisions(context, one, each) if step == "out_of_step" and known is not None and known.sealed_at is not None else []
    changes = about.changes(store, one.name, identity, CHANGES)
    waits = _waits(context, one, each, decided, changes)
    account = None if row.account_id is None else about.account(store, row.account_id)
    return At(
        one, known, None if account is None else sighting(account), each, link, step, scoped(one.policy.scope, each.person.attributes),
        one.policy.map.derived(each.person.attributes, existing=each.holding is not None),
        correlate(context, one, [each])[identity] if each.holding is None else None,
        tuple(_held(context, one, change, waits) for change in decided), tuple(waits), _answered(context, changes),
        tuple(about.words(store, one.name, identity)), pauses.at(store, one.name, context.environment.now()), stale,
        identity in links.waiting_for_projection(store, one.name, [identity]),
    )  # fmt: skip


def _step(context: Context, one: Connected, each: Projected, link: Any) -> str:
    """Whether there is anything to be done, and why not, as the index of what is out of step has it (`conditions.out_of_step`)."""
    pair = (each.projection.desired, each.projection.actual)
    if link is None or in_step(context, one, each):
        return "in_step"
    if pair == (link.tried_desired, link.tried_actual):
        return "vain"
    if pair == (link.refused_desired, link.refused_actual):
        return "refused"
    if link.doubt is not None:
        return "doubt"
    return "out_of_step" if ready(context, each.row) else "resting"


def _waits(
    context: Context, one: Connected, each: Projected, decided: Sequence[Mapping[str, Any]], changes: Sequence[Any]
) -> list[Any]:  # fmt: skip
    names = [*(row["id"] for row in decided), *(row.id for row in changes)]
    names += [f"link:{each.row.link_id}", f"record:{each.row.account}"]
    return [*about.waits(context.store, one.name, each.person.id, names)]


def _held(context: Context, one: Connected, change: Mapping[str, Any], waits: Sequence[Any]) -> Mapping[str, Any]:
    """With what holds it beside its own: what the last plan found (a limit, for example), or what holds everything at this connection."""
    waiting = next((row for row in waits if row.change == change["id"] and row.state == "held"), None)
    if change["hold"] or change["released"]:
        return change
    if waiting is not None and waiting.released_at is None:
        return {**change, "state": "held", "hold": waiting.hold, "held": waiting.reason}
    hold, held = standing_hold(context, one, Kind(change["kind"]))
    return change if hold is Hold.NOTHING else {**change, "state": "held", "hold": hold, "held": held}


def _answered(context: Context, changes: Sequence[Any]) -> tuple[tuple[Any, tuple[Any, ...]], ...]:
    steps = about.steps(context.store, [row.seq for row in changes])
    return tuple((row, tuple(step for step in steps if step.change == row.seq)) for row in changes)


def _moment(text: str | None) -> datetime | None:
    return instant(text) if text else None
