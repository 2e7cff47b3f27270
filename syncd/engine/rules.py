"""Which rules changed since last time: a new reading forgets known bytes, new sources remake all people, a new policy projects them."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any

from syncd.core.fingerprint import fingerprint
from syncd.engine import directory, identify
from syncd.engine.context import Connected, Context
from syncd.errors import Fatal, Paused
from syncd.model import Connection, Landscape
from syncd.store import Store, connections, identities, links, opinions


def bind(context: Context) -> None:
    """In the caller's transaction, bind every configured connection to its directory, and mark what was made under other rules. Raises
    Fatal for a changed binding, or two targets bound to one directory."""
    _bind(context)
    if identities.merged_under(context.store) != _people(context):
        identities.unmerge(context.store)
        opinions.unheard(context.store, context.contributing)


async def register(context: Context) -> None:
    """After `bind`: do anew what was done under other rules. Interrupted, it is done again by the next run, whatever the rules are then."""
    people, known = _people(context), _known(context)
    remaking = identities.merged_under(context.store) != people
    if remaking:
        await identify.refresh_all(context)
    context.rules = {row.name: rules for row, rules in known}
    context.changed_rules.update(_changed(context, known))
    if remaking or any(row.projected != rules for row, rules in known):
        with context.store.transaction(durable=False):
            identities.merge_under(context.store, people)
            _project_anew(context)


def bound(store: Store, landscape: Landscape) -> None:
    """Raises Fatal when a connection is bound to another directory, or its directory to another name."""
    configured, known = [one.name for one in landscape.connections], set(connections.known(store))
    for one in landscape.connections:
        if one.name not in known:
            _refuse_renamed(store, one, configured)
        connections.refuse_other(store, one.name, one.connector, one.binding)


def _bind(context: Context) -> None:
    """Nothing is written where all is as it was."""
    if not _bound_so(context):
        _bind_anew(context)
    directory.refuse_twins(context)


def _bound_so(context: Context) -> bool:
    configured = context.landscape.connections
    known = {row.name: row for row in connections.every(context.store)}
    retired = all(not (row.authoritative or row.target) for name, row in known.items() if name not in context.connected)
    return retired and all(
        connections.stands(
            known.get(one.name), one.connector, one.binding, one.namespace, _reading(context, context.connected[one.name]).hex(),
            authoritative=one.authoritative, target=one.write is not None,
        )
        for one in configured
    )  # fmt: skip


def _bind_anew(context: Context) -> None:
    configured = [one.name for one in context.landscape.connections]
    bound(context.store, context.landscape)
    for one in context.landscape.connections:
        connections.register(
            context.store, one.name, one.connector, one.binding, one.namespace,
            authoritative=one.authoritative, target=one.write is not None,
        )  # fmt: skip
        connections.read_under(context.store, one.name, _reading(context, context.connected[one.name]).hex())
    connections.retire(context.store, configured)


def _refuse_renamed(store: Store, one: Connection, configured: list[str]) -> None:
    name, old = one.name, connections.renamed_from(store, one.connector, one.binding, configured)
    if old is not None:
        also = f" (it is authoritative: say `namespace: {old}` under {name} first)" if one.authoritative and one.namespace != old else ""
        raise Fatal(
            f"connection {name} points to the directory that the store knows as {old}\n"
            f"  keep what is known: syncd connection rename {old} {name}{also}; begin anew: syncd connection forget {old}"
        )


def stand(context: Context, one: Connected) -> bool:
    """Whether a target is projected by the rules of this run still: no run has gone by others since it began."""
    mine = context.rules.get(one.name)
    return mine is None or connections.projected(context.store, one.name) == mine


def insist(context: Context, one: Connected) -> None:
    """Raise Paused unless they `stand`."""
    if not stand(context, one):
        raise Paused(f"{one.name}: the configuration was changed meanwhile: what was planned by the old one is not sent")


def unseen(context: Context) -> list[str]:
    """Targets with accounts of ours, or with a past, that are not projected under the rules of now."""
    return [
        row.name for row, rules in _known(context) if row.projected != rules and (row.projected or links.owned(context.store, row.name))
    ]


def untried(context: Context) -> list[str]:
    """Targets by whose rules of now no whole cycle has gone."""
    return [row.name for row, rules in _known(context) if row.consented != rules]


def changed(context: Context) -> list[str]:
    """Targets whose map, scope or sources are not those that a whole cycle has gone by; one without accounts of ours has no last time."""
    return _changed(context, _known(context))


def _changed(context: Context, known: Iterable[tuple[Any, str]]) -> list[str]:
    return [row.name for row, rules in known if row.consented != rules and (row.consented or links.owned(context.store, row.name))]


def _project_anew(context: Context) -> None:
    """Everybody is projected again under other rules; which they are is known from the first one on."""
    for row, rules in _known(context):
        if row.projected != rules:
            identities.mark_all(context.store, row.name)
            connections.projected_under(context.store, row.name, rules)


def _known(context: Context) -> list[tuple[Any, str]]:
    """What is known of each target, with its rules of now."""
    people = _people(context)
    rows = [(connections.row(context.store, name), _policy(context.connected[name], people)) for name in context.targets]
    return [(row, rules) for row, rules in rows if row is not None]


def consent(context: Context, one: Connected) -> None:
    """A cycle in which every source was read completely has gone by these rules: they are last time's from now on (in the caller's
    transaction)."""
    mine, known = context.rules[one.name], connections.row(context.store, one.name)
    if known is None or known.consented != mine:
        connections.consented_to(context.store, one.name, mine)


def _reading(context: Context, one: Connected) -> bytes:
    return fingerprint({"reading": one.reading.hex(), "ignore": list(context.landscape.ignore)})


def _people(context: Context) -> str:
    """Everything that decides which accounts make which people, and what those people are like."""
    sources = [context.connected[name] for name in context.authoritative]
    read = [[one.name, one.connection.namespace, _reading(context, one).hex()] for one in sources]
    precedence = {name: list(order) for name, order in context.landscape.precedence.items()}
    return fingerprint({"sources": read, "precedence": precedence}).hex()


def _policy(one: Connected, people: str) -> str:
    """Everything that decides who is wanted at a target, and as what."""
    assert one.policy is not None
    return fingerprint({"policy": one.policy.fingerprint().hex(), "people": people}).hex()
