"""From `syncd revert` to the engine: the connections, and the question."""

from __future__ import annotations

from syncd.cli import revert_view
from syncd.cli.asking import confirmed
from syncd.cli.invocation import Invocation
from syncd.engine.report import Report
from syncd.engine.reverting import Draft, revert
from syncd.store import Store
from syncd.wiring import connected


class Asked:
    """Shows the draft and asks about it; ``yes``: nobody is asked. ``draft``: what was shown, None before."""

    def __init__(self, invocation: Invocation, yes: bool) -> None:
        self._invocation, self._yes = invocation, yes
        self.draft: Draft | None = None

    async def __call__(self, draft: Draft) -> bool:
        self.draft = draft
        printer = self._invocation.printer
        if not (printer.json and self._yes):
            printer.lines(revert_view.lines(draft), aside=printer.json)
        return bool(draft.rows) and (self._yes or await confirmed(self._invocation, "Take these back?"))


async def take_back(invocation: Invocation, store: Store, run: int, asked: Asked) -> Report | None:
    settings, environment = invocation.settings, invocation.environment
    async with connected(settings, environment, writable=True) as each:
        return await revert(environment, settings.landscape, each, store, run, asked)
