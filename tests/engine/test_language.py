"""What a server had to be asked before anything else is remembered with the watermark, and believed as long as that."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, ClassVar

import pytest

from syncd.connectors.memory import MemoryConnector
from syncd.errors import Retryable
from syncd.model import Cursor, Page, Watermark
from syncd.store import connections
from tests.engine.worlds import MakeWorld, people
from tests.world import World

pytestmark = pytest.mark.anyio


class Foreign(MemoryConnector):
    """Asks its server which language it speaks, unless it is told."""

    speaks: ClassVar[str] = "new"
    asked: ClassVar[list[bool]] = []
    contradicts: ClassVar[bool] = False
    language: str | None = None

    def recall(self, language: str) -> None:
        self.language = language

    async def list(self, cursor: Cursor | None, since: Watermark | None = None) -> Page:
        if cursor is None:
            self.asked.append(self.language is None)
            self.language = None if self.contradicts else self.language or self.speaks
        return await super().list(cursor, since)


@pytest.fixture(autouse=True)
def _as_ever(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(Foreign, "asked", [])
    monkeypatch.setattr(Foreign, "contradicts", False)


async def settled(world: MakeWorld) -> World:
    w = world(delta=True, memory=Foreign)
    w.write(people(1, 2))
    await w.run()
    return w


def remembered(world: World) -> str | None:
    row = connections.row(world.store, "app")
    assert row is not None
    return row.language  # type: ignore[no-any-return]


async def test_a_reading_of_changes_asks_nothing_that_is_known(world: MakeWorld) -> None:
    w = await settled(world)
    for _ in range(3):
        await w.run()
    assert (Foreign.asked, remembered(w)) == ([True, False, False, False], "new")
    await w.run("full")
    assert Foreign.asked[4:] == [True], "whatever reads everything asks"


@pytest.mark.parametrize(
    "changes",
    [
        lambda w: setattr(w, "secret", "another"),
        lambda w: setattr(w, "page", 7),
        lambda w: w.store.run("INSERT INTO setting (name, value) VALUES ('epoch', '1')"),
    ],
    ids=["credentials", "options", "restored"],
)
async def test_under_other_circumstances_it_is_asked_again(world: MakeWorld, changes: Callable[[World], Any]) -> None:
    w = await settled(world)
    await w.run()
    changes(w)
    await w.run()
    assert Foreign.asked == [True, False, True]


async def test_what_an_answer_contradicts_is_forgotten(world: MakeWorld, monkeypatch: pytest.MonkeyPatch) -> None:
    w = await settled(world)
    monkeypatch.setattr(Foreign, "contradicts", True)
    await w.run()
    assert remembered(w) is None
    monkeypatch.setattr(Foreign, "contradicts", False)
    await w.run()
    await w.run()
    assert (Foreign.asked, remembered(w)) == ([True, False, True, False], "new")


async def test_a_reading_that_failed_leaves_nothing_to_believe(world: MakeWorld) -> None:
    w = await settled(world)
    w.directory.fail_next("list", Retryable("HTTP 503"))
    await w.run()
    assert remembered(w) is None
