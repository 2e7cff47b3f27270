"""A configuration file, wired as the command line does it, under the test's own clock; also a program that kills itself on request.

``python -m tests.end_to_end.wired CONFIG POINT N``: one run, killed (SIGKILL) when POINT is reached for the Nth time.
"""

from __future__ import annotations

import asyncio
import os
import signal
import sys
from collections.abc import AsyncIterator, Callable, Mapping
from contextlib import asynccontextmanager
from pathlib import Path

from syncd import connectors
from syncd.connectors.file import FileConnector
from syncd.engine.context import Connected, Context, canonical_names
from syncd.engine.cycle import cycle
from syncd.engine.planning import Plan
from syncd.engine.report import Report
from syncd.engine.verify import verify
from syncd.environment import Environment
from syncd.settings import load
from syncd.settings.settings import Settings
from syncd.store import Store, chain
from syncd.wiring import asking
from tests import stores


class Deadly(Environment):
    """The real world, until ``point`` is reached for the ``count``th time."""

    def __init__(self, point: str, count: int) -> None:
        super().__init__()
        self._point, self._left = point, count

    def reached(self, point: str) -> None:
        if point == self._point:
            self._left -= 1
            if self._left == 0:
                os.kill(os.getpid(), signal.SIGKILL)


def settings_of(config: Path, environ: Mapping[str, str] | None = None) -> Settings:
    told = stores.environ(config.parent) if environ is None else environ
    return load(config, {name: connectors.get(name).options for name in connectors.names()}, told)


@asynccontextmanager
async def connected(environment: Environment, settings: Settings, *, writable: bool) -> AsyncIterator[dict[str, Connected]]:
    """Every connection of the configuration by name, closed afterwards."""
    names = canonical_names(settings.landscape)
    made: dict[str, Connected] = {}
    for one in settings.landscape.connections:
        builder = connectors.get(one.connector)
        connector = builder(settings.options[one.name], environment=environment, rate=one.rate, writable=writable)
        if isinstance(connector, FileConnector):
            connector.require([entry.text for entry in one.read if entry.source == "name"])
        made[one.name] = Connected(one, connector, settings.landscape.instance, names, asking(settings, one))
    try:
        yield made
    finally:
        for each in made.values():
            await each.connector.aclose()


async def run(
    environment: Environment, config: Path, *, mode: str = "delta", meanwhile: Callable[[], object] = lambda: None,
    settings: Settings | None = None,
) -> tuple[Report, Plan]:  # fmt: skip
    """One cycle over everything the file configures, agreed to; ``meanwhile``: what others do between the plan and its sending.

    ``settings``: those loaded earlier, as a process that runs for long has them.
    """

    async def agree(plan: Plan) -> bool:
        meanwhile()
        return True

    settings = settings or settings_of(config)
    store = Store(settings.store.url, settings.landscape.instance)
    try:
        async with connected(environment, settings, writable=mode != "plan") as connections:
            approve = None if mode == "plan" else agree
            return await cycle(
                environment, settings.landscape, connections, store, mode=mode, selection=list(connections), approve=approve
            )  # fmt: skip
    finally:
        if mode != "plan":
            store.close()


async def differences(environment: Environment, config: Path) -> list[str]:
    """What `syncd verify` finds wrong."""
    settings = settings_of(config)
    store = Store(settings.store.url, settings.landscape.instance)
    try:
        async with connected(environment, settings, writable=False) as connections:
            return [*chain.broken(store), *verify(Context(environment, store, settings.landscape, connections, list(connections)))]
    finally:
        store.close()


if __name__ == "__main__":
    asyncio.run(run(Deadly(sys.argv[2], int(sys.argv[3])), Path(sys.argv[1]), settings=settings_of(Path(sys.argv[1]), os.environ)))
