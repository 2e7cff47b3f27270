"""How somebody stood at a past time: from now backwards, by what the journal says has happened since; judged by the rules of now."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import datetime
from typing import Any

import orjson

from syncd.core.explanation import Scoped, scoped
from syncd.core.merging import merge
from syncd.core.past import OBSERVED, Held, undone
from syncd.core.project import Holding, Person, Projection, project
from syncd.core.rule import Derived
from syncd.engine import identify
from syncd.engine.context import Connected, Context
from syncd.engine.explain import Sighting, Someone, claimed, sighting
from syncd.engine.opinions import Heard
from syncd.engine.projecting import called
from syncd.environment import instant
from syncd.store import about, identities, links


@dataclass(frozen=True, slots=True)
class Happened:
    """One entry of the journal about this person. ``body``: as `syncd.store.chain` has it."""

    seq: int
    at: datetime
    run: int
    connection: str
    what: str
    body: Mapping[str, Any]


@dataclass(frozen=True, slots=True)
class Then:
    """``held``: the account they had. ``projection``: what the rules of now make of who they were. ``before``: the last entries until
    then, newest last; ``after``: the first ones since."""

    one: Connected
    held: Held
    projection: Projection
    scoped: Scoped
    derived: tuple[Derived, ...]
    before: tuple[Happened, ...]
    after: tuple[Happened, ...]


@dataclass(frozen=True, slots=True)
class Past:
    at: datetime
    someone: Someone
    before: tuple[Happened, ...]
    after: tuple[Happened, ...]
    targets: tuple[Then, ...]


def past(context: Context, identity: str, at: datetime) -> Past:
    """``at``: not before the `earliest` instant that is known."""
    happened = [_happened(row) for row in about.journal(context.store, identity)]
    since = [one for one in happened if one.at > at]
    until = [one for one in happened if one.at <= at]
    someone = _someone(context, identity, at, since)
    person = Person(someone.id, someone.attributes, someone.live, someone.ignored, someone.starts, someone.ends)
    targets = tuple(_then(context, context.connected[name], person, at, since, until) for name in context.targets)
    before, after = (tuple(one for one in group if one.connection not in context.targets) for group in (until, since))
    return Past(at, someone, before, after, targets)


def _happened(row: Any) -> Happened:
    return Happened(row.seq, instant(row.at), row.run, row.connection, row.what, orjson.loads(row.body))


def earliest(context: Context, identity: str) -> datetime | None:
    """The first instant at which anything is known of them. Of a first sight the journal says nothing: it is the run that read their
    account as it still is, or earlier than all that has happened."""
    known = [instant(row.at) for row in about.journal(context.store, identity)[:1]]
    known += [instant(row.started) for row in about.sightings(context.store, identity) if row.started]
    first = [about.first_change(context.store, name, identity) for name in context.targets]
    return min([*known, *(instant(started) for started in first if started)], default=None)


def _someone(context: Context, identity: str, at: datetime, since: Sequence[Happened]) -> Someone:
    (row,) = identities.documents(context.store, [identity])
    seen: list[Sighting] = []
    readings: dict[str, Mapping[str, Any]] = {}
    gone: dict[str, Mapping[str, Any]] = {}
    for account in about.sightings(context.store, identity):
        events = [one for one in since if one.what == OBSERVED and one.body["source"] and _is(one, account)]
        held = _source(account, events)
        if account.started and instant(account.started) > at and not events:
            continue  # first seen later
        seen.append(_as_seen(account, at, events, held))
        reading = held.document or {}
        (gone if held.account is None else readings)[account.connection] = reading
    read = {name: one for name, one in readings.items() if name in context.authoritative and one}
    attributes = merge(read or gone, context.authoritative, context.landscape.precedence)
    starts, ends, _ = identify.validity(context, attributes, Heard(read or gone))
    live = "live" if read else "frozen" if readings else "departed"
    return Someone(
        identity, called(identity, attributes), live, bool(row.ignored), None, starts, ends, tuple(seen), attributes,
        claimed(context, attributes, Heard(read or gone)),
    )  # fmt: skip


def _is(one: Happened, account: Any) -> bool:
    return bool(one.connection == account.connection and one.body["account"] == account.account)


def _source(account: Any, events: Sequence[Happened]) -> Held:
    """What it said is kept also while it is gone."""
    reading = orjson.loads(account.reading or "{}")
    there = account.gone_at is None
    for one in reversed(events):
        reading = undone(Held(account.account, reading), OBSERVED, {"moved": one.body["moved"]}).document or {}
        there = bool(one.body["gone"]) or (there and not one.body["back"])
    return Held(account.account if there else None, reading)


def _as_seen(account: Any, at: datetime, events: Sequence[Happened], held: Held) -> Sighting:
    """Where it was read as it was then, where that is still known."""
    if not events:
        return replace(sighting(account), refused=None)
    gone = at if held.account is None else None
    return Sighting(account.connection, account.account, None, None, None, gone)


def _then(
    context: Context, one: Connected, person: Person, at: datetime, since: Sequence[Happened], until: Sequence[Happened]
) -> Then:  # fmt: skip
    assert one.policy is not None
    after, before = ([each for each in group if each.connection == one.name] for group in (since, until))
    held = _held(context, one, person.id)
    for each in reversed(after):
        held = undone(held, each.what, each.body)
    holding = None if held.account is None else Holding(held.document, ignored=context.ignore.matches(held.account))
    return Then(
        one, held, project(one.policy, person, holding, at), scoped(one.policy.scope, person.attributes),
        one.policy.map.derived(person.attributes, existing=holding is not None), tuple(before), tuple(after),
    )  # fmt: skip


def _held(context: Context, one: Connected, identity: str) -> Held:
    (row,) = links.standing(context.store, one.name, [identity])
    if row.account_id is None or row.gone_at is not None:
        return Held(None)
    return Held(row.account, None if row.document is None else orjson.loads(row.document))
