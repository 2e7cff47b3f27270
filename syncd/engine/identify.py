"""Accounts of authoritative connections -> identities: whose they are, and what those people are like now."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import replace
from datetime import datetime
from typing import Any

import orjson

from syncd.core import project
from syncd.core.correlation import identity_id
from syncd.core.entitlement import window
from syncd.core.mapping import inverse
from syncd.core.merging import contributor, merge
from syncd.engine.context import Connected, Context
from syncd.engine.joining import Made, identity_keys, joining
from syncd.engine.opinions import Heard, hear
from syncd.environment import instant, stamp
from syncd.model import Account
from syncd.store import identities, opinions
from syncd.store.identities import Person
from syncd.store.nameless import NAMELESS
from syncd.store.staging import Staged


def claim(context: Context, one: Connected, staged: Sequence[Staged], before: Mapping[str, Any]) -> dict[str, str]:
    """Provider id -> the identity that an account of an authoritative connection makes, be it a new one. ``before``: those that are
    stored, as `whose.known` finds them."""
    known = {account: row.makes for account, row in before.items() if row.makes is not None}
    fresh = [account for account in staged if account.account not in known and not account.ignored]
    found = _correlate(context, one, fresh)
    return known | {account.account: found.get(account.account) or _own_id(context, one, account.account) for account in fresh}


def _own_id(context: Context, one: Connected, account: str) -> str:
    return identity_id(context.landscape.instance, one.connection.namespace, account)


def _correlate(context: Context, one: Connected, fresh: Sequence[Staged]) -> dict[str, str]:
    """Provider id -> the identity it joins: a single living one of another source, or by externalId also a departed one.

    No identity gets a second account at the same source: two of its accounts are two people.
    """
    if not context.several:
        return {}
    keys = {account.account: joining(one.connection, account.account, orjson.loads(account.reading or "{}")) for account in fresh}
    answers = identities.by_keys(context.store, {pair for pairs in keys.values() for pair in pairs})
    found = {account: who for account, pairs in keys.items() if (who := _single(pairs, answers)) is not None}
    taken = identities.present_at(context.store, one.name, set(found.values()))
    claims = Counter(found.values())
    return {account: who for account, who in found.items() if who not in taken and claims[who] == 1}


def _single(pairs: Iterable[tuple[str, str]], answers: Mapping[tuple[str, str], Sequence[Any]]) -> str | None:
    found = {row.identity for pair in pairs for row in answers.get(pair, ()) if row.live == "live" or pair[0] == "@externalId"}
    return found.pop() if len(found) == 1 else None


def refresh(context: Context, who: Iterable[str]) -> None:
    """Recompute these identities from all their accounts and mark them for every target."""
    ids = sorted(set(who))
    for start in range(0, len(ids), 1000):
        made = _made(context, ids[start : start + 1000])
        _save(context, [one for one, _ in made], [said for _, said in made])


async def stirred(context: Context) -> None:
    """Recompute, and mark for every target, whom a target that has a say now says something else of; a block a transaction."""
    for name in context.contributing:
        after = ""
        while ids := opinions.stirred(context.store, name, after):
            after = ids[-1]
            with context.store.transaction(durable=False):
                remake(context, ids)
            await context.breathe()


def remake(context: Context, ids: Sequence[str]) -> None:
    """As `refresh`, but nobody is marked who stays as they were."""
    stored = {row.id: (row.attributes, row.starts_at, row.ends_at) for row in identities.documents(context.store, ids)}
    made = _made(context, ids)
    moved = [one for one, _ in made if stored.get(one.id) != (one.attributes, _text(one.starts), _text(one.ends))]
    _save(context, moved, [said for _, said in made])


def _save(context: Context, people: Sequence[Person], heard: Iterable[Heard]) -> None:
    identities.save(context.store, people, context.targets)
    opinions.keep(context.store, {link: echo for said in heard for link, echo in said.unkept.items()})


async def refresh_all(context: Context) -> None:
    """The same for everybody, a block a transaction."""
    (first, *_), after = [*context.authoritative, *context.connected], ""
    with context.connected[first].work.stretch(
        "remaking", "people", identities.count(context.store), context.environment.monotonic()
    ) as effort:
        while ids := identities.all_ids(context.store, after):
            after = ids[-1]
            with context.store.transaction(durable=False):
                refresh(context, ids)
            effort.done += len(ids)
            await context.breathe()


def people(context: Context, ids: Sequence[str]) -> list[Person]:
    """These identities as their accounts make them now; `syncd verify` compares with what is stored."""
    return [one for one, _ in _made(context, ids)]


def heard(context: Context, ids: Sequence[str]) -> dict[str, Heard]:
    """What every account that has a say says of these identities."""
    return hear(context, {identity: _read(rows) for identity, rows in _accounts(context, ids).items()})


def origins(context: Context, one: Connected, identity: str) -> dict[str, str]:
    """Provider path -> the connection whose value is written there, where that is one's as it is."""
    said = heard(context, [identity])[identity]
    order, precedence = context.authoritative, context.landscape.precedence
    plain = {} if one.connection.write is None else {entry.text: entry.name for entry in inverse(one.connection.write.attributes)}
    whose = ((path, contributor(name, said.readings, order, precedence, said.echoes)) for path, name in plain.items())
    return {path: connection for path, connection in whose if connection is not None}


def sourced(context: Context, ids: Sequence[str]) -> dict[str, Mapping[str, Any]]:
    """What sources alone say, or said, of these identities: nobody is known by what a target says."""
    return {identity: _sourced(context, rows) for identity, rows in _accounts(context, ids).items()}


def _sourced(context: Context, accounts: Sequence[Made]) -> Mapping[str, Any]:
    read = _read(accounts) or {one.connection: one.reading for one in accounts}
    return merge(read, [*context.authoritative, *read], context.landscape.precedence)


def _accounts(context: Context, ids: Sequence[str]) -> dict[str, list[Made]]:
    accounts: dict[str, list[Made]] = {identity: [] for identity in ids}
    for identity, _, connection, account, _, text, gone_at in map(tuple, identities.sources(context.store, ids)):
        reading = orjson.loads(text or "{}")
        says = reading if text and connection in context.authoritative else None
        accounts[identity].append(Made(connection, account, gone_at, reading, says))
    return accounts


def _read(accounts: Iterable[Made]) -> dict[str, Mapping[str, Any]]:
    """What is said by those that are there."""
    return {one.connection: one.says for one in accounts if one.says is not None and one.gone_at is None}


def _made(context: Context, ids: Sequence[str]) -> list[tuple[Person, Heard]]:
    accounts = _accounts(context, ids)
    said = hear(context, {identity: _read(rows) for identity, rows in accounts.items()})
    stored = {row.id: row for row in identities.documents(context.store, ids)}
    return [(_person(context, identity, rows, stored.get(identity), said[identity]), said[identity]) for identity, rows in accounts.items()]


def _person(context: Context, identity: str, accounts: Sequence[Made], stored: Any, said: Heard) -> Person:
    present = [one for one in accounts if one.gone_at is None]
    read = any(one.says is not None for one in present)
    forgotten = bool(stored and stored.forgotten) and not read
    nobody = not accounts and not identity.startswith(NAMELESS)
    live = "live" if read else "frozen" if present or forgotten or nobody else "departed"
    attributes = merged(context, said) if read else orjson.loads(stored.attributes if stored else "{}")
    known = (_sourced(context, accounts) or attributes) if context.contributing else attributes
    starts, ends, due = validity(context, attributes, said)
    return Person(
        id=identity, attributes=orjson.dumps(attributes, option=orjson.OPT_SORT_KEYS).decode(), live=live,
        ignored=_ignored(context, present or accounts), departed_at=_departed(accounts) if live == "departed" else None,
        starts=starts, ends=ends, due=due, keys=identity_keys(context, known, accounts),
        forgotten=forgotten,
    )  # fmt: skip


def merged(context: Context, said: Heard) -> dict[str, Any]:
    return merge(said.readings, context.authoritative, context.landscape.precedence, said.echoes)


def foreseen(context: Context, one: Connected, person: project.Person, account: Account) -> project.Person:
    """The same person, were this account theirs, and those that this run adopts at targets planned before: what they say already counts,
    so that nothing is written over it, there or elsewhere."""
    if not context.contributing:
        return person
    said = heard(context, [person.id])[person.id]
    for row in opinions.adopting(context.store, context.run, person.id):
        said = joined(said, context.connected[row.connection], Account(row.account, orjson.loads(row.document)))
    said = joined(said, one, account)
    attributes = merged(context, said)
    starts, ends, _ = validity(context, attributes, said)
    return replace(person, attributes=attributes, starts=starts, ends=ends)


def joined(said: Heard, one: Connected, account: Account) -> Heard:
    """What is said of a person, were this account theirs, too."""
    if one.connection.authoritative or not one.opinions.names:
        return said
    return replace(said, readings={**said.readings, one.name: one.opinions.read(account)}, echoes={**said.echoes, one.name: {}})


def _ignored(context: Context, accounts: Iterable[Made]) -> bool:
    """By the account id or the source's value; somebody who vanished while ignored stays so."""
    return any(context.ignore.matches(one.account, one.reading.get("userName"), one.reading.get("email")) for one in accounts)


def validity(context: Context, attributes: Mapping[str, Any], said: Heard) -> tuple[Any, Any, Any]:
    """(from, until, the next of the two), each in the time zone of the connection whose value won."""

    def zone(name: str) -> str:
        origin = contributor(name, said.readings, context.authoritative, context.landscape.precedence, said.echoes)
        return context.landscape.connection(origin).timezone if origin else "UTC"

    if not attributes.keys() & {"activeFrom", "activeUntil"}:
        return None, None, None
    starts, _ = window(attributes.get("activeFrom"), None, zone("activeFrom"))
    _, ends = window(None, attributes.get("activeUntil"), zone("activeUntil"))
    now = context.environment.now()
    return starts, ends, next((moment for moment in (starts, ends) if moment is not None and moment > now), None)


def _text(moment: datetime | None) -> str | None:
    return stamp(moment) if moment else None


def _departed(accounts: Sequence[Made]) -> Any:
    times = [row.gone_at for row in accounts if row.gone_at is not None]
    return instant(max(times)) if times else None
