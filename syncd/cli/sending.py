"""`syncd plan` and `syncd sync`: read, reconcile, show; and, after a yes, send."""

from __future__ import annotations

import shlex
from enum import StrEnum
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from syncd.cli.app import app, command
from syncd.cli.exits import CHANGES, DONE, FAILED, TERMINATED, WAITING, Misused
from syncd.cli.invocation import Invocation

if TYPE_CHECKING:
    from syncd.engine.report import Report

Connections = Annotated[list[str] | None, typer.Option("--connection", "-c", metavar="NAME", help="Only this connection; may be repeated.")]
Full = Annotated[bool, typer.Option("--full", help="Read everything, not only what changed.")]


Only = Annotated[list[str] | None, typer.Option("--only", metavar="WHO", help="Only changes to this person; may be repeated.")]


class Format(StrEnum):
    """How a plan is printed."""

    TEXT = "text"
    JSON = "json"
    MARKDOWN = "markdown"
    CSV = "csv"


Out = Annotated[Path | None, typer.Option("--out", metavar="FILE", help="Save it too, for `syncd apply FILE`.", show_default=False)]


@command(app, "plan")
def plan(
    invocation: Invocation,
    connection: Connections = None,
    full: Full = False,
    only: Only = None,
    out: Out = None,
    format: Annotated[Format | None, typer.Option("--format", help="How it is printed (default: text).", show_default=False)] = None,
    detailed_exitcode: Annotated[bool, typer.Option("--detailed-exitcode", help="Exit 2 when there is a change, held or not.")] = False,
) -> int:
    """Read, reconcile and print the plan; write to no provider."""
    from syncd.cli import ending, people, plan_file, plan_printing, wiring
    from syncd.cli.progress import Progress

    settings, printer = invocation.settings, invocation.printer
    if printer.json and format not in (None, Format.JSON):
        raise Misused(f"--json and --format {format} contradict each other: say one")
    if out is not None:
        plan_file.writable(out, settings)
    selection = wiring.selected(settings, connection or ())
    with invocation.store() as store:
        progress = Progress(printer, invocation.environment)
        narrowing = people.narrowing(store, only or ())
        running = wiring.run(invocation, store, "plan", selection, progress, full=full, narrowing=narrowing)
        report, made = ending.run(invocation.environment, running)
        if invocation.environment.ending:
            return TERMINATED
        if out is not None:
            plan_file.write(out, made, settings.fingerprint(), printer.mask)
            printer.note(f"saved to {out}; to send just that: syncd apply {shlex.quote(str(out))}")
        plan_printing.show(invocation, made, format or (Format.JSON if printer.json else Format.TEXT))
    if report.failed:
        return FAILED
    return CHANGES if detailed_exitcode and any(sum(part.counts.values()) for part in made.connections) else DONE


@command(app, "sync")
def sync(
    invocation: Invocation,
    connection: Connections = None,
    full: Full = False,
    only: Only = None,
    max_changes: Annotated[int | None, typer.Option("--max-changes", metavar="N", min=0, help="Send the first N changes only.")] = None,
    yes: Annotated[bool, typer.Option("--yes", help="Do not ask: send what the plan lets pass, and agree to a first contact.")] = False,
) -> int:
    """One cycle: read, reconcile, ask, send."""
    if not yes and not invocation.attended:
        raise Misused("`syncd sync` asks before it writes, and here is no terminal: say --yes")
    from syncd.cli import documents, ending, people, report_view, wiring
    from syncd.cli.asking import Asking
    from syncd.cli.progress import Progress
    from syncd.store import waiting

    ending.heed()
    selection = wiring.selected(invocation.settings, connection or ())
    with invocation.store() as store:
        progress = Progress(invocation.printer, invocation.environment)
        asking = Asking(invocation, progress, yes)
        narrowing = people.narrowing(store, only or (), max_changes)
        mode = "full" if full else "delta"
        running = wiring.run(invocation, store, mode, selection, progress, asking.approve, narrowing=narrowing)
        report, made = ending.run(invocation.environment, running)
        asking.show_held(made)
        waits, now = waiting.listing(store, selection), invocation.environment.now()
        names = people.about(store, waits)
        invocation.printer.show(documents.report(report), lambda: report_view.lines(report, waits, now, names))
    log(report)
    if invocation.environment.ending:
        return TERMINATED
    if report.failed:
        return FAILED
    return WAITING if report.waiting and not report.declined else DONE


def log(report: Report) -> None:
    """One event for each connection, for whoever collects logs."""
    import structlog

    log = structlog.get_logger("syncd")
    for one in report.results:
        applied = {kind: number for kind, number in one.applied.items() if number}
        waits = {"held": one.held, "in_doubt": one.in_doubt, "quarantined": one.quarantined, "rejected": one.rejected}
        told = {"run": report.run, "mode": report.mode, "connection": one.name, **applied, **waits, "requests": one.requests}
        if one.error:
            log.warning("failed", **told, error=one.error)
        else:
            log.info("synced", **told)
