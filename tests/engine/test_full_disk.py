"""No space is left at any point of any step: nothing leaves without its intent on disk, and afterwards there is one account a person."""

from __future__ import annotations

import resource

import pytest

from syncd.errors import Fatal
from tests.engine.test_crash_points import POINTS, WANTED, expected, finish, small
from tests.engine.worlds import MakeWorld
from tests.world import Clock

pytestmark = [pytest.mark.anyio, pytest.mark.sqlite("the disk is the server's")]


class Filling(Clock):
    """From the ``count``-th time that ``point`` is reached no file of this process can grow (setrlimit(2), RLIMIT_FSIZE)."""

    def __init__(self, before: Clock, point: str, count: int) -> None:
        super().__init__(before.at)
        self.elapsed, self.point, self.left = before.elapsed, point, count

    def reached(self, point: str) -> None:
        self.left -= point == self.point
        if self.left <= 0:
            resource.setrlimit(resource.RLIMIT_FSIZE, (0, resource.getrlimit(resource.RLIMIT_FSIZE)[1]))


@pytest.mark.parametrize("point", POINTS)
async def test_a_disk_that_fills_up_at_any_point_of_any_step_loses_nobody(world: MakeWorld, point: str) -> None:
    unlimited = resource.getrlimit(resource.RLIMIT_FSIZE)
    for count in (1, 3, 5) if point != "after_cursor" else (1, 2):
        w = await small(world)
        before, w.clock = w.clock, Filling(w.clock, point, count)
        try:
            with pytest.raises(Fatal, match=r"the store .* cannot be written: .*\n  .*the next run goes on where this one stopped"):
                await w.run()
        finally:
            resource.setrlimit(resource.RLIMIT_FSIZE, unlimited)
        sent, known = len(w.directory.log), w.store.value("SELECT COUNT(*) FROM step")
        assert sent <= known, "what was sent was written down before"
        before.at, before.elapsed = w.clock.at, w.clock.elapsed
        w.clock = before
        await finish(w)
        assert expected(w) == WANTED, (point, count)
        assert len(w.directory.accounts) == 5 and w.verify() == []
