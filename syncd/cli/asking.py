"""Show a plan to the person at the terminal and wait for a yes, while the run keeps its leases."""

from __future__ import annotations

import asyncio
import sys
from itertools import chain

from syncd.cli.invocation import Invocation
from syncd.cli.plan_view import PlanView
from syncd.cli.progress import Progress
from syncd.engine.planning import Plan

FEW = 10
"""Changes that a run sends are shown one by one up to this number."""


class Asking:
    """``yes``: --yes was given, nobody is asked."""

    def __init__(self, invocation: Invocation, progress: Progress, yes: bool) -> None:
        self._invocation, self._progress, self._yes = invocation, progress, yes
        self._shown = False

    async def approve(self, plan: Plan) -> bool:
        """Called before anything is sent; a yes agrees to a first contact, too."""
        with self._progress.paused():
            self._show(plan, agreed=True)
            return self._yes or await confirmed(self._invocation, "Send these changes?")

    def show_held(self, plan: Plan) -> None:
        """After a run in which nothing could be sent, so that nobody was asked: what is held, and why; what else the plan has to say."""
        if self._shown:
            return
        if any(part.held for part in plan.connections):
            self._show(plan, agreed=False)
        else:
            self._invocation.printer.note(*(f"note: {note}" for note in plan.notes))

    def _show(self, plan: Plan, *, agreed: bool) -> None:
        self._shown = True
        printer, whole = self._invocation.printer, self._invocation.verbose
        if printer.json and self._yes:
            return
        few = FEW if self._yes and not whole else None
        view = PlanView(plan, self._invocation.settings.notices, agreed=agreed, whole=whole, most=few)
        printer.lines(chain(view.lines(), [""]), aside=printer.json)


async def confirmed(invocation: Invocation, question: str) -> bool:
    """A yes on the terminal; everything else, the end of the input or of the process included, is a no."""
    invocation.printer.prompt(f"{question} [y/N] ")
    loop, readable = asyncio.get_running_loop(), asyncio.Event()
    loop.add_reader(sys.stdin, readable.set)
    answered, ended = asyncio.create_task(readable.wait()), asyncio.create_task(invocation.environment.ended())
    try:
        await asyncio.wait((answered, ended), return_when=asyncio.FIRST_COMPLETED)
    finally:
        loop.remove_reader(sys.stdin)
        answered.cancel()
        ended.cancel()
    return readable.is_set() and sys.stdin.readline().strip().lower() in ("y", "yes")
