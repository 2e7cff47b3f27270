"""Which rules changed since last time: another reading forgets all known bytes, another policy projects everybody again."""

from __future__ import annotations

from collections.abc import Mapping

from syncd.core.fingerprint import fingerprint
from syncd.engine.context import Connected, Context
from syncd.engine.read import Reading
from syncd.errors import Fatal
from syncd.store import connections, identities


def register(context: Context) -> None:
    """Bind every configured connection to its directory, and see what changed. Raises Fatal for a changed binding."""
    configured = [one.name for one in context.landscape.connections]
    with context.store.transaction():
        for one in context.landscape.connections:
            if connections.row(context.store, one.name) is None:
                _refuse_renamed(context, one.name, configured)
            connections.register(
                context.store, one.name, one.connector, one.binding, one.namespace,
                authoritative=one.authoritative, target=one.write is not None,
            )  # fmt: skip
            connections.read_under(context.store, one.name, _reading(context, context.connected[one.name]).hex())
        _find_changes(context)


def _refuse_renamed(context: Context, name: str, configured: list[str]) -> None:
    one = context.landscape.connection(name)
    old = connections.renamed_from(context.store, one.connector, one.binding, configured)
    if old is not None:
        also = f" (it is authoritative: say `namespace: {old}` under {name} first)" if one.authoritative and one.namespace != old else ""
        raise Fatal(
            f"connection {name} points to the directory that the store knows as {old}\n"
            f"  keep what is known: syncd connection rename {old} {name}{also}; begin anew: syncd connection forget {old}"
        )


def _find_changes(context: Context) -> None:
    for name in context.targets:
        known = connections.row(context.store, name)
        if known is not None and known.policy != _policy(context, context.connected[name]):
            identities.mark_all(context.store, name)
            if known.policy is not None:
                context.changed_rules.add(name)


def remember(context: Context, one: Connected, readings: Mapping[str, Reading]) -> None:
    """These rules are last time's from now on; not before every source was read completely under them."""
    if all(name in readings and readings[name].complete for name in context.authoritative):
        with context.store.transaction():
            connections.projected_under(context.store, one.name, _policy(context, one))


def _reading(context: Context, one: Connected) -> bytes:
    return fingerprint({"reading": one.reading.hex(), "ignore": list(context.landscape.ignore)})


def _policy(context: Context, one: Connected) -> str:
    """Everything that decides who is wanted where, and as what."""
    assert one.policy is not None
    sources = {
        name: [_reading(context, context.connected[name]).hex(), context.connected[name].connection.namespace]
        for name in context.authoritative
    }
    precedence = {name: list(order) for name, order in context.landscape.precedence.items()}
    return fingerprint(
        {"policy": one.policy.fingerprint().hex(), "sources": sources, "order": list(context.authoritative), "precedence": precedence}
    ).hex()
