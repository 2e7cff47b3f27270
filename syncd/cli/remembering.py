"""Commands about what happened: history; and what is to be forgotten, or taken back: forget, revert."""

from __future__ import annotations

import asyncio
from typing import TYPE_CHECKING, Annotated

import typer

from syncd.cli.app import app, command
from syncd.cli.exits import DONE, FAILED, TERMINATED, WAITING, Failed, Misused
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
    from syncd.cli import history_view, moments, people, spreadsheet
    from syncd.store.history import Part, entries

    moment = None if since is None else moments.past(since, invocation.environment.now(), "--since")
    with invocation.store(looking=True) as store:
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


@command(app, "forget")
def forget(
    invocation: Invocation,
    who: Annotated[str, typer.Argument(metavar="WHO", help="A departed person.", show_default=False)],
    yes: Annotated[bool, typer.Option("--yes", help="Do not ask.")] = False,
) -> int:  # fmt: skip
    """Erase a departed person from the store, for good.

    Nothing is written at any provider. An account of theirs that is still there is nobody's then.
    """
    if not yes and not invocation.attended:
        raise Misused("`syncd forget` asks first, and here is no terminal: say --yes")
    from syncd.cli import forgetting, people
    from syncd.cli.alone import decided
    from syncd.cli.asking import confirmed
    from syncd.store import connections, erasing

    with invocation.store() as store:
        cleared = erasing.clear(store)
        try:
            identity = people.resolve(store, who)
        except Failed:
            if not cleared:
                raise
            invocation.printer.show(forgetting.document(None), lambda: forgetting.lines(None))
            return DONE
        forgetting.allow(store, identity, who)
        if not yes and not asyncio.run(confirmed(invocation, forgetting.question(store, identity, who))):
            invocation.printer.note("Nothing was forgotten.")
            return DONE
        with decided(invocation, store, connections.known(store)):
            forgetting.allow(store, identity, who)
            done = erasing.erase(store, identity, invocation.environment.now())
        erasing.clear(store)
    invocation.printer.show(forgetting.document(done), lambda: forgetting.lines(done))
    return DONE


@command(app, "revert")
def revert(
    invocation: Invocation,
    run: Annotated[int, typer.Argument(metavar="RUN", help="Whose changes to take back (see `syncd history`).", show_default=False)],
    yes: Annotated[bool, typer.Option("--yes", help="Do not ask.")] = False,
) -> int:  # fmt: skip
    """Take back what a run wrote, as far as that can be.

    Values return where the account still holds what the run wrote; who was disabled is enabled, who was created disabled, what was
    adopted given up. Nothing is deleted. The next runs leave it so until either side moves.
    """
    if not yes and not invocation.attended:
        raise Misused("`syncd revert` asks before it writes, and here is no terminal: say --yes")
    from syncd.cli import ending, revert_view
    from syncd.cli.taking_back import Asked, take_back
    from syncd.store import journal, reverting

    asked = Asked(invocation, yes)
    with invocation.store() as store:
        _known(store, run)
        report = ending.run(invocation.environment, take_back(invocation, store, run, asked)) if reverting.written(store, run) else None
        undone = [] if report is None else [row for row in journal.changes(store, report.run) if row.state != "applied"]
    draft, done = asked.draft, None if report is None else revert_view.Outcome(report, undone)
    nothing = f"Run {run} wrote nothing: there is nothing to take back." if draft is None else "Nothing was sent."
    invocation.printer.show(revert_view.document(draft, done, run), lambda: [nothing] if done is None else revert_view.outcome(done))
    if invocation.environment.ending:
        return TERMINATED
    return DONE if report is None else FAILED if report.failed else WAITING if undone else DONE
