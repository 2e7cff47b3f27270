"""A connection that cannot be used rests longer and longer, is suspended, probed, and taken up again; the others go on."""

from __future__ import annotations

from collections.abc import Callable
from datetime import timedelta
from typing import Any

import pytest

from syncd.connectors.memory import MemoryConnector
from syncd.connectors.memory_directory import MemoryDirectory
from syncd.errors import InDoubt, Quarantined, Rejected, Retryable, Unauthorized
from syncd.model import Health
from tests.daemon.conftest import MakeDesk
from tests.daemon.desk import STEADY, Desk

pytestmark = pytest.mark.anyio
BESIDE = """\
  other:
    connector: memory
    directory: beside
    write: {}
    schedule: {every: 5m, jitter: 0s}
"""


def broken(one: Desk, error: Exception) -> None:
    """Whatever is asked there fails, until `one.directory.calm()`."""
    for _ in range(200):
        one.directory.fail_next("list", error)
        one.directory.fail_next("check", error)


async def until(one: Desk, done: Callable[[], bool], step: float = 5.0, **at_most: float) -> timedelta:
    """How long it took."""
    began = one.clock.now()
    while not done():
        assert one.clock.now() - began <= timedelta(**at_most)
        await one.wait(seconds=step, step=step)
    return one.clock.now() - began


async def test_it_rests_longer_with_each_failure_is_suspended_and_taken_up_again(desk: MakeDesk) -> None:
    one = desk()
    await one.settle(1)
    broken(one, Retryable("cannot be reached"))
    await one.wait(minutes=5, step=5)
    assert one.failures() == 1
    rests = [await until(one, lambda n=n: one.failures() == n, minutes=20) for n in (2, 3, 4, 5, 6)]
    assert [round(rest.total_seconds() / 30) for rest in rests] == [1, 2, 4, 8, 16], "in halves of a minute"
    assert one.rounds.duties.turns["app"].probe
    before, tried = one.runs, one.store.value("SELECT last_delta FROM connection WHERE name = 'app'")
    await one.wait(hours=1, step=30)
    assert one.runs > before, "the source is read on"
    assert one.store.value("SELECT last_delta FROM connection WHERE name = 'app'") == tried, "who is suspended is probed alone"
    one.directory.calm()
    one.hire(1, 2)
    await one.wait(minutes=16)
    assert (one.failures(), len(one.directory.accounts)) == (0, 2)


@pytest.mark.parametrize("error", [Rejected("no"), Retryable("no"), Quarantined("403")])
async def test_a_restart_forgets_no_failure(desk: MakeDesk, error: Exception) -> None:
    one = desk()
    await one.settle(1)
    broken(one, error)
    await one.wait(minutes=30, step=10)
    assert one.failures() >= 5
    turns = dict(one.rounds.duties.look())
    one.restart()
    assert one.rounds.duties.look()["app"].probe and one.rounds.duties.look() == turns
    before = one.failures()
    for _ in range(20):
        one.restart()
        await one.wait(seconds=5)
    assert one.failures() == before


async def test_the_others_go_on(desk: MakeDesk) -> None:
    one = desk(more=BESIDE)
    one.hire(1)
    broken(one, Quarantined("403"))
    await one.wait(hours=2, step=30)
    assert one.failures() >= 5 and one.failures("other") == 0
    one.release()
    await one.wait(seconds=10)
    assert len(MemoryDirectory.named("beside").accounts) == 1 and not one.directory.accounts


async def test_one_account_that_cannot_be_written_suspends_nobody(desk: MakeDesk) -> None:
    one = desk()
    await one.settle(1)
    for _ in range(500):
        one.directory.fail_next("create", Retryable("not now"))
    one.hire(1, 2)
    await one.wait(hours=2, step=30)
    assert one.failures() == 0 and len(one.directory.accounts) == 1


async def test_refused_credentials_that_are_the_same_on_disk_suspend_at_once(desk: MakeDesk) -> None:
    one = desk()
    await one.settle(1)
    broken(one, Unauthorized("401"))
    await one.wait(minutes=5, step=5)
    assert one.failures() == 5 and one.rounds.duties.turns["app"].probe


async def test_what_is_asked_to_end_counts_as_no_failure(desk: MakeDesk, monkeypatch: pytest.MonkeyPatch) -> None:
    one = desk()
    await one.settle(1)
    listed = MemoryConnector.list

    async def ending(self: MemoryConnector, *given: Any) -> Any:
        page = await listed(self, *given)
        one.clock.end()
        return page

    monkeypatch.setattr(MemoryConnector, "list", ending)
    one.directory.add(userName="x@corp.example")
    one.store.run("UPDATE connection SET failures = 2 WHERE name = 'app'")
    await one.wait(minutes=10, step=10)
    assert one.failures() == 2


async def test_a_health_that_is_not_ok_keeps_it_suspended(desk: MakeDesk, monkeypatch: pytest.MonkeyPatch) -> None:
    one = desk(app=STEADY)
    await one.settle(1)
    broken(one, InDoubt("?"))
    one.directory.calm()

    async def unwell(self: MemoryConnector) -> Health:
        return Health(False, problems=("its plan has expired",))

    monkeypatch.setattr(MemoryConnector, "check", unwell)
    one.store.run("UPDATE connection SET failures = 5 WHERE name = 'app'")
    one.restart()
    await one.wait(hours=1, step=20)
    assert one.failures() > 5
    assert one.store.value("SELECT error FROM connection WHERE name = 'app'") == "its plan has expired"
