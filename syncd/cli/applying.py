"""`syncd apply`: carry out exactly the plan that a file holds."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from syncd.cli.app import app, command
from syncd.cli.exits import DONE, FAILED, TERMINATED, WAITING
from syncd.cli.invocation import Invocation

if TYPE_CHECKING:
    from syncd.engine.planning import Plan


@command(app, "apply")
def apply(
    invocation: Invocation,
    file: Annotated[Path, typer.Argument(metavar="FILE", help="What `syncd plan --out FILE` wrote.", show_default=False)],
) -> int:
    """Carry out exactly the plan in FILE, without asking.

    A plan is applied once, within 24 hours, by the store and under the configuration it was made with. An account that
    changed since is skipped. What the plan holds stays held, but for a first contact and `apply: review`: this command agrees to those.
    """
    from syncd.cli import documents, ending, people, plan_opening, report_view, wiring
    from syncd.cli.progress import Progress
    from syncd.cli.sending import log
    from syncd.store import waiting

    ending.heed()
    with invocation.store() as store:
        plan = plan_opening.opened(file, store, invocation.settings.fingerprint())
        progress = Progress(invocation.printer, invocation.environment)
        running = wiring.run(invocation, store, "apply", plan.connections, progress, _agreed, plan_file=plan.saved)
        report, made = ending.run(invocation.environment, running)
        waits, now = waiting.listing(store, plan.connections), invocation.environment.now()
        names = people.about(store, waits)
        skipped = report_view.skipped(made, whole=invocation.verbose)
        if invocation.printer.json:
            invocation.printer.note(*skipped)
        invocation.printer.show(documents.report(report), lambda: (*skipped, *report_view.lines(report, waits, now, names)))
    log(report)
    if invocation.environment.ending:
        return TERMINATED
    if report.failed:
        return FAILED
    return WAITING if report.waiting or any(one.skipped for one in report.results) else DONE


async def _agreed(plan: Plan) -> bool:
    return True
