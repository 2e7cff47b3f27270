"""Commands about what waits for a person: pending, held list, held release, held reject."""

from __future__ import annotations

from typing import TYPE_CHECKING, Annotated, Any

import typer

from syncd.cli.app import app, command, group, subgroup
from syncd.cli.exits import DONE, FAILED, Failed
from syncd.cli.invocation import Invocation
from syncd.model import Kind

if TYPE_CHECKING:
    from collections.abc import Sequence

    from syncd.store import Store

Run = Annotated[int, typer.Argument(metavar="RUN", help="The run that first held them (see `syncd held list`).", show_default=False)]
pending = group("All that waits for you, each with the command to paste.")
app.add_typer(pending, name="pending")
held = subgroup("held", "Changes that wait for a person's yes or no.")


@command(pending, "", subcommand_metavar="")
def everything(invocation: Invocation) -> int:
    """All that waits for you, each with the command to paste."""
    return show_waiting(invocation, None)


@command(held, "list")
def held_list(invocation: Invocation) -> int:
    """Held changes, each with the command to paste."""
    return show_waiting(invocation, "held")


Only = Annotated[list[str] | None, typer.Option("--only", metavar="WHO", help="Only these people; may be repeated.")]
Except = Annotated[list[str] | None, typer.Option("--except", metavar="WHO", help="All but these people; may be repeated.")]
Kinds = Annotated[list[Kind] | None, typer.Option("--kind", help="Only changes of this kind; may be repeated.")]
Where = Annotated[list[str] | None, typer.Option("--connection", "-c", metavar="NAME", help="Only there; may be repeated.")]


@command(held, "release")
def release(
    invocation: Invocation, run: Run, connection: Where = None, only: Only = None, kind: Kinds = None, excepted: Except = None
) -> int:  # fmt: skip
    """Let the held changes of a run go; the next run sends them.

    It sends exactly those. Unused after 24 hours they are held again. What was rejected before is let go all the same.
    """
    from syncd.cli import releasing
    from syncd.store import entries, waiting

    with invocation.store() as store:
        meant, now = releasing.Meant(connection or (), only or (), kind or (), excepted or ()), invocation.environment.now()
        rows = releasing.chosen(store, _of(store, run, kept=True), meant)
        going, staying = releasing.divided(rows)
        with store.transaction():
            waiting.take_back(store, [row.id for row in staying])
            waiting.release(store, [row.id for row in going], now)
            entries.decided(store, f"held release {run}{meant.typed}", [*going, *(row for row in staying if row.state == "kept")], now)
    invocation.printer.show(releasing.released(run, going, staying), lambda: releasing.released_lines(going, staying))
    return DONE if going else FAILED


@command(held, "reject")
def reject(
    invocation: Invocation, run: Run, connection: Where = None, only: Only = None, kind: Kinds = None, excepted: Except = None
) -> int:  # fmt: skip
    """Say no to the held changes of a run, until a side moves or you release them."""
    from syncd.cli import releasing
    from syncd.store import entries, waiting

    with invocation.store() as store:
        meant = releasing.Meant(connection or (), only or (), kind or (), excepted or ())
        rows = releasing.chosen(store, _of(store, run), meant)
        with store.transaction():
            waiting.refuse(store, [row.id for row in rows])
            entries.decided(store, f"held reject {run}{meant.typed}", rows, invocation.environment.now())
    invocation.printer.show(releasing.rejected(run, rows), lambda: releasing.rejected_lines(run, rows))
    return DONE


def show_waiting(invocation: Invocation, state: str | None) -> int:
    """What waits in one state, or all of it."""
    from syncd.cli import documents, pending_view, people
    from syncd.store import waiting

    with invocation.store(looking=True) as store:
        rows, now = waiting.listing(store, state=state), invocation.environment.now()
        names = people.about(store, rows)
        invocation.printer.show(documents.pending(rows, now, names), lambda: pending_view.lines(rows, now, names))
    return DONE


def _of(store: Store, run: int, *, kept: bool = False) -> Sequence[Any]:
    """What this run was the first to hold. Raises Failed, naming the runs that hold something, when it holds nothing."""
    from syncd.store import answers, waiting

    rows = waiting.of_run(store, run, kept=kept)
    if not rows:
        others = ", ".join(map(str, answers.runs_that_hold(store)))
        raise Failed(f"run {run} holds nothing" + (f"; held are changes of run {others}" if others else ", and neither does any other"))
    return rows
