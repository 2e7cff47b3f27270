"""Commands that only look: check, status, verify, identities."""

from __future__ import annotations

import asyncio
from typing import Annotated

import typer

from syncd.cli.app import app, command, group
from syncd.cli.exits import DONE, FAILED
from syncd.cli.invocation import Invocation


@command(app, "check")
def check(invocation: Invocation) -> int:
    """Validate the configuration and probe each connection."""
    from syncd.cli import checking

    settings = invocation.settings
    found = asyncio.run(checking.probe(settings, invocation.environment))
    invocation.printer.show(checking.document(found), lambda: checking.lines(found, settings))
    return DONE if all(one.ok for one in found) else FAILED


@command(app, "status")
def status(invocation: Invocation) -> int:
    """How each connection stands, and what waits for you."""
    from syncd.cli import standing

    invocation.offline = True
    with invocation.store(looking=True) as store:
        now = invocation.environment.now()
        document = standing.document(store, invocation.settings, now)
        invocation.printer.show(document, lambda: standing.lines(document, now))
    return DONE


@command(app, "verify")
def verify(invocation: Invocation) -> int:
    """Recompute every decision, check the journal's chain."""
    from syncd.cli import verifying

    with invocation.store(looking=True) as store:
        found = asyncio.run(verifying.verified(invocation, store))
    invocation.printer.show(verifying.document(found), lambda: verifying.lines(found))
    return FAILED if found.differences else DONE


identities = group("Everybody in the canonical store, with their accounts.")
app.add_typer(identities, name="identities")


@command(identities, "", subcommand_metavar="")
def everybody(
    invocation: Invocation, csv: Annotated[bool, typer.Option("--csv", help="As a spreadsheet reads it, a row a person.")] = False
) -> int:
    """Everybody in the canonical store, with their accounts."""
    from syncd.cli import directory
    from syncd.store import answers

    invocation.offline = True
    names = [one.name for one in invocation.settings.landscape.connections]
    with invocation.store(looking=True) as store:
        if csv and not invocation.printer.json:
            directory.write_csv(invocation.printer, names, answers.people(store))
        else:
            people = answers.people(store)
            invocation.printer.show(directory.document(people), lambda: directory.lines(names, people))
    return DONE
