"""Commands about the configuration and what the store binds to it: config, connection, connector."""

from __future__ import annotations

import asyncio
import json
from typing import Annotated

import typer

from syncd.cli.app import command, subgroup
from syncd.cli.exits import DONE, Misused
from syncd.cli.invocation import HIDDEN, Invocation, registry

Name = Annotated[str, typer.Argument(metavar="NAME", show_default=False)]
config = subgroup("config", "The configuration as syncd understands it.")
connection = subgroup("connection", "What the store knows a connection by.")
connector = subgroup("connector", "The kinds of systems syncd can speak to.")


@command(config, "schema")
def schema(invocation: Invocation) -> int:
    """Print the JSON Schema of a configuration."""
    from syncd.settings.schema import schema

    invocation.printer.text(json.dumps(schema(registry(hidden=False)), indent=2, ensure_ascii=False) + "\n")
    return DONE


@command(config, "show")
def show(invocation: Invocation) -> int:
    """Print the effective configuration, secrets masked."""
    from syncd.settings import show

    if invocation.printer.json:
        invocation.printer.text(json.dumps(show.document(invocation.settings), indent=2, ensure_ascii=False) + "\n")
    else:
        invocation.printer.text(show.text(invocation.settings))
    return DONE


@command(connector, "list")
def connectors(invocation: Invocation) -> int:
    """List the installed connectors."""
    from syncd import connectors
    from syncd.cli.documents import document
    from syncd.cli.text import table

    found = [(name, connectors.get(name).summary) for name in connectors.names() if name not in HIDDEN]
    listing = [{"name": name, "summary": summary} for name, summary in found]
    invocation.printer.show(document("connectors", connectors=listing), lambda: table(found))
    return DONE


@command(connection, "rename")
def rename(invocation: Invocation, old: Annotated[str, typer.Argument(metavar="OLD", show_default=False)], new: Name) -> int:
    """Carry what the store knows of OLD over to NEW."""
    from syncd.cli.alone import alone
    from syncd.cli.documents import document
    from syncd.store import connections

    with invocation.store() as store, alone(invocation, store, [old]) as tokens:
        connections.rename(store, old, new)
        tokens[new] = tokens.pop(old)
    told = f"{old} is {new} from now on."
    invocation.printer.show(document("connection", renamed=old, name=new), lambda: [told])
    return DONE


@command(connection, "forget")
def forget(
    invocation: Invocation, name: Name, yes: Annotated[bool, typer.Option("--yes", help="Do not ask.")] = False
) -> int:  # fmt: skip
    """Drop what the store knows of a connection.

    Its accounts at the provider stay as they are; the journal is kept.
    """
    if not yes and not invocation.attended:
        raise Misused("`syncd connection forget` asks first, and here is no terminal: say --yes")
    from syncd.cli.alone import alone, known
    from syncd.cli.asking import confirmed
    from syncd.cli.documents import document
    from syncd.cli.text import count
    from syncd.store import connections

    with invocation.store() as store:
        known(store, name)
        if not yes and not asyncio.run(confirmed(invocation, f"Forget all links and accounts of {name}?")):
            invocation.printer.note("Nothing was forgotten.")
            return DONE
        with alone(invocation, store, [name]):
            accounts = connections.forget(store, name)
    told = f"{name} is forgotten, with {count(accounts, 'account')}; the next run meets it for the first time."
    invocation.printer.show(document("connection", forgotten=name, accounts=accounts), lambda: [told])
    return DONE
