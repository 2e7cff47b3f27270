"""Full cycles inside this process, over the real configuration, connectors and store: start-up is not among what is measured."""

from __future__ import annotations

import asyncio
import gc
import os
import shutil
from collections.abc import Mapping
from pathlib import Path
from typing import Any, Self

from syncd.cli.invocation import registry
from syncd.cli.main import YOUNG
from syncd.engine.cycle import cycle
from syncd.environment import Environment
from syncd.settings import load
from syncd.store import Store, presence
from syncd.wiring import connected
from tests.bench.load import configured
from tests.bench.postgres import Cluster


class Inside:
    """One configuration with its store beside it, which `forget` replaces by an empty one and `restore` by what it was at `keep`.

    ``url``: of a store elsewhere, which is left as it is.
    """

    def __init__(self, root: Path, connections: Mapping[str, Mapping[str, Any]], url: str | None = None) -> None:
        gc.set_threshold(YOUNG, *gc.get_threshold()[1:])
        root.mkdir(exist_ok=True)
        self._settings = load(configured(root, connections), registry(), os.environ)
        self._path, self._kept = root / "bench.db", root / "kept.db"
        self.store = Store(url or f"sqlite:///{self._path}")

    def forget(self) -> None:
        self._remove()
        self.store = Store(f"sqlite:///{self._path}")

    def keep(self) -> None:
        self.close()
        shutil.copyfile(self._path, self._kept)
        self.store = Store(f"sqlite:///{self._path}")

    def restore(self) -> None:
        """Open as a daemon has it: what was copied is on the disk, and something was written since it was opened."""
        self._remove()
        shutil.copyfile(self._kept, self._path)
        with self._path.open("rb") as copied:
            os.fsync(copied.fileno())
        self.store = Store(f"sqlite:///{self._path}")
        presence.appear(self.store, "bench", Environment().now())

    def _remove(self) -> None:
        self.close()
        for path in self._path.parent.glob("bench.db*"):
            path.unlink()

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self.close()

    def close(self) -> None:
        self.store.close()

    def cycle(self, mode: str = "full") -> None:
        """Whatever its plan lets pass is sent."""
        asyncio.run(self._cycle(mode))

    def delta(self) -> None:
        self.cycle("delta")

    async def _cycle(self, mode: str) -> None:
        landscape, environment = self._settings.landscape, Environment()
        names = [one.name for one in landscape.connections]
        async with connected(self._settings, environment, writable=True) as each:
            report, _ = await cycle(environment, landscape, each, self.store, mode=mode, selection=names, approve=_yes)
        assert all(not one.error and (one.listing and one.listing.complete) for one in report.results), report


class InPostgres(Inside):
    """The same with its store in a cluster: `keep` and `restore` copy the database."""

    def __init__(self, root: Path, connections: Mapping[str, Mapping[str, Any]], cluster: Cluster) -> None:
        self._cluster, self._first = cluster, cluster.database()
        self._copy = ""
        super().__init__(root, connections, self._first)

    def keep(self) -> None:
        self.restore()

    def restore(self) -> None:
        self.close()
        if self._copy:
            self._cluster.drop(self._copy)
        self._copy = self._cluster.copy(self._first)
        self.store = Store(self._copy)
        presence.appear(self.store, "bench", Environment().now())


async def _yes(plan: object) -> bool:
    return True
