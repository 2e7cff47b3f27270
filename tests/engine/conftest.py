"""Worlds for the tests of the engine, each with a store, a people file and a directory of its own."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from syncd.store import Store
from tests.engine.worlds import MakeWorld, Template
from tests.world import World


@pytest.fixture(scope="session")
def template(tmp_path_factory: pytest.TempPathFactory) -> Template:
    """An empty store, migrated once: a copy costs a tenth of a new one."""
    path = tmp_path_factory.mktemp("template") / "syncd.db"
    Store(f"sqlite:///{path}").close()
    return Template(path)


@pytest.fixture
def world(tmp_path: Path, template: Template) -> Iterator[MakeWorld]:
    """``world(**fields of World)`` makes one."""
    made: list[World] = []

    def make(**options: Any) -> World:
        made.append(template.world(tmp_path / f"world{len(made)}", **options))
        return made[-1]

    yield make
    for one in made:
        one.close()
