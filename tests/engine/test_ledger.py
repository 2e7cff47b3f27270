"""Known bytes are never parsed again, wherever they stand in the listing, until what would be made of them has changed."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import pytest

from syncd.connectors.base import Connector
from syncd.connectors.memory import MemoryConnector
from syncd.engine import ledger
from syncd.engine.ledger import Ledger, Seen
from syncd.model import Account
from tests.engine.worlds import MakeWorld, mail, people, target
from tests.world import World, person, planned

pytestmark = pytest.mark.anyio


class Counting:
    """Counts what each connector of a world parses."""

    def __init__(self, world: World) -> None:
        self.parsed: dict[str, int] = {}
        world.adapt = self.adapt

    def adapt(self, connector: Connector) -> Connector:
        parse, name = connector.parse, connector.name

        def counting(record: bytes) -> Account:
            self.parsed[name] = self.parsed.get(name, 0) + 1
            return parse(record)

        connector.parse = counting  # type: ignore[method-assign]
        return connector

    async def run(self, world: World) -> dict[str, int]:
        """What one run parses; the answers of writes are accounts already."""
        self.parsed = {}
        report, _ = await world.run()
        assert not report.failed
        return self.parsed


async def start(world: MakeWorld, rows: list[dict[str, str]], **options: Any) -> tuple[World, Counting]:
    w = world(target=target("delete"), **options)
    counting = Counting(w)
    w.write(rows)
    await w.run()
    await w.run()
    return w, counting


async def test_known_bytes_are_not_parsed(world: MakeWorld) -> None:
    w, counting = await start(world, people(*range(1, 31)))
    assert await counting.run(w) == {}
    w.write([person(1, phone="5"), *people(*range(2, 31))])
    assert await counting.run(w) == {"file": 1, "memory": 1}, "the written account is answered, and parsed by its connector"
    assert await counting.run(w) == {"memory": 1}, "syncd wrote it, so its bytes are unknown once"
    assert await counting.run(w) == {}


@pytest.mark.parametrize(
    "rows", [[*people(*range(15, 31)), *people(*range(1, 15))], people(*range(30, 0, -1))], ids=["shifted", "reversed"]
)
async def test_another_order_is_recognised(world: MakeWorld, rows: list[dict[str, str]]) -> None:
    w, counting = await start(world, people(*range(1, 31)))
    w.write(rows)
    assert await counting.run(w) == {}


async def test_insertions_cost_themselves_only(world: MakeWorld) -> None:
    w, counting = await start(world, people(*range(1, 31)))
    for first in (100, 200):
        w.write([*people(*range(first, first + 5)), *people(*range(1, 31))])
        assert (await counting.run(w))["file"] == 5
    assert not w.verify()


async def test_what_stands_too_far_off_is_parsed_and_then_recognised(world: MakeWorld, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(ledger, "SLACK", 2)
    monkeypatch.setattr(ledger, "WIDEST", 4)
    w, counting = await start(world, people(*range(1, 31)))
    w.write(people(*range(30, 0, -1)))
    parsed = (await counting.run(w)).get("file", 0)
    assert parsed <= 30
    assert w.store.value("SELECT COUNT(*) FROM dirty") == 0
    _, plan = await w.run()
    assert planned(plan) == []
    assert not w.verify()


async def test_a_changed_read_map_forgets_all_bytes(world: MakeWorld) -> None:
    w, counting = await start(world, [person(1, login="Boss"), person(2)])
    w.read = {"title": "login"}
    parsed = await counting.run(w)
    assert parsed["file"] == 2
    assert w.account(mail(1))["title"] == "Boss"


async def test_a_changed_time_zone_forgets_all_bytes(world: MakeWorld) -> None:
    w, counting = await start(world, people(1, 2))
    w.timezone = "Asia/Tokyo"
    assert await counting.run(w) == {"file": 2}


async def test_a_hand_made_return_to_the_old_bytes_is_seen(world: MakeWorld) -> None:
    """syncd changes an account, somebody puts back exactly what was there before: unknown bytes, and drift."""
    w, _ = await start(world, people(1, 2))
    before = dict(w.account(mail(1)))
    w.write([person(1, phone="5"), person(2)])
    await w.run()
    id = next(id for id, account in w.directory.accounts.items() if account["userName"] == mail(1))
    w.directory.accounts[id] = before
    _, plan = await w.run()
    assert planned(plan) == [("update", mail(1), "")]


async def test_the_same_bytes_twice_are_one_account(world: MakeWorld) -> None:
    w, _ = await start(world, people(1, 2))

    class Twice(MemoryConnector):
        async def list(self, *args: Any) -> Any:
            page = await super().list(*args)
            return replace(page, records=[*page.records, *page.records])

    w.memory = Twice
    report, plan = await w.run()
    assert (planned(plan), report.converged) == ([], True)


def test_seen_is_a_set_of_row_ids() -> None:
    seen = Seen()
    for row in (3, 9000, 3, 70_000):
        seen.add(row)
    assert [row in seen for row in (3, 4, 9000, 70_000, 70_001, 10**9)] == [True, False, True, True, False, False]
    assert seen.count == 3


async def test_memory_is_bounded_the_oldest_are_forgotten_first(world: MakeWorld, monkeypatch: pytest.MonkeyPatch) -> None:
    w, _ = await start(world, people(*range(1, 31)))
    monkeypatch.setattr(ledger, "WIDEST", 4)
    found = Ledger(w.store, "people")
    known = [row.digest for row in w.store.rows("SELECT digest FROM account WHERE connection = 'people' ORDER BY ordinal")]
    assert found.recognise([b"nobody's"]) == [None]
    assert [row is not None for row in found.recognise(known)] == [False] * 26 + [True] * 4


def test_digests_are_keyed_by_the_store(world: MakeWorld) -> None:
    w = world()
    ours = Ledger(w.store, "app").digests([b"x"])
    w.store.digest_key = bytes(16)
    assert Ledger(w.store, "app").digests([b"x"]) != ours
    assert len(ours[0]) == 16
