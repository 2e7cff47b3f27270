"""Which planned changes may be sent: first contact, limits over the last 24 hours, and what a person released."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from datetime import timedelta

import orjson

from syncd.core.guard import GROUPS, verdict
from syncd.engine import restored
from syncd.engine.context import Connected, Context
from syncd.engine.reading import Reading
from syncd.model import Hold, Kind, Limit
from syncd.store import connections, entries, limits, links, runs, verdicts, waiting

ALL = tuple(kind.value for kind in Kind)
CONSENTED = (Kind.CREATE.value, Kind.UPDATE.value, Kind.ADOPT.value)
"""What a yes at first contact lets go; every delete or disable stays held."""
UNREADABLE = (
    "records that are nobody's cannot be read ({named}), and this person's account may be among them: mend them at the provider,"
    " or release who is new for certain"
)
NAMED = 5
NEVER = "write.apply is never: plans are made and never sent"
REVIEW = "write.apply is review: sent once a person has released it"
FIRST_CONTACT = "first contact: nothing of this connection has been changed by syncd yet"


def guard(context: Context, one: Connected, readings: Mapping[str, Reading]) -> bool:
    """Hold what must wait and pass the rest, in one transaction; True = a yes to the first contact would let some of it go."""
    assert one.policy is not None
    store, run, askable = context.store, context.run, 0
    if not runs.decided(store, run):
        return False
    with store.transaction(durable=False):
        verdicts.drop_unsent(store, run, one.name)
        verdicts.hold_asked(store, run, one.name)
        _hold_unreadable(context, one, readings.get(one.name))
        restored.hold(context, one, readings.get(one.name))
        if one.policy.target.apply == "never":
            verdicts.hold(store, run, one.name, ALL, Hold.APPLY, NEVER)
        elif at_first_contact(context, one):
            askable = _hold_contact(context, one)
        else:
            _limit(context, one, readings)
            _hold_reviewed(context, one)
        verdicts.pass_rest(store, run, one.name)
    return askable > 0


def _hold_contact(context: Context, one: Connected) -> int:
    """Nothing goes by itself at the first contact; how many a yes would let go: none where each waits for a release of its own."""
    _hold_reviewed(context, one, CONSENTED)
    askable = verdicts.hold(context.store, context.run, one.name, CONSENTED, Hold.FIRST_CONTACT, FIRST_CONTACT)
    verdicts.hold(context.store, context.run, one.name, ALL, Hold.FIRST_CONTACT, FIRST_CONTACT)
    return askable


def _hold_reviewed(context: Context, one: Connected, kinds: Sequence[str] = ALL) -> None:
    """Under `apply: review`; what another reason holds already waits for that."""
    assert one.policy is not None
    if one.policy.target.apply == "review":
        verdicts.hold(context.store, context.run, one.name, kinds, Hold.REVIEW, REVIEW)


def _hold_unreadable(context: Context, one: Connected, reading: Reading | None) -> None:
    """Where no key of the provider's prevents it, a newcomer's account could be there already, in a record that cannot be read."""
    if one.connector.capability.key is not None:
        return
    flaws = {flaw.id or flaw.where: flaw.id for flaw in reading.flaws} if reading is not None else {}
    if reading is None or not reading.whole:  # what it did not show again is as unreadable as it was
        flaws |= waiting.unreadable(context.store, one.name)
    linked = links.linked_accounts(context.store, one.name, [id for id in flaws.values() if id])
    unread = [told for told, id in flaws.items() if id not in linked]
    if unread:
        named = ", ".join(unread[:NAMED]) + (f" and {len(unread) - NAMED} more" if len(unread) > NAMED else "")
        told = UNREADABLE.format(named=named)
        verdicts.hold(context.store, context.run, one.name, (Kind.CREATE.value,), Hold.UNREADABLE, told)


def at_first_contact(context: Context, one: Connected) -> bool:
    """No change has settled at this connection yet."""
    known = connections.row(context.store, one.name)
    return known is None or known.settled == 0


def standing_hold(context: Context, one: Connected, kind: Kind) -> tuple[Hold, str | None]:
    """(why, words) of what holds any change of this kind at this connection now, whoever it is about; NOTHING, None where nothing does."""
    assert one.policy is not None
    apply, first = one.policy.target.apply, at_first_contact(context, one)
    if apply == "never":
        return Hold.APPLY, NEVER
    if apply == "review" and not (first and kind not in CONSENTED):
        return Hold.REVIEW, REVIEW
    return (Hold.FIRST_CONTACT, FIRST_CONTACT) if first else (Hold.NOTHING, None)


def consent(context: Context, one: Connected) -> None:
    """A person agreed to the first plan: its creates, updates and trusted adoptions go, now and in the runs that finish them."""
    now = context.environment.now()
    with context.store.transaction():
        changes = waiting.let_go(context.store, context.run, one.name, Hold.FIRST_CONTACT, CONSENTED, now)
        entries.agreed(context.store, "yes at first contact", one.name, changes, context.run, now)


def reviewed(context: Context, one: Connected) -> None:
    """A person reviewed this very plan and has it applied: what waits for that alone goes, as if each had been released."""
    now = context.environment.now()
    with context.store.transaction():
        changes = waiting.let_go(context.store, context.run, one.name, Hold.REVIEW, ALL, now)
        entries.agreed(context.store, "apply of what was to be reviewed", one.name, changes, context.run, now)


def _limit(context: Context, one: Connected, readings: Mapping[str, Reading]) -> None:
    assert one.policy is not None
    most = one.policy.target.limits
    owned = links.owned(context.store, one.name)
    since = context.environment.now() - timedelta(hours=24)
    for group, kinds in GROUPS.items():
        if group not in most:
            continue
        names = [kind.value for kind in kinds]
        touched, planned = limits.affected(context.store, context.run, one.name, names, since)
        why = verdict(group, most[group], owned, touched, planned, _cause(context, one, group, readings))
        if why is not None:
            verdicts.hold(context.store, context.run, one.name, names, Hold.LIMIT, why, uncounted=False)
    if "clear" in most:
        _limit_clearing(context, one, most["clear"], owned)


def _limit_clearing(context: Context, one: Connected, limit: Limit, owned: int) -> None:
    """Per attribute: how many accounts would lose its last value."""
    since = context.environment.now() - timedelta(hours=24)
    losing: dict[str, set[str]] = {}
    planned: dict[str, list[int]] = {}
    for row in limits.cleared(context.store, context.run, one.name, since):
        for attribute in orjson.loads(row.cleared):
            losing.setdefault(attribute, set()).add(row.identity)
            planned.setdefault(attribute, []).extend([row.seq] if row.seq else [])
    for attribute, seqs in planned.items():
        why = verdict("clear", limit, owned, len(losing[attribute]), len(seqs), f"{attribute} would be emptied")
        if why is not None:
            verdicts.hold_rows(context.store, seqs, Hold.LIMIT, why)


def _cause(context: Context, one: Connected, group: str, readings: Mapping[str, Reading]) -> str:
    """The likeliest reason for so many leavers at once: most of them vanished from one source in one reading, and how it changed then."""
    worst = limits.vanished(context.store, context.run, one.name) if group == "delete" else None
    if worst is None:
        return ""
    who = "all" if worst.n == worst.total else f"{worst.n} of them"
    told = f"{who} vanished from {worst.connection} between two readings ({worst.departed_at[:16].replace('T', ' ')} UTC)"
    reading = readings.get(worst.connection)
    return told + (_shrinkage(reading) if reading is not None and reading.vanished else "")


def _shrinkage(reading: Reading) -> str:
    came = reading.accounts - reading.before + reading.vanished
    if reading.accounts < reading.before:
        return f"; it is {100 * (reading.before - reading.accounts) / reading.before:.0f} % shorter"
    return f"; {came} came meanwhile"
