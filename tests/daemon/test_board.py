"""What the board shows is how things stand, whoever brought it about."""

from __future__ import annotations

import pytest

from syncd.daemon.notices import Notices
from syncd.daemon.rounds import Rounds
from syncd.health import Board
from syncd.store import Store
from tests.daemon.conftest import MakeDesk

pytestmark = pytest.mark.anyio


async def test_each_of_several_daemons_shows_the_whole(desk: MakeDesk) -> None:
    """What the other one did is shown by the one that did nothing, as soon as it looks."""
    one = desk()
    settings = one.load()
    store, board = Store(settings.store.url), Board()
    other = Rounds(one.clock, settings, store, board, Notices(store, one.clock, lambda notice, message: None), one.load)
    one.hire(1, 2)
    await one.tick()
    assert (one.board.gauges["syncd_held"]["app"], board.gauges["syncd_held"]["app"]) == (2, 0)
    await other.keep("elsewhere")
    assert board.gauges["syncd_held"]["app"] == 2 and board.success.keys() == one.board.success.keys()
    await one.settle(1, 2)
    await other.keep("elsewhere")
    assert (board.gauges["syncd_held"]["app"], board.gauges["syncd_accounts"]["app"]) == (0, 2)
    store.close()


async def test_a_suspended_connection_is_shown_as_one_also_after_a_restart(desk: MakeDesk) -> None:
    one = desk()
    await one.settle(1)
    assert one.board.gauges["syncd_suspended"] == {"people": 0, "app": 0}
    (one.root / "people.csv").unlink()
    await one.wait(minutes=30, step=5)
    assert one.board.gauges["syncd_suspended"]["people"] == 1
    one.hire(1)  # without its file the configuration would be refused
    one.restart()
    assert one.board.gauges["syncd_suspended"] == {"people": 1, "app": 0}
