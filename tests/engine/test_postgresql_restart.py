"""PostgreSQL is killed and started again at random statements while cycles run: no intent is lost, nobody is made twice."""

from __future__ import annotations

import random
from collections import Counter
from collections.abc import Iterator
from typing import Any

import pytest

from syncd.errors import Away
from syncd.store.postgresql import Postgresql
from tests import stores
from tests.engine.worlds import MakeWorld
from tests.world import NO_LIMITS, World, person

pytestmark = pytest.mark.anyio
PEOPLE = 30
CRASHES = 3


@pytest.fixture
def at_random(monkeypatch: pytest.MonkeyPatch) -> Iterator[list[int]]:
    """After how many more statements each time the server is killed, counted over all connections; what is left of them."""
    due: list[int] = []
    said = Postgresql._said

    def perhaps() -> None:
        if due:
            due[0] -= 1
        if due and due[0] <= 0:
            due.pop(0)
            stores.server().stop(crash=True)
            stores.server().start()

    def before(method: Any) -> Any:
        def called(self: Postgresql, *arguments: Any, **more: Any) -> Any:
            perhaps()
            return method(self, *arguments, **more)

        return called

    def around(self: Postgresql, text: str) -> int:
        """A transaction's end, too: before it is asked for, and when nobody hears the answer any more."""
        perhaps()
        found = said(self, text)
        if text.endswith("COMMIT") and due and due[0] <= 1:
            perhaps()
            raise Away("the answer to the end of the transaction was lost")
        return found

    monkeypatch.setattr(Postgresql, "execute", before(Postgresql.execute))
    monkeypatch.setattr(Postgresql, "many", before(Postgresql.many))
    monkeypatch.setattr(Postgresql, "_said", around)
    yield due


async def until_done(w: World) -> int:
    """Runs, each as the next process would begin, until one ends by itself; how many did not."""
    for failed in range(3 * CRASHES):
        try:
            await w.run()
        except Away:
            w.close()
            w.open()
        else:
            return failed
    raise AssertionError("no run ended")


@pytest.mark.parametrize("seed", range(4))
async def test_nothing_is_lost_and_nobody_is_made_twice(
    world: MakeWorld, at_random: list[int], seed: int, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(stores.places, "postgresql", True)
    chance = random.Random(seed)
    w = world(limits=NO_LIMITS)
    lost = 0
    for phase in range(2):
        w.write([person(number, title=f"phase {phase}") for number in range(phase * 5, PEOPLE)])
        at_random += [chance.randrange(15, 60) for _ in range(CRASHES)]
        lost += await until_done(w)
    assert lost > 0 and not at_random, "every crash happened"
    await until_done(w)
    w.clock.pass_time(w.lease)
    for _ in range(2):
        _, plan = await w.run()
    assert list(plan.changes()) == [] and w.verify() == []
    names = Counter(one["userName"] for one in w.directory.accounts.values())
    assert set(names.values()) == {1} and len(names) >= PEOPLE - 5
