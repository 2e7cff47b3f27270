"""Listings of the memory connector: pages, lag, hidden accounts, and listings that break off."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from syncd.connectors.memory import MemoryConnector, MemoryOptions
from syncd.connectors.memory_directory import MemoryDirectory
from syncd.environment import Environment
from syncd.model import Account, Cursor, Gone, Rate, Ref

pytestmark = pytest.mark.anyio


@pytest.fixture
def directory() -> Iterator[MemoryDirectory]:
    yield MemoryDirectory.fresh("test")
    MemoryDirectory.fresh("test")


def connect(clock: Environment, **options: Any) -> MemoryConnector:
    return MemoryConnector(MemoryOptions(directory="test", **options), environment=clock, rate=Rate(), writable=True)


async def listed(connector: MemoryConnector) -> list[str]:
    ids: list[str] = []
    cursor: Cursor | None = None
    while True:
        page = await connector.list(cursor)
        assert page.first == len(ids)
        ids += [connector.parse(record).id for record in page.records]
        cursor = page.next
        assert page.complete == (cursor is None)
        if cursor is None:
            return ids


@given(st.integers(0, 30), st.integers(1, 12))
async def test_a_listing_shows_each_account_once(count: int, page: int) -> None:
    directory = MemoryDirectory.fresh("test")
    ids = [directory.add(userName=f"u{n}") for n in range(count)]
    assert await listed(connect(Environment(), page=page)) == sorted(ids)


async def test_an_account_removed_between_pages_moves_nobody(directory: MemoryDirectory, clock: Environment) -> None:
    for id in "abcd":
        directory.add(id, userName=id)
    connector = connect(clock, page=2)
    first = await connector.list(None)
    directory.remove("b", clock.monotonic())
    second = await connector.list(first.next)
    assert [connector.parse(record).id for record in second.records] == ["c", "d"]
    assert (second.first, second.complete) == (2, True)


@pytest.mark.parametrize("cut", [0, 1, 2, 3])
async def test_a_listing_that_breaks_off_is_not_complete(cut: int, directory: MemoryDirectory, clock: Environment) -> None:
    for id in "abcd":
        directory.add(id)
    directory.cut = cut
    connector, cursor, count = connect(clock, page=2), None, 0
    while True:
        page = await connector.list(cursor)
        count += len(page.records)
        cursor = page.next
        if cursor is None:
            break
    assert (count, page.complete, page.defect) == (cut, False, f"the listing broke off after {cut} accounts")


async def test_a_cut_behind_the_last_account_cuts_nothing(directory: MemoryDirectory, clock: Environment) -> None:
    directory.add("a")
    directory.cut = 1
    assert await listed(connect(clock)) == ["a"]


async def test_a_hidden_account_still_answers(directory: MemoryDirectory, clock: Environment) -> None:
    directory.hidden.add(directory.add("a", userName="x"))
    connector = connect(clock)
    assert await listed(connector) == []
    answer = await connector.fetch(Ref("a"))
    assert isinstance(answer, Account) and (answer.id, answer.attributes["userName"]) == ("a", "x")
    assert [one.id for one in await connector.find({"userName": "x"})] == ["a"]


async def test_listings_lag_behind_writes_and_reads_do_not(directory: MemoryDirectory, clock: Any) -> None:
    directory.lag = 10
    directory.add("old", userName="old")
    connector = connect(clock)
    directory.create("new", {"userName": "new"}, clock.monotonic())
    directory.remove("old", clock.monotonic())
    assert await listed(connector) == ["old"]
    assert isinstance(await connector.fetch(Ref("old")), Gone)
    assert [one.id for one in await connector.find({"userName": "new"})] == ["new"]
    clock.advance(10)
    assert await listed(connector) == ["new"]


async def test_an_unchanged_account_keeps_its_bytes(directory: MemoryDirectory, clock: Environment) -> None:
    directory.add("a", userName="x", email="e")
    before = (await connect(clock).list(None)).records
    directory.accounts["a"] = {"email": "e", "userName": "x"}
    assert (await connect(clock).list(None)).records == before


def test_directories_are_shared_by_name(clock: Environment) -> None:
    directory = MemoryDirectory.fresh("test")
    assert MemoryDirectory.named("test") is directory is connect(clock).directory
    assert MemoryDirectory.named("other") is not directory
    assert MemoryDirectory.fresh("test") is not directory
