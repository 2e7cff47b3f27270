"""Creates whose answer was lost: looked for by key and marker, settled when found, made again only when proven absent."""

from __future__ import annotations

from typing import Any

import orjson

from syncd.core.correlation import key
from syncd.core.mapping import found
from syncd.core.paths import get
from syncd.engine import places, settling
from syncd.engine.context import Connected, Context
from syncd.engine.reading import Reading
from syncd.environment import instant
from syncd.errors import InDoubt, Rejected, Retryable
from syncd.model import USER, Account
from syncd.store import identities, journal, outcomes
from syncd.store.entries import Intent


async def look(context: Context, one: Connected, row: Any) -> Account | None:
    """The account that the create of ``row`` (a change or an open step) made; None if the provider knows none.

    Raises Retryable, Rejected, InDoubt or Quarantined when the provider gives no answer.
    """
    delta = {path: after for path, (_, after) in orjson.loads(row.delta).items()}
    capability = one.connector.capability
    paths = [path for path in (capability.key, capability.marker) if path is not None and path in delta]
    found = await one.connector.find({path: str(delta[path]) for path in paths})
    return next((account for account in found if _ours(one, row, account, delta)), None)


def _ours(one: Connected, row: Any, account: Account, delta: dict[str, Any]) -> bool:
    """It bears the marker the create wrote; or, where there is none, the key; where there is none yet, all else must be as it was asked,
    since the key may have been somebody else's choice too."""
    assert one.policy is not None
    capability = one.connector.capability
    mark = None if capability.marker is None else get(account.attributes, capability.marker)
    if capability.marker is not None and not (mark is None and capability.marked_late):
        return bool(mark == one.policy.markers.of(row.identity))
    own = capability.key
    same = own is not None and key(own, get(account.attributes, own)) == key(own, delta.get(own))
    return same and (capability.marker is None or _as_asked(one, account, delta))


def _as_asked(one: Connected, account: Account, delta: dict[str, Any]) -> bool:
    """No text of the account is another than was asked for. What a later step brings may still be missing."""
    texts = {path: value for path, value in delta.items() if isinstance(value, str) and path != one.connector.capability.marker}
    held = found(account.attributes, texts, one.connector.capability)
    return all(held[path] == value or "." in path for path, value in texts.items())


async def recover(context: Context, one: Connected, reading: Reading) -> None:
    """Settle what an earlier run left open. Absence is believed only in a complete view that began after the settle window."""
    for step in journal.open_steps(context.store, one.name):
        context.go_on()
        try:
            account, asked = await look(context, one, step) if step.creates else None, True
        except (Retryable, Rejected, InDoubt):
            account, asked = None, False
        with context.store.transaction():
            if account is not None:
                made(context, one, step, account)
                journal.recovered(context.store, step.seq, context.run)
                places.housed(context, one, account)
            elif not step.creates or (asked and _absent(one, step, reading)):
                not_made(context, one, step)
            else:
                since = instant(step.doubted_at or step.sent_at)
                why, now = "no answer came; it is looked for again in the next run", context.environment.now()
                journal.mark_doubt(context.store, _intent(step), why, since, now, context.run)
                outcomes.doubt(context.store, one.name, step.identity, step.step)


def made(context: Context, one: Connected, step: Any, account: Account, *, believed: bool = False) -> None:
    """The open ``step`` made this account, in the caller's transaction; ``believed``: because a person says so."""
    last = step.n == step.requests
    _settle(context, step, "applied", "applied" if last else "retry", account.id)
    settling.arrived(context, one, step, account, last=last, believed=believed)


def not_made(context: Context, one: Connected, step: Any) -> None:
    """The open ``step`` did nothing, or what it did shows by itself: planned again, in the caller's transaction."""
    state = "retry" if step.creates else "lost"
    _settle(context, step, state, state)
    outcomes.doubt(context.store, one.name, step.identity, None)
    identities.mark(context.store, [step.identity] if step.object == USER else [], [one.name])


def _settle(context: Context, step: Any, state: str, change: str, account: str | None = None) -> None:
    """``change``: its state, where a create took whose other steps did not follow; they are planned as what is missing."""
    now = context.environment.now()
    journal.settle_step(context.store, _intent(step), state, None, now, account=account, run=context.run)
    journal.settle_change(context.store, step, change, None, now)


def _intent(step: Any) -> Intent:
    return Intent(step.step, step, step.n, step.summary, max(step.n, step.requests))


def _absent(one: Connected, step: Any, reading: Reading) -> bool:
    assert one.policy is not None
    return reading.whole and reading.started >= instant(step.doubted_at or step.sent_at) + one.policy.target.settle
