"""How somebody stands at a target in one line, and what would change it."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import datetime
from typing import Any

from syncd.cli import cures
from syncd.cli.explain_causes import inactivity
from syncd.cli.text import listed, utc, value
from syncd.core.entitlement import Event
from syncd.core.project import REASONS
from syncd.engine.explain import At, Explanation
from syncd.environment import instant
from syncd.model import Hold

PLAN, SYNC = "syncd plan", "syncd sync"
STAYS = {"disabled": "disabled", "kept": "kept as it is", "retained": "retained: it is not deleted"}


def verdict(at: At) -> str:
    """``account US1: disabled: out of scope``."""
    account = "no account" if at.each.holding is None else f"account {at.each.row.account}"
    return f"{account}: {_standing(at)}"


def _standing(at: At) -> str:
    found = at.each.projection
    if not _read(at):
        return "nothing is planned before one of its listings was complete"
    if found.state in ("frozen", "rejected"):
        return f"{found.state}: {found.reason}"
    if at.step != "in_step" and at.step != "out_of_step":
        return _stuck(at)
    if at.decided:
        return listed([_planned(row["kind"], row["hold"], released=row["released"]) for row in at.decided])
    if at.step == "out_of_step":
        return f"to leave ({found.reason}), but nothing proves it yet"
    if found.event is None:
        return "as it should be" if at.each.holding is not None else "not judged yet"
    return _left(at)


def _stuck(at: At) -> str:
    """Out of step, and not planned."""
    match at.step:
        case "vain":
            return f"rejected: {at.link.reason}"
        case "refused":
            return "kept by you, until a side moves"
        case "doubt":
            return "in doubt: a request was sent and no answer came"
    return f"quarantined until {utc(instant(at.link.retry_at))} after {at.link.failures} refusals: {at.link.reason}"


def _planned(kind: str, hold: str, *, released: bool) -> str:
    if hold:
        return f"to {kind}, held"
    return f"to {kind}, {'released' if released else 'not sent yet'}"


def _left(at: At) -> str:
    found = at.each.projection
    assert found.event is not None
    why = REASONS[found.event]
    if at.each.holding is None:
        return why
    if found.state == "grace":
        return f"disabled, and deleted on {utc(found.due)}: {why}" if found.due else f"to be disabled and then deleted: {why}"
    return f"{STAYS.get(found.state, found.state)}: {why}"


def _read(at: At) -> bool:
    return at.known is not None and at.known.sealed_at is not None


def remedies(at: At, whole: Explanation, now: datetime, names: cures.Names) -> Iterator[str]:
    """What would change how they stand there: a value, a file, a command; the nearest first."""
    if at.pause is not None:
        everywhere = at.pause.connection == ""
        yield f"nothing is written while it is paused: {cures.pasted('resume', *(() if everywhere else ('-c', at.one.name)))}"
    if not _read(at):
        why = f" (the last one: {at.known.defect})" if at.known is not None and at.known.defect else ""
        yield f"a complete listing{why}: {PLAN}"
        return
    yield from _waiting(at, now, names)
    yield from _unplanned(at)
    yield from _moving(at, whole)
    if at.stale or at.dirty:
        yield f"they are judged anew by the next run: {PLAN}"


def _waiting(at: At, now: datetime, names: cures.Names) -> Iterator[str]:
    """What a person can say to what waits."""
    for row in at.waits:
        if row.state == "kept":
            yield f"take the no back: syncd held release {row.run}"
        elif row.state == "held":
            yield from _held(row, now, names)
        else:
            yield f"{cures.words(row, now)}; next: {cures.commands(row, now, names)[0]}"


def _held(row: Any, now: datetime, names: cures.Names) -> Iterator[str]:
    """What lets it go; where nothing does, what must change first."""
    told, commands = cures.words(row, now), cures.commands(row, now, names)
    keep = f"keep all that run {row.run} holds as it is: syncd held reject {row.run}"
    if cures.let_go(row, now) or (row.hold == Hold.FIRST_CONTACT and told):
        yield f"{told}: {commands[0]}"
    elif row.hold in cures.CHOSEN:
        yield told
        yield from (f"it is theirs: {command}" for command in commands)
    elif told:
        yield f"{told}; or {keep}"
    else:
        only = cures.pasted("held", "release", str(row.run), "--only", names[row.identity])
        yield f"release: {only}; {keep}"


def _unplanned(at: At) -> Iterator[str]:
    """What is planned, and what no run can plan yet."""
    waiting = {row.change for row in at.waits}
    for change in at.decided:
        if not change["hold"]:
            yield f"the next run sends it: {SYNC}"
        elif change["id"] not in waiting:
            words = cures.WORDS.get(Hold(change["hold"]), "")
            yield f"{change['held']}" + (f": {words}" if words else f"; the next run holds it for you: {PLAN}")
    if at.step == "doubt" and not at.waits:
        yield f"the next run looks for the account and settles it: {SYNC}"
    if at.step == "refused" and not at.waits:
        yield from _reverted(at)
    if at.step == "vain":
        yield "another value in the source or in the map, or another one at the provider: it is not tried again before a side moves"
    if at.step == "resting" and not at.waits:
        yield f"it is tried again after {utc(instant(at.link.retry_at))}"


def _reverted(at: At) -> Iterator[str]:
    """A no that was said by taking a run back ends by taking back that."""
    last = next((row for row, _ in at.changes if row.state == "applied"), None)
    if last is not None and last.reverts is not None:
        yield f"run {last.reverts} was taken back; to do it all the same: {cures.pasted('revert', str(last.run))}"


def _moving(at: At, whole: Explanation) -> Iterator[str]:
    """What of the person, the configuration or the account decides it."""
    found = at.each.projection
    if found.state == "frozen":
        yield from _thawing(at, whole)
    elif found.state == "rejected":
        for one in at.derived:
            if one.error:
                yield f"another value for {' or '.join(one.reads) or one.path} in the source, or another map for {one.path}"
    elif found.event is Event.OUT_OF_SCOPE:
        yield from _scope(at)
    elif found.event is Event.INACTIVE:
        yield f"{inactivity(whole.someone, at)}: another value in {listed(_sources(whole))}"
    elif found.event is Event.DEPARTED:
        rows = [f"{one.connection}/{one.account}" for one in whole.someone.sightings]
        yield f"the same account back in a source ({listed(rows)}), or another with the same externalId"
    if at.step == "out_of_step" and not at.decided and found.event is not None:
        yield from (
            f"a complete listing of {row.name} ({row.defect or 'not read since'}): {SYNC}" for row in whole.sources if not row.complete
        )
        if not at.known.complete:
            yield f"a complete listing of {at.one.name} ({at.known.defect}): {SYNC}"
    if found.due is not None and found.state == "grace":
        yield f"to be entitled again before {utc(found.due)}: then the same account is enabled"


def _thawing(at: At, whole: Explanation) -> Iterator[str]:
    someone, holding = whole.someone, at.each.holding
    if at.scoped.answer is None:
        yield f"a value the scope can judge, or a scope that can judge theirs: {at.scoped.error}"
        yield from _instead(at)
    elif someone.live == "frozen":
        yield "a source that is read and shows them: the one that did is not configured or not authoritative any more"
    elif someone.ignored or (holding is not None and holding.ignored):
        yield "take them off `ignore`"
    elif holding is not None and not holding.owned:
        yield "nothing: an account that syncd does not own is never written"
    else:
        yield f"a reading that shows the account: {PLAN}"


def _scope(at: At) -> Iterator[str]:
    yield from _instead(at)
    if not at.scoped.instead:
        yield f"other values of {listed(list(at.scoped.values))}, or another scope: {at.scoped.text} (try it: syncd eval)"


def _instead(at: At) -> Iterator[str]:
    for name, other in at.scoped.instead:
        yield f"{name} is {value(at.scoped.values[name])}; with {value(other)} they would be in scope"


def _sources(whole: Explanation) -> list[str]:
    return sorted({one.connection for one in whole.someone.sightings if one.gone_at is None}) or ["a source"]
