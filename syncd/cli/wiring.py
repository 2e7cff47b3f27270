"""Settings -> connectors and compiled rules, ready for the engine; and one cycle over them."""

from __future__ import annotations

from collections.abc import AsyncIterator, Mapping, Sequence
from contextlib import asynccontextmanager

from syncd import connectors
from syncd.cli.exits import Misused
from syncd.cli.invocation import Invocation
from syncd.cli.progress import Progress
from syncd.cli.text import did_you_mean
from syncd.connectors.base import Connector
from syncd.connectors.file import FileConnector
from syncd.engine.context import Connected, canonical_names
from syncd.engine.cycle import Approve, cycle
from syncd.engine.narrowing import WHOLE, Narrowing
from syncd.engine.planning import Plan
from syncd.engine.report import Report
from syncd.engine.saved import Saved
from syncd.environment import Environment
from syncd.model import Connection
from syncd.settings import Settings
from syncd.store import Store


def selected(settings: Settings, names: Sequence[str]) -> list[str]:
    """The connections a command works on: those named with -c, in the order of the file, or all. Raises Misused for an unknown name."""
    known = [one.name for one in settings.landscape.connections]
    for name in names:
        if name not in known:
            raise Misused(f"no connection is named {name!r}{did_you_mean(name, known)}")
    return [name for name in known if name in names] if names else known


def connector(settings: Settings, one: Connection, environment: Environment, *, writable: bool) -> Connector:
    """A file refuses to be read when it lacks a column that the configuration maps by its name."""
    made = connectors.get(one.connector)(settings.options[one.name], environment=environment, rate=one.rate, writable=writable)
    if isinstance(made, FileConnector):
        made.require([entry.text for entry in one.read if entry.source == "name"])
    return made


@asynccontextmanager
async def connected(settings: Settings, environment: Environment, *, writable: bool) -> AsyncIterator[Mapping[str, Connected]]:
    """Every configured connection, closed afterwards; without ``writable`` nothing unsafe leaves, whatever is asked."""
    landscape = settings.landscape
    names = canonical_names(landscape)
    made: dict[str, Connected] = {}
    try:
        for one in landscape.connections:
            made[one.name] = Connected(one, connector(settings, one, environment, writable=writable), landscape.instance, names)
        yield made
    finally:
        for each in made.values():
            await each.connector.aclose()


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
