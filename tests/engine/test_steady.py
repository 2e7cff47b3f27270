"""A cycle that finds all as it was costs next to nothing: no wait for the disk, no count of everybody, leases taken once."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import pytest

from syncd.engine import planning
from syncd.errors import Fatal
from syncd.model import Cursor, Page, Watermark
from syncd.store import journal, lease, runs
from tests.engine.test_language import Foreign
from tests.engine.worlds import MakeWorld, people
from tests.world import World, person

pytestmark = pytest.mark.anyio


def waits(world: World, monkeypatch: pytest.MonkeyPatch) -> list[bool]:
    """Whether each transaction from now on is durable."""
    begun, begin = list[bool](), world.store.backend.begin

    def noted(*, durable: bool) -> None:
        begun.append(durable)
        begin(durable=durable)

    monkeypatch.setattr(world.store.backend, "begin", noted)
    return begun


async def settled(world: MakeWorld, **more: Any) -> World:
    w = world(delta=True, **more)
    w.write(people(1, 2))
    for _ in range(2):
        await w.run()
    return w


async def test_it_waits_for_the_disk_only_where_who_holds_its_leases_could_outlive_the_store(
    world: MakeWorld, monkeypatch: pytest.MonkeyPatch
) -> None:
    w = await settled(world)
    begun = waits(w, monkeypatch)
    await w.run()
    assert (sum(begun), len(begun) <= 12) == (int(w.store.backend.outlived), True), begun


async def test_what_was_decided_is_on_the_disk_before_it_leaves_and_when_the_run_is_over(
    world: MakeWorld, monkeypatch: pytest.MonkeyPatch
) -> None:
    w = await settled(world)
    w.write([person(1, name="Renamed"), person(2)])
    begun = waits(w, monkeypatch)
    await w.run()
    assert begun[-1] and sum(begun) == 3 + int(w.store.backend.outlived), "intent, outcome, the end"


async def test_no_intent_is_written_where_it_could_be_lost(world: MakeWorld) -> None:
    w = await settled(world)
    (row,) = w.store.rows("SELECT * FROM change WHERE kind = 'create' LIMIT 1")
    with pytest.raises(RuntimeError, match="before its intent is on the disk"), w.store.transaction(durable=False):
        journal.intend(w.store, row, 1, False, "PATCH /x", 1, w.clock.now())


async def test_leases_are_taken_once_while_targets_are_listed_in_a_moment(world: MakeWorld) -> None:
    w = await settled(world)
    before = lease.tokens(w.store)
    await w.run()
    assert lease.tokens(w.store) == {name: token + 1 for name, token in before.items()}


async def test_while_a_listing_takes_longer_sources_are_free(world: MakeWorld, monkeypatch: pytest.MonkeyPatch) -> None:
    w = await settled(world, memory=Foreign)
    held: list[bool] = []

    async def slow(self: Foreign, cursor: Cursor | None, since: Watermark | None = None) -> Page:
        until = "SELECT until FROM lease WHERE connection = 'people'"
        held.append(w.store.value(until) != "")
        for _ in range(1000):
            await w.clock.sleep(0)
        held.append(w.store.value(until) != "")
        return await type(self).__mro__[1].list(self, cursor, since)  # type: ignore[attr-defined, no-any-return]

    monkeypatch.setattr(Foreign, "list", slow)
    monkeypatch.setattr("syncd.engine.cycle.MOMENT", 0.0)
    report, _ = await w.run()
    assert (report.converged, held) == (True, [True, False])


async def test_a_run_that_is_refused_holds_no_lease_and_has_no_number(world: MakeWorld) -> None:
    w = await settled(world)
    last, tokens = w.store.value("SELECT MAX(id) FROM run"), lease.tokens(w.store)
    w.store.run("UPDATE connection SET binding = '{\"root\":\"elsewhere\"}' WHERE name = 'app'")
    with pytest.raises(Fatal, match="was bound to"):
        await w.run()
    assert (w.store.value("SELECT MAX(id) FROM run"), lease.tokens(w.store)) == (last, tokens)


async def test_nobody_is_counted_for_a_plan_that_nobody_looks_at(world: MakeWorld, monkeypatch: pytest.MonkeyPatch) -> None:
    w = await settled(world)
    counted: list[str] = []
    accounts = planning._accounts

    def noted(context: Any, one: Any) -> Mapping[str, int]:
        counted.append(one.name)
        return accounts(context, one)

    monkeypatch.setattr(planning, "_accounts", noted)
    _, plan = await w.run()
    assert counted == []
    assert (plan.connections[1].accounts["linked"], counted) == (2, ["app"])


async def test_a_run_that_found_all_as_it_was_is_one_of_those_that_are_not_kept(world: MakeWorld) -> None:
    w = await settled(world)
    told = "SELECT report FROM run ORDER BY id DESC LIMIT 1"
    await w.run()
    assert w.store.value(told) == runs.IDLE
    w.directory.add("x", userName="somebody", displayName="A stranger")
    await w.run()
    assert w.store.value(told) == "converged", "nothing was done, and an account says where it was read"
    await w.run()
    assert w.store.value(told) == runs.IDLE
    w.write(people(1))
    await w.run()
    assert w.store.value(told) != runs.IDLE
