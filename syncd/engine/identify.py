"""Accounts of authoritative connections -> identities: whose they are, and what those people are like now."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Iterator, Mapping, Sequence
from typing import Any

import orjson

from syncd.core.correlation import identity_id, key
from syncd.core.entitlement import window
from syncd.core.merging import contributor, merge
from syncd.engine.context import Connected, Context
from syncd.environment import instant
from syncd.model import Connection
from syncd.store import identities
from syncd.store.identities import Person
from syncd.store.staging import Staged

KEYS = ("userName", "externalId", "email")
"""What an identity is looked up and correlated by, besides the uuid5 of each of its accounts (``@id``) and the keys of `_joining`."""


def claim(context: Context, one: Connected, staged: Sequence[Staged], rows: Mapping[str, int]) -> set[str]:
    """Give each new account of an authoritative connection its identity; returns the identities to refresh."""
    known = identities.owners(context.store, list(rows.values()))
    fresh = [account for account in staged if rows[account.account] not in known and not account.ignored]
    found = _correlate(context, one, fresh)
    owned = {rows[account.account]: found.get(account.account) or _own_id(context, one, account.account) for account in fresh}
    identities.claim(context.store, owned)
    return {*known.values(), *owned.values()}


def _own_id(context: Context, one: Connected, account: str) -> str:
    return identity_id(context.landscape.instance, one.connection.namespace, account)


def _correlate(context: Context, one: Connected, fresh: Sequence[Staged]) -> dict[str, str]:
    """Provider id -> the identity it joins: a single living one of another source, or by externalId also a departed one.

    No identity gets a second account at the same source: two of its accounts are two people.
    """
    if not _several(context):
        return {}
    keys = {account.account: _joining(one.connection, account.account, orjson.loads(account.reading or "{}")) for account in fresh}
    answers = identities.by_keys(context.store, {pair for pairs in keys.values() for pair in pairs})
    found = {account: who for account, pairs in keys.items() if (who := _single(pairs, answers)) is not None}
    taken = identities.present_at(context.store, one.name, set(found.values()))
    claims = Counter(found.values())
    return {account: who for account, who in found.items() if who not in taken and claims[who] == 1}


def _several(context: Context) -> bool:
    """Whether two accounts of sources can be one person's."""
    sources = [context.landscape.connection(name) for name in context.authoritative]
    return len(sources) > 1 or any("externalId" in one.explicit for one in sources)


def _joining(one: Connection, account: str, reading: Mapping[str, Any]) -> list[tuple[str, str]]:
    """``@userName``, ``@externalId``, ``@email``: the keys that make accounts of several sources one person's.

    An administrator wrote them for that; the account's own id, which the default map puts where nothing else is, says nothing elsewhere.
    """
    keys = ((name, key(name, reading.get(name))) for name in KEYS)
    return [(f"@{name}", value) for name, value in keys if value is not None and (name in one.explicit or _said(one, name, value, account))]


def _said(one: Connection, name: str, value: str, account: str) -> bool:
    """Whether a default column said it: userName falls back to the id where that has a column of its own."""
    if name != "userName":
        return name != "externalId"
    columns = next((entry.text.split(",") for entry in one.read if entry.name == name and entry.source == "first"), [name])
    return value != key(name, account) or columns[-1] in columns[:-1] or columns == [name]


def _single(pairs: Iterable[tuple[str, str]], answers: Mapping[tuple[str, str], Sequence[Any]]) -> str | None:
    found = {row.identity for pair in pairs for row in answers.get(pair, ()) if row.live == "live" or pair[0] == "@externalId"}
    return found.pop() if len(found) == 1 else None


def refresh(context: Context, who: Iterable[str]) -> None:
    """Recompute these identities from all their accounts and mark them for every target."""
    ids = sorted(set(who))
    for start in range(0, len(ids), 1000):
        block = ids[start : start + 1000]
        identities.save(context.store, people(context, block), context.targets)


async def refresh_all(context: Context) -> None:
    """The same for everybody, a block a transaction."""
    after = ""
    while ids := identities.all_ids(context.store, after):
        after = ids[-1]
        with context.store.transaction():
            refresh(context, ids)
        await context.breathe()


def people(context: Context, ids: Sequence[str]) -> list[Person]:
    """These identities as their accounts make them now; `syncd verify` compares with what is stored."""
    accounts: dict[str, list[Any]] = {identity: [] for identity in ids}
    for row in identities.sources(context.store, ids):
        accounts[row.identity].append(row)
    stored = {row.id: row for row in identities.documents(context.store, ids)}
    return [_person(context, identity, rows, stored.get(identity)) for identity, rows in accounts.items()]


def _person(context: Context, identity: str, accounts: Sequence[Any], stored: Any) -> Person:
    order = context.authoritative
    present = [row for row in accounts if row.gone_at is None]
    readings = {row.id: orjson.loads(row.reading or "{}") for row in accounts}
    read = {row.connection: readings[row.id] for row in present if row.connection in order and row.reading}
    forgotten = bool(stored and stored.forgotten) and not read
    live = "live" if read else "frozen" if present or forgotten or not accounts else "departed"
    attributes = merge(read, order, context.landscape.precedence) if read else orjson.loads(stored.attributes if stored else "{}")
    starts, ends, due = _window(context, attributes, read)
    return Person(
        id=identity, attributes=orjson.dumps(attributes, option=orjson.OPT_SORT_KEYS).decode(), live=live,
        ignored=_ignored(context, present or accounts, readings), departed_at=_departed(accounts) if live == "departed" else None,
        starts=starts, ends=ends, due=due, keys=_identity_keys(context, attributes, accounts), forgotten=forgotten,
    )  # fmt: skip


def _ignored(context: Context, accounts: Iterable[Any], readings: Mapping[int, Mapping[str, Any]]) -> bool:
    """By the account id or the source's value; somebody who vanished while ignored stays so."""
    values = ((row.account, readings[row.id]) for row in accounts)
    return any(context.ignore.matches(account, reading.get("userName"), reading.get("email")) for account, reading in values)


def _window(context: Context, attributes: Mapping[str, Any], read: Mapping[str, Any]) -> tuple[Any, Any, Any]:
    """(from, until, the next of the two), each in the time zone of the source whose value won."""

    def zone(name: str) -> str:
        origin = contributor(name, read, context.authoritative, context.landscape.precedence)
        return context.landscape.connection(origin).timezone if origin else "UTC"

    if not attributes.keys() & {"activeFrom", "activeUntil"}:
        return None, None, None
    starts, _ = window(attributes.get("activeFrom"), None, zone("activeFrom"))
    _, ends = window(None, attributes.get("activeUntil"), zone("activeUntil"))
    now = context.environment.now()
    return starts, ends, next((moment for moment in (starts, ends) if moment is not None and moment > now), None)


def _departed(accounts: Sequence[Any]) -> Any:
    times = [row.gone_at for row in accounts if row.gone_at is not None]
    return instant(max(times)) if times else None


def _identity_keys(context: Context, attributes: Mapping[str, Any], accounts: Sequence[Any]) -> list[tuple[str, str]]:
    keys = [(name, value) for name in KEYS if (value := key(name, attributes.get(name))) is not None]
    spaces = {one.name: one.namespace for one in context.landscape.connections}
    own = {identity_id(context.landscape.instance, spaces.get(row.connection, row.connection), row.account) for row in accounts}
    return [*keys, *(("@id", one) for one in sorted(own)), *_joins(context, accounts)]


def _joins(context: Context, accounts: Sequence[Any]) -> Iterator[tuple[str, str]]:
    """What further accounts join by: the keys of the present ones, and every externalId that is or was mapped by the configuration."""
    if not _several(context):
        return
    for row in accounts:
        if row.reading and row.connection in context.authoritative:
            pairs = _joining(context.landscape.connection(row.connection), row.account, orjson.loads(row.reading))
            yield from (pair for pair in pairs if row.gone_at is None or pair[0] == "@externalId")
