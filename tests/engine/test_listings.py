"""Listings and records as a faulty provider gives them: what each is worth."""

from __future__ import annotations

import asyncio
import sqlite3
from dataclasses import replace
from datetime import timedelta
from typing import Any

import pytest

from syncd.connectors.memory import MemoryConnector
from syncd.engine import read
from syncd.errors import Quarantined, Rejected, Retryable
from syncd.model import Cursor, Flaw, MapEntry, Page, Ref, Unknown, Watermark
from tests.engine.worlds import (
    MakeWorld,
    established,
    mail,
    names,
    people,
    states,
    target,
)
from tests.world import World, person, planned

pytestmark = pytest.mark.anyio


def faulty(*pages: Page | BaseException, answer: Any = None) -> type[MemoryConnector]:
    """A target whose listing gives these pages one after the other, and that answers so when asked for an account."""
    rest = list(pages)

    class Faulty(MemoryConnector):
        async def list(self, cursor: Cursor | None, since: Watermark | None = None) -> Page:
            page = rest.pop(0) if rest else await super().list(cursor, since)
            if isinstance(page, BaseException):
                raise page
            return page

        async def fetch(self, ref: Ref) -> Any:
            if isinstance(answer, BaseException):
                raise answer
            return answer or await super().fetch(ref)

    return Faulty


async def outcome(world: World, memory: type[MemoryConnector]) -> tuple[str, list[tuple[str, str, str]]]:
    """(error of the target, plan) of one run against it."""
    world.memory = memory
    report, plan = await world.run()
    return report.results[1].error, planned(plan)


async def test_a_listing_that_proves_nothing_says_why(world: MakeWorld) -> None:
    w = await established(world, *people(1, 2))
    w.write(people(2))
    round_trip = Page((), next=Cursor("a"))
    for pages, defect in [
        ([round_trip, round_trip], "its cursor came round again"),
        ([Page(())], "it ended without proof of its end"),
        ([Page((), defect="totals shrank")], "totals shrank"),
        ([round_trip, Retryable("HTTP 503")], "HTTP 503"),
        ([Rejected("HTTP 400")], "HTTP 400"),
        ([Quarantined("HTTP 401")], "HTTP 401"),
        ([Page((), complete=True, flaws=[Flaw("record 1", "no JSON")])], "record 1: no JSON"),
    ]:
        assert await outcome(w, faulty(*pages)) == (defect, []), defect
    assert names(w) == {mail(1), mail(2)}


async def test_a_page_that_is_on_its_way_when_another_breaks_is_received_to_its_end(world: MakeWorld) -> None:
    """The staging of page one fails; page two has been asked for and fails too, unheard."""
    w = await established(world, *people(1, 2))

    class Breaking(list[Flaw]):
        def __iter__(self) -> Any:
            raise ZeroDivisionError

    with pytest.raises(ZeroDivisionError):
        await outcome(w, faulty(Page((), next=Cursor("a"), flaws=Breaking()), Retryable("unheard")))


async def test_who_is_missing_where_the_provider_can_say_nothing_about_it_leaves_the_list_unproven(world: MakeWorld) -> None:
    w = await established(world, *people(1, 2))
    w.directory.accounts.pop(next(iter(w.directory.accounts)))
    error, plan = await outcome(w, faulty(answer=Unknown("no idea")))
    assert (error.endswith("is missing from the list and nothing proves it gone"), plan) == (True, [])


async def test_an_error_nobody_foresaw_is_not_swallowed(world: MakeWorld) -> None:
    w = await established(world, *people(1, 2))
    w.directory.accounts.pop(next(iter(w.directory.accounts)))
    with pytest.raises(ZeroDivisionError):
        await outcome(w, faulty(answer=ZeroDivisionError()))


async def test_a_flawed_record_of_a_known_account_counts_as_seen(world: MakeWorld) -> None:
    w = await established(world, *people(1, 2))
    w.write([person(1, activeUntil="soon"), person(2)])
    report, plan = await w.run()
    assert (planned(plan), report.failed) == ([], False)
    assert w.pending() == [("rejected", "", "e1")]
    w.write([person(2)])
    _, plan = await w.run()
    assert planned(plan) == [("delete", mail(1), "")]
    assert w.pending() == []


async def test_a_flawed_record_of_somebody_new_is_reported_and_hides_nobody(world: MakeWorld) -> None:
    w = await established(world, *people(1, 2))
    w.write([person(3, activeUntil="soon"), person(2)])
    report, plan = await w.run()
    assert planned(plan) == [("delete", mail(1), "")]
    assert ({result.name: result.rejected for result in report.results}, report.failed) == ({"people": 1, "app": 0}, False)


async def test_a_record_refused_by_its_connector_counts_as_seen_by_its_id(world: MakeWorld) -> None:
    w = await established(world, *people(1, 2))

    class Strict(MemoryConnector):
        def parse(self, record: bytes) -> Any:
            account = super().parse(record)
            if account.attributes.get("title") == "poison":
                raise Rejected("cannot be kept", account=account.id)
            return account

    w.memory = Strict
    w.account(mail(2))["title"] = "poison"
    w.write(people(2))
    report, plan = await w.run()
    assert (planned(plan), report.results[1].error) == ([("delete", mail(1), "")], "")


async def test_a_record_that_cannot_be_mapped_leaves_its_person_as_known(world: MakeWorld) -> None:
    """A word that is in no map: the record is flawed, the person neither changed nor gone."""
    w = world(target=target("delete"), read={"title": MapEntry("", "name", "login", table={"boss": "Boss"})})
    w.write([person(1, login="boss"), person(2, login="boss")])
    await w.run()
    w.write([person(1, login="chief", phone="5"), person(2, login="boss")])
    report, plan = await w.run()
    assert (planned(plan), report.results[0].rejected, w.account(mail(1))["title"]) == ([], 1, "Boss")


async def test_records_of_another_format_stop_the_connection(world: MakeWorld) -> None:
    w = await established(world, *people(1, 2))

    class Drifted(MemoryConnector):
        def parse(self, record: bytes) -> Any:
            raise Quarantined("every record lacks its id: the format has changed")

    w.memory = Drifted
    w.write([person(1, phone="5")])
    w.account(mail(1))["title"] = "new bytes"
    report, plan = await w.run()
    assert (report.results[1].error, planned(plan)) == ("every record lacks its id: the format has changed", [])


async def test_a_departed_person_whose_record_is_back_unreadable_is_frozen_until_it_can_be_read(world: MakeWorld) -> None:
    w = await established(world, *people(1, 2), target=target("delete", grace=timedelta(days=7)))
    w.write(people(2))
    await w.run()
    assert states(w)[mail(1)] == "grace"
    w.write([person(1, activeUntil="soon"), person(2)])
    w.clock.pass_time(timedelta(days=8))
    report, plan = await w.run()
    assert (planned(plan), report.results[0].rejected, states(w)[mail(1)]) == ([], 1, "frozen")
    w.write(people(1, 2))
    report, plan = await w.run()
    assert (planned(plan), report.converged) == ([("update", mail(1), "")], True)


@pytest.mark.sqlite("its limit of values is lowered")
async def test_more_people_vanish_than_one_statement_can_name(world: MakeWorld) -> None:
    w = world(target=target("keep"))
    numbers = range(1, 1201)
    w.write(people(*numbers))
    await w.run()
    w.store.sql.connection.dbapi_connection.setlimit(sqlite3.SQLITE_LIMIT_VARIABLE_NUMBER, 1010)  # type: ignore[union-attr]
    w.write(people(1))
    report, _ = await w.run()
    assert (report.converged, states(w)[mail(1)], len(w.verify())) == (True, "live", 0)
    assert w.store.value("SELECT COUNT(*) FROM link WHERE state = 'kept'") == 1199


async def test_what_is_there_is_stored_while_a_slow_provider_makes_the_next_page(world: MakeWorld, monkeypatch: Any) -> None:
    monkeypatch.setattr(read, "EARLY", 1)
    w = await established(world, *people(1, 2))
    w.directory.add("x", userName="stranger")

    class Slow(MemoryConnector):
        """Nobody gets a second page before the first is in the store."""

        async def list(self, cursor: Cursor | None, since: Watermark | None = None) -> Page:
            if cursor is None:
                return replace(await super().list(None), next=Cursor("2"), complete=False)
            async with asyncio.timeout(30):
                while not w.store.value("SELECT COUNT(*) FROM account WHERE connection = 'app' AND account = 'x'"):
                    await asyncio.sleep(0)
            return Page((), complete=True)

    assert await outcome(w, Slow) == ("", [])
