"""A plan on stdout, in the form that was asked for; streamed, whatever its size."""

from __future__ import annotations

from syncd.cli import documents, plan_csv, plan_markdown
from syncd.cli.invocation import Invocation
from syncd.cli.plan_view import PlanView
from syncd.engine.planning import Plan


def show(invocation: Invocation, made: Plan, form: str) -> None:
    """``form``: text | json | markdown | csv."""
    printer, settings = invocation.printer, invocation.settings
    view = PlanView(made, settings.notices, whole=invocation.verbose)
    if form == "json":
        printer.document(documents.plan(made, settings.fingerprint()))
    elif form == "csv":
        plan_csv.write(printer, made)
    elif form == "markdown":
        printer.lines(plan_markdown.lines(view))
    else:
        printer.lines(view.lines())
