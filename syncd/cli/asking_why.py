"""Commands that answer "why" and "what if" from the store alone: eval, explain."""

from __future__ import annotations

import asyncio
from typing import Annotated

import typer

from syncd.cli.app import app, command
from syncd.cli.exits import DONE, Misused
from syncd.cli.invocation import Invocation
from syncd.cli.sending import Connections


@command(app, "eval")
def evaluate(
    invocation: Invocation,
    expression: Annotated[str, typer.Argument(metavar="EXPRESSION", help="CEL, boolean, as in `scope`.", show_default=False)],
    connection: Connections = None,
) -> int:
    """Who matches an expression, and who would come and go.

    CEL, as in `scope`, over everybody the store knows; beside each target's scope of today. No provider is asked.
    """
    from syncd.cli import evaluating
    from syncd.core.expression import ExpressionError
    from syncd.engine.assess import assess
    from syncd.engine.context import canonical_names

    invocation.offline = True
    landscape = invocation.settings.landscape
    scopes = evaluating.scopes(invocation.settings, connection or ())
    with invocation.store(looking=True) as store:
        try:
            found = assess(store, expression, canonical_names(landscape), scopes)
        except ExpressionError as error:
            raise Misused(f"the expression: {error}") from None
    invocation.printer.show(evaluating.document(found), lambda: evaluating.lines(found, connection or ()))
    return DONE


@command(app, "explain")
def explain(
    invocation: Invocation,
    who: Annotated[str, typer.Argument(metavar="WHO", help="Id, userName, e-mail, externalId or CONNECTION/ACCOUNT.", show_default=False)],
    attribute: Annotated[str | None, typer.Option("--attribute", metavar="A", help="Only this one, canonical or the provider's.")] = None,
    at: Annotated[str | None, typer.Option("--at", metavar="TIME", help="Then: 2026-11-21T08:00:00Z, 2026-11-21, or 2h, 7d ago.")] = None,
) -> int:
    """Why somebody's accounts are as they are.

    And why nothing happened, ending with what would change it; with --at how they stood then. No provider is asked.
    """
    from syncd.cli import explaining, moments

    invocation.offline = True
    then = None if at is None else moments.past(at, invocation.environment.now(), "--at")
    with invocation.store(looking=True) as store:
        view = asyncio.run(explaining.view(invocation, store, who, attribute, then))
    invocation.printer.show(view.document(), view.lines)
    return DONE
