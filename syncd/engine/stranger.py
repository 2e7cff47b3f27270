"""Why an account is nobody's: what it could be found by, and who answers to that."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

import orjson

from syncd.core.markers import Owner
from syncd.engine import rules
from syncd.engine.context import Connected, Context
from syncd.engine.explain import At, Sighting, at_target, sighting
from syncd.engine.projecting import called, person_of
from syncd.store import about, answering, identities


@dataclass(frozen=True, slots=True)
class Answering:
    """A person who answers to a key, and how they stand at this connection."""

    who: str
    at: At


@dataclass(frozen=True, slots=True)
class Key:
    """What the account could be found by. ``trusted``: only an administrator writes it. ``owner``: whose marker it is, if it is one."""

    attribute: str
    value: str
    trusted: bool
    people: tuple[Answering, ...]
    owner: Owner | None = None


@dataclass(frozen=True, slots=True)
class Stranger:
    """An account without a person; ``keys`` are kept at targets only. ``apart``: whose a person said it is not."""

    one: Connected
    sighting: Sighting
    keys: tuple[Key, ...]
    apart: tuple[str, ...] = ()


async def stranger(context: Context, one: Connected, account: str) -> Stranger | None:
    """None for an account that the store does not know. ``context`` is offline."""
    row = about.account_called(context.store, one.name, account)
    if row is None:
        return None
    stale = one.name in rules.unseen(context)
    keys = [await _key(context, one, key, account, stale=stale) for key in about.keys(context.store, row.id)] if one.policy else []
    people = identities.documents(context.store, about.apart(context.store, row.id))
    return Stranger(one, sighting(row), tuple(keys), tuple(called(each.id, orjson.loads(each.attributes)) for each in people))


async def _key(context: Context, one: Connected, key: about.Key, account: str, *, stale: bool) -> Key:
    assert one.policy is not None
    owner = one.policy.markers.owner(key.key, [account]) if key.attribute == "@marker" else None
    found = [await _answering(context, one, identity, stale=stale) for identity in sorted(set(_named(context, one, key, owner)))]
    return Key(key.attribute, key.key, bool(key.trusted), tuple(found), owner)


async def _answering(context: Context, one: Connected, identity: str, *, stale: bool) -> Answering:
    at = await at_target(context, one, identity, stale=stale)
    person = person_of(at.each.row)
    return Answering(called(person.id, person.attributes), at)


def _named(context: Context, one: Connected, key: about.Key, owner: Owner | None) -> Iterator[str]:
    """Who answers to it, as `engine.correlating` would ask."""
    if key.attribute == "@key":
        yield from answering.wanting(context.store, one.name, key.key)
        return
    pair = (key.attribute, key.key) if owner is None else ("@id", owner.identity)
    yield from (row.identity for rows in identities.by_keys(context.store, [pair]).values() for row in rows)
