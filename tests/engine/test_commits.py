"""Group commit: one transaction for what several tasks want at the same moment, and each gets its own answer."""

from __future__ import annotations

import asyncio

import pytest

from syncd.engine.commits import Commits
from syncd.errors import Rejected
from tests.engine.worlds import MakeWorld
from tests.world import World

pytestmark = pytest.mark.anyio


def insert(world: World, name: str) -> int:
    return world.store.run("INSERT INTO setting (name, value) VALUES (:name, 'x')", name=name)


def known(world: World) -> set[str]:
    return {row.name for row in world.store.rows("SELECT name FROM setting WHERE value = 'x'")}


async def test_what_is_asked_at_the_same_moment_shares_one_transaction(world: MakeWorld, monkeypatch: pytest.MonkeyPatch) -> None:
    w = world()
    commits, begun, begin = Commits(w.store), 0, w.store.backend.begin

    def count(*, durable: bool) -> None:
        nonlocal begun
        begun += 1
        begin(durable=durable)

    monkeypatch.setattr(w.store.backend, "begin", count)
    results = await asyncio.gather(*(commits.do(lambda n=n: (insert(w, str(n)), n)) for n in range(10)))
    assert (results, begun, known(w)) == ([(1, n) for n in range(10)], 1, {str(n) for n in range(10)})
    await commits.do(lambda: insert(w, "later"))
    assert begun == 2


async def test_a_refusal_is_its_callers_alone_with_what_it_wrote_before(world: MakeWorld) -> None:
    w = world()
    commits = Commits(w.store)

    def refuse() -> None:
        insert(w, "taken back")
        raise Rejected("no")

    first, second, third = await asyncio.gather(
        commits.do(lambda: insert(w, "a")), commits.do(refuse), commits.do(lambda: insert(w, "b")), return_exceptions=True
    )
    assert (first, str(second), third, known(w)) == (1, "no", 1, {"a", "b"})


async def test_what_a_refused_one_wrote_that_had_the_transaction_to_itself_is_taken_back(world: MakeWorld) -> None:
    w = world()

    def refuse() -> None:
        insert(w, "taken back")
        raise Rejected("no")

    commits = Commits(w.store)
    with pytest.raises(Rejected, match="no"):
        await commits.do(refuse)
    assert known(w) == set()
    assert (await commits.do(lambda: insert(w, "after")), known(w)) == (1, {"after"})


async def test_any_other_error_fails_all_and_nothing_is_kept(world: MakeWorld) -> None:
    w = world()
    commits = Commits(w.store)
    asked = [commits.do(lambda: insert(w, "a")), commits.do(lambda: 1 // 0), commits.do(lambda: insert(w, "b"))]
    results = await asyncio.gather(*asked, return_exceptions=True)
    assert [type(result) for result in results] == [ZeroDivisionError] * 3
    assert known(w) == set()
    assert await commits.do(lambda: insert(w, "c")) == 1
