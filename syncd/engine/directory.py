"""Which directory a connection is at: what its configuration leaves open its accounts tell, once and for good."""

from __future__ import annotations

from collections.abc import Iterable

from syncd.engine.context import Connected, Context
from syncd.errors import Fatal, Quarantined
from syncd.model import Account
from syncd.store import connections

Told = tuple[str, str]
"""One member of a binding, and its value: ("service", "IS...")."""


def told(one: Connected, account: Account) -> Iterable[Told]:
    """What an account says of the directory it is of."""
    for member, attribute in one.connector.capability.directory.items():
        value = account.attributes.get(attribute)
        if isinstance(value, str) and value:
            yield member, value


def recognise(context: Context, one: Connected, said: Iterable[Told]) -> None:
    """Compare what accounts ``said`` with all that is known of their directory, and remember what is new.

    Raises Quarantined for accounts of another directory than before, and when it turns out that another connection writes to this one.
    """
    heard = sorted(said)
    known = connections.directory(context.store, one.name) if heard else {}
    facts = dict(known)
    for member, value in heard:
        if facts.setdefault(member, value) != value:
            raise Quarantined(_changed(one.name, member, facts[member], value))
    if facts != known:
        with context.store.transaction():
            connections.learn(context.store, one.name, facts)
        _refuse_twin(context, one.name)


def refuse_twins(context: Context) -> None:
    """Raise Fatal for two targets that are known to be one directory."""
    for one, other, where in connections.twins(context.store):
        raise Fatal(f"connections {one} and {other} both write to the same directory ({where})\n  keep one of them")


def _refuse_twin(context: Context, name: str) -> None:
    for pair in connections.twins(context.store):
        if name in pair[:2]:
            other = pair[0] if pair[1] == name else pair[1]
            raise Quarantined(f"{name} turns out to be the directory that {other} writes to ({pair[2]}): keep one of them")


def _changed(name: str, member: str, known: str, found: str) -> str:
    return (
        f"{name} shows accounts of {member} {found}, but it is bound to {member} {known}: nothing is believed or written there"
        f" (if it is meant to have moved: syncd connection forget {name})"
    )
