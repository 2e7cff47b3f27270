"""What identities are known by: the keys that make accounts of several sources one person's, and those that a person answers to."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from typing import Any, NamedTuple

from syncd.core.correlation import identity_id, key
from syncd.engine.context import Context
from syncd.model import Connection

KEYS = ("userName", "externalId", "email")
"""What an identity is looked up and correlated by, besides the uuid5 of each of its accounts (``@id``) and the keys of `joining`."""


class Made(NamedTuple):
    """An account that makes somebody. ``says``: its reading; None where it could not be read, or is no source's any more."""

    connection: str
    account: str
    gone_at: str | None
    reading: Mapping[str, Any]
    says: Mapping[str, Any] | None


def joining(one: Connection, account: str, reading: Mapping[str, Any]) -> list[tuple[str, str]]:
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


def identity_keys(context: Context, attributes: Mapping[str, Any], accounts: Sequence[Made]) -> list[tuple[str, str]]:
    keys = [(name, value) for name in KEYS if (value := key(name, attributes.get(name))) is not None]
    instance, spaces = context.landscape.instance, context.namespaces
    own = {identity_id(instance, spaces.get(row.connection, row.connection), row.account) for row in accounts}
    return [*keys, *(("@id", one) for one in sorted(own)), *_joins(context, accounts)]


def _joins(context: Context, accounts: Sequence[Made]) -> Iterator[tuple[str, str]]:
    """What further accounts join by: the keys of the present ones, and every externalId that is or was mapped by the configuration."""
    if not context.several:
        return
    for one in accounts:
        if one.says is not None:
            pairs = joining(context.landscape.connection(one.connection), one.account, one.says)
            yield from (pair for pair in pairs if one.gone_at is None or pair[0] == "@externalId")
