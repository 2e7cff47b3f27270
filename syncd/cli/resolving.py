"""`syncd pending resolve`: a person settles a create whose outcome no run could find out."""

from __future__ import annotations

import asyncio
from typing import Annotated

import typer

from syncd.cli.app import command
from syncd.cli.exits import DONE, Misused
from syncd.cli.invocation import Invocation
from syncd.cli.waiting import pending

Id = Annotated[int, typer.Argument(metavar="ID", help="Of a row that is in doubt (see `syncd pending`).", show_default=False)]
Exists = typer.Option("--exists", metavar="ACCOUNT", help="This account was made by it; it is fetched and theirs.", show_default=False)
Absent = typer.Option("--absent", help="Nothing was made: it is planned again.")


@command(pending, "resolve")
def resolve(
    invocation: Invocation,
    id: Id,
    exists: Annotated[str | None, Exists] = None,
    absent: Annotated[bool, Absent] = False,
) -> int:
    """Settle a create that is in doubt: what it made, or that it made nothing."""
    if (exists is None) is not absent:
        raise Misused("`syncd pending resolve ID` needs either --exists ACCOUNT or --absent")
    from syncd.cli import doubts

    with invocation.store() as store:
        settled = asyncio.run(doubts.settle(invocation, store, id, exists))
    invocation.printer.show(doubts.document(settled), lambda: doubts.lines(settled))
    return DONE
