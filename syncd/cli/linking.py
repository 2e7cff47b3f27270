"""Commands by which a person decides what correlation could not: link, unlink, identities merge."""

from __future__ import annotations

import asyncio
from pathlib import Path
from typing import Annotated

import typer

from syncd.cli.app import app, command
from syncd.cli.exits import DONE, Misused
from syncd.cli.invocation import Invocation
from syncd.cli.looking import identities

Connection = Annotated[str | None, typer.Option("--connection", "-c", metavar="NAME", help="Where the account is.", show_default=False)]
Account = Annotated[str, typer.Argument(metavar="ACCOUNT", help="The provider's own id, or its unique key.", show_default=False)]
Maybe = typer.Argument(metavar="ACCOUNT", help="The provider's own id, or its unique key.", show_default=False)
Whose = typer.Argument(metavar="WHO", help="Identity id, userName, e-mail, externalId or CONNECTION/ACCOUNT.", show_default=False)
File = typer.Option("--from", metavar="FILE.csv", help="A link a row: connection, account, who.", show_default=False)
One = Annotated[str, typer.Argument(metavar="A", help="Who stays: the person's id from now on.", show_default=False)]
Other = Annotated[str, typer.Argument(metavar="B", help="Who is the same person.", show_default=False)]


@command(app, "link")
def link(
    invocation: Invocation,
    account: Annotated[str | None, Maybe] = None,
    who: Annotated[str | None, Whose] = None,
    connection: Connection = None,
    file: Annotated[Path | None, File] = None,
) -> int:
    """Say whose an account is; the next run adopts it.

    Its keys do not matter then. An account that is another living person's is unlinked first.
    """
    from syncd.cli import link_file, links_said

    if file is not None and (account is not None or who is not None):
        raise Misused("`syncd link` takes either ACCOUNT and WHO, or --from FILE.csv")
    if file is None and (connection is None or account is None or who is None):
        raise Misused("`syncd link` needs -c NAME, ACCOUNT and WHO, or --from FILE.csv")
    with invocation.store() as store:
        if file is not None:
            made = link_file.link(invocation, store, file, connection)
        else:
            assert connection is not None and account is not None and who is not None
            made = [links_said.link(invocation, store, connection, account, who)]
    invocation.printer.show(links_said.linked(made), lambda: links_said.linked_lines(made, file))
    return DONE


@command(app, "unlink")
def unlink(invocation: Invocation, account: Account, connection: Connection = None) -> int:
    """Take an account from its person, until you link it.

    It is nobody's then: the account itself is not touched, and the person gets no other one there.
    """
    from syncd.cli import links_said

    if connection is None:
        raise Misused("`syncd unlink` needs -c NAME and ACCOUNT")
    with invocation.store() as store:
        made = links_said.unlink(invocation, store, connection, account)
    invocation.printer.show(links_said.unlinked(made), lambda: links_said.unlinked_lines(made))
    return DONE


@command(identities, "merge")
def merge(
    invocation: Invocation, one: One, other: Other, yes: Annotated[bool, typer.Option("--yes", help="Do not ask.")] = False
) -> int:  # fmt: skip
    """Say that two identities are one person, for good: what is B's becomes A's."""
    if not yes and not invocation.attended:
        raise Misused("`syncd identities merge` asks first, and here is no terminal: say --yes")
    from syncd.cli import people_united
    from syncd.cli.asking import confirmed

    with invocation.store() as store:
        if not yes and not asyncio.run(confirmed(invocation, people_united.question(store, one, other))):
            invocation.printer.note("Nothing was merged.")
            return DONE
        made = asyncio.run(people_united.merge(invocation, store, one, other))
    invocation.printer.show(people_united.document(made), lambda: people_united.lines(made))
    return DONE
