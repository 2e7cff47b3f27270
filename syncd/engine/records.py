"""A raw record -> what is stored of it: parsed by its connector, mapped to canonical names, keyed for correlation."""

from __future__ import annotations

from collections.abc import Collection, Iterator, Mapping, Sequence
from dataclasses import dataclass, field, replace
from typing import Any, NamedTuple

import orjson

from syncd.core.correlation import key
from syncd.core.entitlement import window
from syncd.core.paths import get
from syncd.engine.context import Connected, Context
from syncd.engine.directory import Told, told
from syncd.errors import Rejected
from syncd.model import Account, Flaw
from syncd.store import staging
from syncd.store.staging import Staged


@dataclass(slots=True)
class Parsed:
    """The new records of one page: those that can be stored, the flaws of the others, and what they ``told`` of their directory."""

    staged: list[Staged] = field(default_factory=list)
    flaws: list[Flaw] = field(default_factory=list)
    told: set[Told] = field(default_factory=set)


class Record(NamedTuple):
    """One record whose bytes are not known, and where it stands in the listing."""

    ordinal: int
    raw: bytes
    digest: bytes
    page: int


def parse(context: Context, one: Connected, fresh: Sequence[Record]) -> Parsed:
    parsed = Parsed()
    accounts: list[Account] = []
    read: list[Record] = []
    for record in fresh:
        try:
            accounts.append(one.connector.parse(record.raw))
            read.append(record)
        except Rejected as error:
            parsed.flaws.append(Flaw(f"{one.name} record {record.ordinal + 1}", str(error), error.account))
    for account, record in zip(carry_over(context, one, accounts), read, strict=True):
        parsed.told.update(told(one, account))
        try:
            parsed.staged.append(stage(context, one, account, record))
        except Rejected as error:
            parsed.flaws.append(Flaw(f"{one.name} record {record.ordinal + 1}", str(error), account.id))
    return parsed


def carry_over(context: Context, one: Connected, accounts: Sequence[Account]) -> Sequence[Account]:
    """The same accounts; an attribute that an answer does not carry keeps the last known value, where there is one."""
    short = [account.id for account in accounts if not one.carried <= account.attributes.keys()]
    known = staging.documents(context.store, one.name, short) if short else {}
    return [
        replace(account, attributes={**orjson.loads(known[account.id]), **account.attributes}) if account.id in known else account
        for account in accounts
    ]


def stage(context: Context, one: Connected, account: Account, record: Record | None = None) -> Staged:
    """What is stored of one account, of a listing's ``record`` or of an answer. Raises Rejected when a source's record cannot be mapped; a
    target's is kept by its own keys.

    One of which something that is needed was never carried has no document: it counts as not read, and is asked for before it is adopted.
    """
    canonical = _canonical(one, account)
    keys = tuple(_keys(one, account.attributes, canonical)) if one.policy is not None else ()
    source = one.connection.authoritative
    if source:
        window(canonical.get("activeFrom"), canonical.get("activeUntil"), one.connection.timezone)
    return Staged(
        account=account.id, ordinal=record and record.ordinal, digest=record and record.digest, version=account.version,
        object=account.object, run=context.run, page=record and record.page,
        document=orjson.dumps(account.attributes).decode() if one.carried and one.needed <= account.attributes.keys() else None,
        reading=orjson.dumps(canonical, option=orjson.OPT_SORT_KEYS).decode() if source else None,
        ignored=account.protected or _ignored(context, account, canonical, keys), container=account.container, keys=keys,
    )  # fmt: skip


def _ignored(context: Context, account: Account, canonical: Mapping[str, Any], keys: Collection[tuple[str, str, bool]]) -> bool:
    """By its id; and by its name and address, unless it bears a marker that only an administrator writes: what its holder calls
    themselves does not make it nobody's."""
    marked = any(name == "@marker" and trusted for name, _, trusted in keys)
    return context.ignore.matches(account.id, *(() if marked else (canonical.get("userName"), canonical.get("email"))))


def _canonical(one: Connected, account: Account) -> dict[str, Any]:
    try:
        return one.read_map.read(account)
    except Rejected:
        if one.connection.authoritative:
            raise
        return {}


def _keys(one: Connected, attributes: Mapping[str, Any], canonical: Mapping[str, Any]) -> Iterator[tuple[str, str, bool]]:
    assert one.policy is not None
    capability = one.connector.capability
    for name in dict.fromkeys(one.policy.target.correlate):
        value = key(name, canonical.get(name))
        if value is not None:
            yield name, value, _trusted(one, name, attributes)
    own = None if capability.key is None else key(capability.key, get(attributes, capability.key))
    if own is not None and capability.key is not None:
        yield "@key", own, _path_trusted(one, capability.key, attributes)
    marker = None if capability.marker is None else get(attributes, capability.marker)
    if isinstance(marker, str) and capability.marker is not None:
        yield "@marker", marker, _path_trusted(one, capability.marker, attributes)


def _trusted(one: Connected, name: str, attributes: Mapping[str, Any]) -> bool:
    entry = next((entry for entry in one.connection.read if entry.name == name), None)
    return entry is not None and entry.source == "name" and _path_trusted(one, entry.text, attributes)


def _path_trusted(one: Connected, path: str, attributes: Mapping[str, Any]) -> bool:
    """By what the value is, or by what this account says of it."""
    spec = one.connector.capability.spec(path)
    return spec is not None and (spec.trusted or (spec.trusted_if is not None and attributes.get(spec.trusted_if) is True))
