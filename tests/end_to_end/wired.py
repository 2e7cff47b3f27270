"""A configuration file, wired as the command line does it, under the test's own clock; also a program that kills itself on request.

``python -m tests.end_to_end.wired CONFIG POINT N``: one run, killed (SIGKILL) when POINT is reached for the Nth time.
"""

from __future__ import annotations

import asyncio
import os
import signal
import sys
from pathlib import Path

from syncd import connectors
from syncd.connectors.file import FileConnector
from syncd.engine.context import Connected, canonical_names
from syncd.engine.cycle import cycle
from syncd.engine.planning import Plan
from syncd.engine.report import Report
from syncd.environment import Environment
from syncd.settings import load
from syncd.settings.settings import Settings
from syncd.store import Store


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


def settings_of(config: Path) -> Settings:
    return load(config, {name: connectors.get(name).options for name in connectors.names()}, {})


async def run(environment: Environment, config: Path, *, mode: str = "delta") -> tuple[Report, Plan]:
    """One cycle over everything the file configures, agreed to."""
    settings = settings_of(config)
    landscape = settings.landscape
    names = canonical_names(landscape)
    connected: dict[str, Connected] = {}
    for one in landscape.connections:
        builder = connectors.get(one.connector)
        connector = builder(settings.options[one.name], environment=environment, rate=one.rate, writable=mode != "plan")
        if isinstance(connector, FileConnector):
            connector.require([entry.text for entry in one.read if entry.source == "name"])
        connected[one.name] = Connected(one, connector, landscape.instance, names)

    async def agree(plan: Plan) -> bool:
        return True

    store = Store(settings.store.url, landscape.instance)
    try:
        approve = None if mode == "plan" else agree
        return await cycle(environment, landscape, connected, store, mode=mode, selection=list(connected), approve=approve)
    finally:
        for one in connected.values():
            await one.connector.aclose()
        if mode != "plan":
            store.close()


if __name__ == "__main__":
    asyncio.run(run(Deadly(sys.argv[2], int(sys.argv[3])), Path(sys.argv[1])))
