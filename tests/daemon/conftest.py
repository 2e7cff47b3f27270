"""Desks in a temporary directory."""

from __future__ import annotations

from collections.abc import AsyncIterator, Callable, Iterator
from pathlib import Path
from typing import Any

import pytest

from tests import stores
from tests.daemon.desk import Desk, Shared

MakeDesk = Callable[..., Desk]


@pytest.fixture
def desk(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[MakeDesk]:
    """``desk(people=..., app=...)``: one a test. Its time passes only when the test says so: no listing takes but a moment of it."""
    monkeypatch.setattr("syncd.engine.cycle.MOMENT", 0.0)
    made: list[Desk] = []

    def make(**options: Any) -> Desk:
        made.append(Desk(tmp_path, **options))
        return made[-1]

    yield make
    for one in made:
        one.end()


@pytest.fixture
async def shared(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> AsyncIterator[Shared]:
    monkeypatch.setattr(stores.places, "postgresql", True)
    one = Shared(tmp_path)
    yield one
    await one.stop()
    stores.places.forget(str(tmp_path))
