"""A directory of strangers whose listing is cut off, and what the next run asks for."""

from __future__ import annotations

import asyncio
from contextlib import suppress
from typing import Any

from syncd.connectors.memory import MemoryConnector
from syncd.model import Cursor, Page, Watermark
from tests.engine.test_crash_points import Crash
from tests.engine.worlds import MakeWorld, target
from tests.world import World

STRANGERS = 20


class Asked(MemoryConnector):
    """Notes the cursors it is asked with."""

    cursors: list[Cursor | None]

    async def list(self, cursor: Cursor | None, since: Watermark | None = None) -> Page:
        self.cursors.append(cursor)
        return await super().list(cursor, since)


def asked_with() -> type[Asked]:
    return type("Asked", (Asked,), {"cursors": []})


def failing(at: int, error: BaseException) -> type[Asked]:
    """The ``at``th page does not come."""

    class Failing(asked_with()):  # type: ignore[misc]
        async def list(self, cursor: Cursor | None, since: Watermark | None = None) -> Page:
            if len(self.cursors) == at - 1:
                self.cursors.append(cursor)
                raise error
            return await super().list(cursor, since)

    return Failing


def world_of(make: MakeWorld, **more: Any) -> World:
    """20 strangers on 7 pages, of which nothing is known."""
    w = make(resumes=True, page=3, target=target("delete"), **more)
    w.write([])
    for number in range(STRANGERS):
        w.directory.add(f"s{number:02}", userName=f"stranger{number}")
    return w


async def cut(world: World, error: BaseException, at: int = 5) -> None:
    """A run whose ``at``th page does not come."""
    world.memory = failing(at, error)
    if isinstance(error, Crash):
        before = asyncio.all_tasks()
        with suppress(Crash):  # it may end before
            await world.run()
        for task in asyncio.all_tasks() - before:
            task.cancel()
        world.close()
        world.open()
    else:
        await world.run()


async def going_on(world: World, **how: Any) -> tuple[list[Cursor | None], list[str]]:
    """The cursors with which the next run asks for pages, and what it tells of its listing."""
    world.memory = asked_with()
    report, _ = await world.run(**how)
    listing = report.results[1].listing
    assert listing is not None
    assert not listing.complete or listing.pages == -(-len(world.directory.accounts) // 3)
    return world.memory.cursors, listing.told


ALL = [None, "3:s02", "6:s05", "9:s08", "12:s11", "15:s14", "18:s17"]
