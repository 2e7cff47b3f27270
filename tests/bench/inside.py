"""Full cycles inside this process, over the real configuration, connectors and store: start-up is not among what is measured."""

from __future__ import annotations

import asyncio
import gc
import os
from collections.abc import Mapping
from pathlib import Path
from typing import Any, Self

from syncd.cli.invocation import registry
from syncd.cli.main import YOUNG
from syncd.engine.cycle import cycle
from syncd.environment import Environment
from syncd.settings import load
from syncd.store import Store
from syncd.wiring import connected
from tests.bench.load import configured


class Inside:
    """One configuration with its store beside it, which `forget` replaces by an empty one."""

    def __init__(self, root: Path, connections: Mapping[str, Mapping[str, Any]]) -> None:
        gc.set_threshold(YOUNG, *gc.get_threshold()[1:])
        root.mkdir(exist_ok=True)
        self._settings = load(configured(root, connections), registry(), os.environ)
        self._path = root / "bench.db"
        self.store = Store(f"sqlite:///{self._path}")

    def forget(self) -> None:
        self.close()
        for path in self._path.parent.glob("bench.db*"):
            path.unlink()
        self.store = Store(f"sqlite:///{self._path}")

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self.close()

    def close(self) -> None:
        self.store.close()

    def cycle(self) -> None:
        """A full one; whatever its plan lets pass is sent."""
        asyncio.run(self._cycle())

    async def _cycle(self) -> None:
        landscape, environment = self._settings.landscape, Environment()
        names = [one.name for one in landscape.connections]
        async with connected(self._settings, environment, writable=True) as each:
            report, _ = await cycle(environment, landscape, each, self.store, mode="full", selection=names, approve=_yes)
        assert all(not one.error and (one.listing and one.listing.complete) for one in report.results), report


async def _yes(plan: object) -> bool:
    return True
