"""One account asked for by itself: what the answer says enters by the staging door, as if a listing had shown it."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import replace
from datetime import datetime
from typing import Any

import orjson

from syncd.engine import directory, door, records
from syncd.engine.context import Connected, Context
from syncd.errors import Quarantined, Rejected, Retryable
from syncd.model import Account, Gone, Kind, Ref
from syncd.store import identities, staging


async def ask_sources(context: Context, row: Any) -> tuple[dict[str, datetime], str]:
    """What the sources that can be asked say now of the person whom a change (a row of the journal) is about.

    (source -> since when that is known to hold; why they are not as they were, or nothing). An account that was gone must be so still:
    that renews the evidence that its person left.
    """
    heard: dict[str, datetime] = {}
    for account in identities.sources(context.store, [row.identity]):
        one = context.connected.get(account.connection)
        if one is None or one.name not in context.authoritative or not one.connector.capability.answers:
            continue
        now = context.environment.now()
        try:
            why = await _ask(context, one, account, leaver=row.evidence_at is not None)
        except (Retryable, Rejected, Quarantined) as error:
            why = f"{one.name} gives no answer about account {account.account}: {error}"
        if why:
            return {}, why
        heard.setdefault(one.name, now)
    return heard, ""


async def _ask(context: Context, one: Connected, account: Any, *, leaver: bool) -> str:
    answer = await one.connector.fetch(Ref(account.account, container=account.container))
    if isinstance(answer, Account):
        _enter(context, one, [answer])
    elif isinstance(answer, Gone):
        return "" if account.gone_at is not None else f"account {account.account} of {one.name} is not there any more"
    elif leaver or account.gone_at is None:
        return f"{one.name} cannot say by itself whether account {account.account} is gone: {answer.reason}"
    return ""


async def ask_target(context: Context, one: Connected, row: Any) -> str:
    """Why the account of a change cannot be looked at, or nothing: then it is known as it is now; for a creation whoever could be that
    person's is. Raises Retryable and Quarantined."""
    try:
        if row.kind == Kind.CREATE:
            for keys in _keys(one, row):
                _enter(context, one, await one.connector.find(keys))
            return ""
        known = staging.ref(context.store, one.name, row.account)
        answer = await one.connector.fetch(Ref(row.account, container=None if known is None else known.container))
    except Rejected as error:
        return f"the account could not be looked at: {error}"
    if isinstance(answer, Account):
        _enter(context, one, [answer])
        return ""
    if not isinstance(answer, Gone):
        return f"account {row.account} could not be looked at: {answer.reason}"
    with context.store.transaction():
        staging.distrust(context.store, one.name)
    return f"account {row.account} is not there any more"


def _keys(one: Connected, row: Any) -> Iterator[Mapping[str, str]]:
    """Marker, provider's key and correlation keys that the creation would write, one at a time: what cannot be looked up finds nobody."""
    assert one.policy is not None
    capability = one.connector.capability
    after = {path: value for path, (_, value) in orjson.loads(row.delta).items()}
    read = {entry.name: entry.text for entry in one.connection.read if entry.source == "name"}
    paths = [capability.marker, capability.key, *(read.get(name) for name in one.policy.target.correlate)]
    for path in dict.fromkeys(paths):
        if path is not None and isinstance(after.get(path), str):
            yield {path: after[path]}


def _enter(context: Context, one: Connected, accounts: Sequence[Account]) -> None:
    """Raises Rejected for a source's record that cannot be mapped, Quarantined for an account of another directory."""
    shown = [_as_listed(context, one, account) for account in accounts]
    for account in shown:
        directory.recognise(context, one, directory.told(one, account))
    staged = [records.stage(context, one, account) for account in shown]
    with context.store.transaction(durable=False):
        door.enter(context, one, staged)


def _as_listed(context: Context, one: Connected, account: Account) -> Account:
    """What listings never carry stays as it is known: two views of the same account are to compare equal."""
    known = staging.ref(context.store, one.name, account.id)
    kept = orjson.loads(known.document) if known is not None and known.document else {}
    carried = {name: value for name, value in account.attributes.items() if name in one.carried}
    return replace(account, attributes={**kept, **carried})
