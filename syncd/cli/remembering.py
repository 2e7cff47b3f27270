"""Commands about what happened: history; and what is to be forgotten, or taken back: forget, revert."""

from __future__ import annotations

from typing import TYPE_CHECKING, Annotated

import typer

from syncd.cli.app import app, command
from syncd.cli.exits import DONE, Failed
from syncd.cli.invocation import Invocation

if TYPE_CHECKING:
    from syncd.store import Store

Who = Annotated[str | None, typer.Argument(metavar="[WHO]", help="Only of this person, departed ones too.", show_default=False)]


@command(app, "history")
def history(
    invocation: Invocation,
    who: Who = None,
    run: Annotated[int | None, typer.Option("--run", metavar="ID", help="Only of this run.")] = None,
    since: Annotated[str | None, typer.Option("--since", metavar="T", help="Only from then on: 2h, 7d, 2026-11-21, or an instant.")] = None,
    csv: Annotated[bool, typer.Option("--csv", help="As a spreadsheet reads it, a row an attribute.")] = False,
) -> int:
    """What was done, seen and decided; the newest last."""
    from syncd.cli import history_view, instants, people, spreadsheet
    from syncd.store.history import Part, entries

    moment = None if since is None else instants.moment(since, invocation.environment.now())
    with invocation.store() as store:
        identity = None if who is None else people.resolve(store, who)
        if run is not None:
            _known(store, run)
        told = history_view.read(entries(store, Part(identity, run, moment)))
        if csv and not invocation.printer.json:
            spreadsheet.write(invocation.printer, history_view.HEADER, history_view.cells(told))
        else:
            invocation.printer.show(history_view.document(told), lambda: history_view.lines(told))
    return DONE


def _known(store: Store, run: int) -> None:
    """Raises Failed for a run that never was."""
    from syncd.store import history

    if history.run(store, run) is None:
        last = history.last_run(store)
        raise Failed(f"there was no run {run}" + (f"; the last one was run {last}" if last else " yet"))
