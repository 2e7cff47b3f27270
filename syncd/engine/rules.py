"""Which rules changed since last time: a new reading forgets known bytes, new sources remake all people, a new policy projects them."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from syncd.core.fingerprint import fingerprint
from syncd.engine import directory, identify
from syncd.engine.context import Connected, Context
from syncd.engine.read import Reading
from syncd.errors import Fatal
from syncd.store import connections, identities, links


def register(context: Context) -> None:
    """Bind every connection to its directory, and see what changed. Raises Fatal for a changed binding, or two targets bound to one."""
    configured = [one.name for one in context.landscape.connections]
    with context.store.transaction():
        before = {row.name: row for row in connections.every(context.store)}
        for one in context.landscape.connections:
            if one.name not in before:
                _refuse_renamed(context, one.name, configured)
            connections.register(
                context.store, one.name, one.connector, one.binding, one.namespace,
                authoritative=one.authoritative, target=one.write is not None,
            )  # fmt: skip
            connections.read_under(context.store, one.name, _reading(context, context.connected[one.name]).hex())
        connections.retire(context.store, configured)
        directory.refuse_twins(context)
        if identities.merged_under(context.store, _people(context)):
            identify.refresh_all(context)
        _find_changes(context, before)


def _refuse_renamed(context: Context, name: str, configured: list[str]) -> None:
    one = context.landscape.connection(name)
    old = connections.renamed_from(context.store, one.connector, one.binding, configured)
    if old is not None:
        also = f" (it is authoritative: say `namespace: {old}` under {name} first)" if one.authoritative and one.namespace != old else ""
        raise Fatal(
            f"connection {name} points to the directory that the store knows as {old}\n"
            f"  keep what is known: syncd connection rename {old} {name}{also}; begin anew: syncd connection forget {old}"
        )


def changed(context: Context) -> list[str]:
    """Targets whose map, scope or sources are not those of last time; one without accounts of ours has no last time."""
    return [row.name for row in _unlike(context) if row.policy is not None or links.owned(context.store, row.name)]


def _find_changes(context: Context, before: Mapping[str, Any]) -> None:
    """``before``: what was known of each connection when this run began; a target that was none meanwhile missed what happened."""
    context.changed_rules.update(changed(context))
    returning = {name for name in context.targets if name not in before or not before[name].target}
    for name in sorted({row.name for row in _unlike(context)} | returning):
        identities.mark_all(context.store, name)


def _unlike(context: Context) -> list[Any]:
    """What is known of the targets whose rules are not those under which they were last projected."""
    known = [connections.row(context.store, name) for name in context.targets]
    return [row for row in known if row is not None and row.policy != _policy(context, context.connected[row.name])]


def remember(context: Context, one: Connected, readings: Mapping[str, Reading]) -> None:
    """These rules are last time's from now on; not before every source was read completely under them."""
    if all(name in readings and readings[name].complete for name in context.authoritative):
        with context.store.transaction():
            connections.projected_under(context.store, one.name, _policy(context, one))


def _reading(context: Context, one: Connected) -> bytes:
    return fingerprint({"reading": one.reading.hex(), "ignore": list(context.landscape.ignore)})


def _people(context: Context) -> str:
    """Everything that decides which accounts make which people, and what those people are like."""
    sources = [context.connected[name] for name in context.authoritative]
    read = [[one.name, one.connection.namespace, _reading(context, one).hex()] for one in sources]
    precedence = {name: list(order) for name, order in context.landscape.precedence.items()}
    return fingerprint({"sources": read, "precedence": precedence}).hex()


def _policy(context: Context, one: Connected) -> str:
    """Everything that decides who is wanted at a target, and as what."""
    assert one.policy is not None
    return fingerprint({"policy": one.policy.fingerprint().hex(), "people": _people(context)}).hex()
