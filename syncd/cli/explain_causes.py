"""Each reason for how somebody stands at a target, in words: seen, correlated, won, mapped, in scope, entitled, held, decided, answered."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import orjson

from syncd.cli import cures
from syncd.cli.text import count, listed, utc, value
from syncd.core.entitlement import Event
from syncd.core.explanation import Scoped
from syncd.core.matching import Conflict, Match
from syncd.core.merging import Claim, Say
from syncd.core.rule import Derived
from syncd.engine.explain import At, Explanation, Sighting, Someone
from syncd.environment import instant
from syncd.model import MapEntry

WIDTH = 11
"""Of the words that say what a reason is about."""
DONE = {"create": "created", "adopt": "adopted", "update": "updated", "disable": "disabled", "delete": "deleted"}


@dataclass(frozen=True, slots=True)
class Cause:
    """``brief``: said also where little is said. ``names``: the attributes that it is about, canonical and the provider's."""

    step: str
    text: str
    brief: bool = False
    names: frozenset[str] = frozenset()


def line(one: Cause) -> str:
    return f"  {one.step.ljust(WIDTH)}  {one.text}"


def seen(one: Sighting) -> str:
    """``read in run 3, page 1 (2026-01-01 00:00 UTC)``."""
    if one.run is None:
        told = "read before this store noted when"
    else:
        page = f", page {one.page}" if one.page is not None else ""
        told = f"as read in run {one.run}{page}" + (f" ({utc(one.at)})" if one.at else "")
    told += f"; missing from complete listings since {utc(one.missing_since)}" if one.missing_since else ""
    told = f"gone since {utc(one.gone_at)}" if one.gone_at else told
    told += f"; what is there now is refused: {one.refused}" if one.refused else ""
    return told + ("; on the ignore list" if one.ignored else "")


def precedence(someone: Someone) -> Iterator[Cause]:
    """Whose value won, attribute by attribute; in brief where two do not say the same."""
    for name, claims in someone.claims.items():
        told = ", ".join(map(_claim, claims)) or "nobody says any more"
        differs = len({orjson.dumps(one.value) for one in claims}) > 1
        yield Cause("precedence", f"{name} is {value(someone.attributes.get(name))}: {told}", differs, frozenset({name}))


def _claim(one: Claim) -> str:
    if one.say is Say.ECHO:
        return f"{one.connection} says {value(one.value)}, which syncd wrote there"
    return f"{one.connection} says so" if one.say is Say.WINS else f"{one.connection} says {value(one.value)} and loses"


def causes(at: At, whole: Explanation, now: Any) -> Iterator[Cause]:
    """In the order of a run."""
    yield from _observation(at)
    yield from _correlation(at)
    yield from _map(at)
    yield from scope(at.scoped)
    yield from _entitlement(at, whole)
    yield from _decision(at, now)
    yield from _waiting(at, now)
    yield from _answers(at)


def _observation(at: At) -> Iterator[Cause]:
    if at.sighting is not None:
        yield Cause("observation", f"account {at.sighting.account}, {seen(at.sighting)}", at.sighting.refused is not None)
    if at.known is not None and at.known.defect and at.known.sealed_at is not None:
        yield Cause("observation", f"the last reading was not complete: {at.known.defect}", True)
    if at.stale:
        told = "the map, the scope or the sources changed since the last run; this is what `syncd plan` would find"
        yield Cause("observation", told, True)
    elif at.dirty:
        yield Cause("observation", "they changed since the last run judged them; this is what the next one would find", True)


def _correlation(at: At) -> Iterator[Cause]:
    for row in at.words:
        told = "is theirs" if row.yes else "is not theirs"
        yield Cause("correlation", f"a person said on {utc(instant(row.at))} that account {row.account} {told}", True)
    if at.each.holding is not None:
        yield Cause("correlation", _ours(at))
    elif at.each.projection.event is None:
        yield Cause("correlation", _found(at), True)


def _ours(at: At) -> str:
    """How the account became theirs, as far as the last changes tell."""
    for change, _ in at.changes:
        if change.state == "applied" and change.kind in ("create", "adopt"):
            how = "created by syncd" if change.kind == "create" else f"adopted: it {change.reason}"
            return f"account {at.each.row.account} was {how} in run {change.run}"
    whose = "belongs to syncd" if at.each.row.owned else "is linked and not owned: it is never written"
    return f"account {at.each.row.account} {whose}"


def _found(at: At) -> str:
    if isinstance(at.found, Conflict):
        return at.found.text
    if isinstance(at.found, Match):
        trusted = "" if at.found.hold else ", which only an administrator can write"
        return at.found.text or f"account {at.found.account} matches by {at.found.by}{trusted}"
    return "no account there answers to their keys"


def _map(at: At) -> Iterator[Cause]:
    found = at.each.projection
    yield from mapped(at.derived, found.wanted or {}, found.found or {}, rejected=found.state == "rejected")
    if found.reason and found.state == "live" and at.each.holding is not None:
        yield Cause("map", found.reason, True)


def mapped(derived: Sequence[Derived], wanted: Mapping[str, Any], found: Mapping[str, Any], *, rejected: bool) -> Iterator[Cause]:
    """Each line of the map: in brief where the account holds something else. ``rejected``: a line without a value stops the change."""
    for one in derived:
        told = f"{one.path} <- {origin(one.entry)}"
        told += _reads(one) if one.entry.source != "name" or one.error else ""
        if one.error:
            yield Cause("map", f"{told}: no value can be made: {one.error}", rejected, _names(one))
            continue
        apart = one.path in wanted and one.path in found and wanted[one.path] != found[one.path]
        told += f" = {value(one.value)}" + (f"; the account has {value(found[one.path])}" if apart else "")
        yield Cause("map", told, apart, _names(one))


def origin(entry: MapEntry) -> str:
    """Where a line of the map takes its value from."""
    told = value(entry.value) if entry.source == "value" else entry.text
    told += " through its map" if entry.table is not None else ""
    return told + (" (set once)" if entry.on_create else "")


def _reads(one: Derived) -> str:
    return f" ({listed([f'{name} is {value(given)}' for name, given in one.reads.items()])})" if one.reads else ""


def _names(one: Derived) -> frozenset[str]:
    return frozenset({one.path, *one.reads})


def scope(one: Scoped) -> Iterator[Cause]:
    if one.text is None:
        yield Cause("scope", "everyone")
        return
    given = listed([f"{name} is {value(held)}" for name, held in one.values.items()]) or "it reads no attribute"
    told = f"has no answer ({one.error})" if one.answer is None else "is true" if one.answer else "is false"
    yield Cause("scope", f"{one.text} {told}: {given}", not one.answer, frozenset(one.values))


def _entitlement(at: At, whole: Explanation) -> Iterator[Cause]:
    someone, event = whole.someone, at.each.projection.event
    if at.each.projection.state == "frozen":
        yield Cause("entitlement", f"not judged: {at.each.projection.reason}")
    elif event is None:
        until = f", until {utc(someone.ends)}" if someone.ends else ""
        yield Cause("entitlement", f"live, in scope and active{until}: they should have an account", bool(someone.ends))
    elif event is Event.DEPARTED:
        since = f" since {utc(someone.departed_at)}" if someone.departed_at else ""
        told = listed([f"{row.name} ({'complete' if row.complete else 'NOT complete'})" for row in whole.sources])
        yield Cause("entitlement", f"departed{since}: gone from every source, by the last listing of {told}", True)
    elif event is Event.INACTIVE:
        yield Cause("entitlement", f"inactive: {inactivity(someone, at)}", True, frozenset({"active", "activeFrom", "activeUntil"}))
    else:
        yield Cause("entitlement", "live and active, but out of scope")


def inactivity(someone: Someone, at: At) -> str:
    if someone.attributes.get("active", True) is False:
        return "active is false"
    if at.each.projection.due is not None or someone.ends is None:
        return f"activeFrom is {someone.attributes.get('activeFrom')}, which has not come"
    return f"activeUntil is {someone.attributes.get('activeUntil')}, which has passed"


def _decision(at: At, now: Any) -> Iterator[Cause]:
    for row in at.decided:
        delta: Mapping[str, Sequence[Any]] = orjson.loads(row["delta"])
        sets = [_moved(row["kind"], path, *pair) for path, pair in delta.items()]
        told = f"{row['kind']}: {row['reason']}" + (f": {listed(sets[:4], len(sets) - 4)}" if sets else "")
        yield Cause("decision", told, True, frozenset(delta))
    if not at.decided:
        yield Cause("decision", "nothing is to be done")


def _moved(kind: str, path: str, before: Any, after: Any) -> str:
    return f"{path} {value(after)}" if kind == "create" else f"{path} {value(before)} -> {value(after)}"


def _waiting(at: At, now: Any) -> Iterator[Cause]:
    if at.pause is not None:
        until = f" until {utc(instant(at.pause.until))}" if at.pause.until else ""
        yield Cause("hold", f"paused since {utc(instant(at.pause.since))}{until}: {at.pause.reason}", True)
    for row in at.waits:
        state = "kept by you" if row.state == "kept" else row.state.replace("_", " ")
        state = "released" if row.state == "held" and cures.let_go(row, now) else state
        yield Cause("hold", f"{state} since {utc(instant(row.since))} (run {row.run}): {row.reason}", True)


def _answers(at: At) -> Iterator[Cause]:
    """Requests and their answers, the last change in brief."""
    told = [(change, steps) for change, steps in at.changes if steps or change.state not in ("planned", "held", "passed")]
    for place, (change, steps) in enumerate(told):
        when = f" ({utc(instant(change.settled_at or change.started))})" if change.settled_at or change.started else ""
        text = f"run {change.run}{when}: {_outcome(change, steps)}"
        text += f", {count(len(steps), 'request')}: {'; '.join(f'{one.summary}: {_step(one)}' for one in steps)}" if steps else ""
        yield Cause("answer", text, place == 0, frozenset(orjson.loads(change.delta)))


def _outcome(change: Any, steps: Sequence[Any]) -> str:
    state = DONE[change.kind] if change.state == "applied" else f"{change.kind} {change.state.replace('_', ' ')}"
    return state + (f" ({change.error})" if change.error and all(step.error != change.error for step in steps) else "")


def _step(step: Any) -> str:
    return str(step.state).replace("_", " ") + (f" ({step.error})" if step.error else "")
