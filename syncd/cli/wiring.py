"""Which connections a command works on, and one cycle over them."""

from __future__ import annotations

from collections.abc import Sequence

from syncd.cli.exits import Misused
from syncd.cli.invocation import Invocation
from syncd.cli.progress import Progress
from syncd.cli.text import did_you_mean
from syncd.engine.cycle import Approve, cycle
from syncd.engine.narrowing import WHOLE, Narrowing
from syncd.engine.planning import Plan
from syncd.engine.report import Report
from syncd.engine.saved import Saved
from syncd.settings import Settings
from syncd.store import Store
from syncd.wiring import connected


def selected(settings: Settings, names: Sequence[str]) -> list[str]:
    """The connections a command works on: those named with -c, in the order of the file, or all. Raises Misused for an unknown name."""
    known = [one.name for one in settings.landscape.connections]
    for name in names:
        if name not in known:
            raise Misused(f"no connection is named {name!r}{did_you_mean(name, known)}")
    return [name for name in known if name in names] if names else known


async def run(
    invocation: Invocation, store: Store, mode: str, selection: Sequence[str], progress: Progress, approve: Approve | None = None, *,
    full: bool = False, narrowing: Narrowing = WHOLE, plan_file: Saved | None = None,
) -> tuple[Report, Plan]:  # fmt: skip
    """One cycle; see `syncd.engine.cycle.cycle`."""
    settings, environment = invocation.settings, invocation.environment
    async with connected(settings, environment, writable=approve is not None) as each, progress.over(each):
        return await cycle(
            environment, settings.landscape, each, store, mode=mode, selection=selection, approve=approve, full=full, narrowing=narrowing,
            plan_file=plan_file,
        )  # fmt: skip
