"""What a listing proves: nothing about leavers unless it was complete, and completeness itself is put to the test."""

from __future__ import annotations

import sqlite3
from datetime import timedelta
from typing import Any

import pytest

from syncd.connectors.base import Connector
from syncd.connectors.memory import MemoryConnector
from syncd.errors import InDoubt, Quarantined, Rejected, Retryable, SyncdError
from syncd.model import Cursor, Flaw, MapEntry, Page, Ref, Unknown, Watermark
from tests.engine.conftest import MakeWorld
from tests.engine.worlds import mail, people, states, target, writes
from tests.world import World, person, planned

pytestmark = pytest.mark.anyio


async def start(world: MakeWorld, *numbers: int, **options: Any) -> World:
    w = world(target=options.pop("target", target("delete")), **options)
    w.write(people(*numbers))
    report, _ = await w.run()
    assert report.converged
    w.clock.pass_time(timedelta(minutes=1))
    return w


def names(world: World) -> set[str]:
    return {account["userName"] for account in world.directory.accounts.values()}


async def test_an_incomplete_source_plans_no_leaver_and_lets_newcomers_and_changes_through(world: MakeWorld) -> None:
    w = await start(world, 1, 2, 3, 4)
    w.write([person(2, phone="5"), person(3, active="no"), person(5)])
    w.people_file.write_text(w.people_file.read_text().rstrip("\n"))
    report, plan = await w.run()
    assert planned(plan) == [("update", mail(2), "")], "e5 stands in the line that broke off"
    assert report.failed
    assert "e" in {result.name: result.error for result in report.results}["people"]
    w.write([person(2, phone="5"), person(3, active="no"), person(5), {"email": "no id"}])
    report, plan = await w.run()
    assert planned(plan) == [("create", mail(5), "")]
    assert report.failed
    assert names(w) == {mail(1), mail(2), mail(3), mail(4), mail(5)}
    w.write([person(2, phone="5"), person(3, active="no"), person(5)])
    _, plan = await w.run()
    assert planned(plan) == [("delete", mail(1), ""), ("delete", mail(4), ""), ("disable", mail(3), "")]


async def test_a_leaver_by_time_alone_waits_for_a_complete_source_too(world: MakeWorld) -> None:
    w = world(target=target("disable"))
    w.write([person(1, activeUntil="2026-01-01"), person(2)])
    await w.run()
    w.clock.pass_time(timedelta(days=1))
    w.people_file.unlink()
    report, plan = await w.run()
    assert (report.failed, planned(plan), w.account(mail(1))["active"]) == (True, [], True)


async def test_a_broken_target_listing_plans_no_leaver(world: MakeWorld) -> None:
    w = await start(world, 1, 2, 3)
    w.write(people(2, 3))
    w.directory.cut = 2
    report, plan = await w.run()
    assert (report.failed, planned(plan)) == (True, [])
    w.directory.cut = None
    _, plan = await w.run()
    assert planned(plan) == [("delete", mail(1), "")]


async def test_an_account_missing_from_the_list_that_answers_by_itself_proves_the_list_incomplete(world: MakeWorld) -> None:
    w = await start(world, 1, 2, 3)
    w.write(people(2, 3))
    w.directory.hidden = {id for id, account in w.directory.accounts.items() if account["userName"] == mail(3)}
    report, plan = await w.run()
    assert planned(plan) == []
    assert "is missing from the list and yet exists" in {result.name: result.error for result in report.results}["app"]
    w.directory.hidden = set()
    _, plan = await w.run()
    assert planned(plan) == [("delete", mail(1), "")]


async def test_a_stranger_missing_from_the_list_that_answers_by_itself_proves_the_list_incomplete_too(world: MakeWorld) -> None:
    w = world(target=target("delete"))
    w.directory.add("x", userName="stranger")
    w.write(people(1, 2))
    await w.run()
    w.write(people(2))
    w.directory.hidden = {"x"}
    report, plan = await w.run()
    assert (planned(plan), report.failed) == ([], True)


async def test_an_account_younger_than_the_list_lag_may_be_missing(world: MakeWorld) -> None:
    w = world(target=target("delete", settle=timedelta(seconds=10)))
    w.directory.lag = 10.0
    w.write(people(1, 2))
    await w.run()
    w.clock.pass_time(timedelta(seconds=5))
    w.write(people(2))
    report, plan = await w.run()
    assert planned(plan) == [("delete", mail(1), "")]
    assert report.converged
    assert [method for method, _ in writes(w)] == ["create", "create", "delete"], "not created again though no list shows it"
    w.clock.pass_time(timedelta(seconds=6))
    report, plan = await w.run()
    assert (report.converged, planned(plan)) == (True, [])


async def test_a_list_that_still_shows_what_was_deleted_brings_nobody_back(world: MakeWorld) -> None:
    w = world(target=target("delete", settle=timedelta(seconds=10)))
    w.directory.lag = 8.0
    w.write(people(1, 2))
    await w.run()
    w.clock.pass_time(timedelta(minutes=1))
    w.write(people(2))
    await w.run()
    w.clock.pass_time(timedelta(seconds=5))
    w.write(people(1, 2))
    report, plan = await w.run()
    assert planned(plan) == [("create", mail(1), "")], "made anew, not taken for the one in the old list"
    assert report.converged
    w.clock.pass_time(timedelta(minutes=1))
    report, plan = await w.run()
    assert (report.converged, planned(plan), w.verify()) == (True, [], [])


async def test_an_account_deleted_outside_syncd_is_created_again_once_proven_gone(world: MakeWorld) -> None:
    w = await start(world, 1, 2)
    lost = next(id for id, account in w.directory.accounts.items() if account["userName"] == mail(1))
    del w.directory.accounts[lost]
    w.directory.fail_next("fetch", Retryable("try later"))
    report, plan = await w.run()
    assert (planned(plan), report.failed) == ([], True)
    _, plan = await w.run()
    assert [(row.kind, row.who, row.reason) for row in plan.changes()] == [("create", mail(1), "deleted outside syncd")]
    assert names(w) == {mail(1), mail(2)}
    assert not w.verify()


async def test_an_account_deleted_outside_syncd_is_only_reported_where_drift_says_so(world: MakeWorld) -> None:
    w = await start(world, 1, 2, target=target("delete", drift="report"))
    w.directory.accounts.pop(next(iter(w.directory.accounts)))
    for _ in range(2):
        report, plan = await w.run()
        assert [code for _, _, code in planned(plan)] == ["drift"]
        assert report.waiting
    assert len(w.directory.accounts) == 1
    w.release()
    report, _ = await w.run()
    assert (report.converged, len(w.directory.accounts)) == (True, 2)


async def test_an_account_changed_outside_syncd_is_repaired(world: MakeWorld) -> None:
    w = await start(world, 1, 2)
    w.account(mail(1))["displayName"] = "Vandal"
    _, plan = await w.run()
    assert [(row.kind, row.reason) for row in plan.changes()] == [("update", "changed outside syncd")]
    assert w.account(mail(1))["displayName"] == "Person 1"


async def test_an_account_changed_outside_syncd_is_held_where_drift_is_only_reported(world: MakeWorld) -> None:
    w = await start(world, 1, 2, target=target("delete", drift="report"))
    w.account(mail(1))["displayName"] = "Vandal"
    report, plan = await w.run()
    assert planned(plan) == [("update", mail(1), "drift")]
    assert w.account(mail(1))["displayName"] == "Vandal"
    w.write([person(1, phone="5"), person(2)])
    report, plan = await w.run()
    assert planned(plan) == [("update", mail(1), "")], "a change of the person's own is no drift"
    assert report.converged


async def test_what_others_add_to_a_shared_list_does_not_hide_later_drift(world: MakeWorld) -> None:
    w = world(target=target("delete", drift="report", attributes={"labels": "title"}))
    w.write([person(1, title="staff"), person(2)])
    await w.run()
    w.account(mail(1))["labels"].append("theirs")
    report, plan = await w.run()
    assert (planned(plan), report.converged) == ([], True)
    w.account(mail(1))["displayName"] = "Vandal"
    _, plan = await w.run()
    assert planned(plan) == [("update", mail(1), "drift")]


async def test_an_account_that_syncd_deleted_for_a_replacement_is_no_drift(world: MakeWorld) -> None:
    """on_key_change: replace deletes and creates; when the create fails, the next run simply makes it."""
    w = await start(world, 1, 2, target=target("delete", drift="report", on_key_change="replace"))
    w.write([person(1, email="new@corp.example"), person(2)])
    await w.run()
    w.release()
    w.directory.fail_next("create", Retryable("try later"))
    await w.run()
    assert names(w) == {mail(2)}
    report, plan = await w.run()
    assert planned(plan) == [("create", "new@corp.example", "")]
    assert report.converged


@pytest.mark.parametrize(
    ("answer", "stopped"),
    [(Retryable("try later"), False), (Rejected("no"), False), (InDoubt("lost"), False), (Quarantined("HTTP 403"), True)],
    ids=lambda value: type(value).__name__,
)
async def test_a_missing_account_that_cannot_be_asked_for_leaves_the_list_unproven(
    world: MakeWorld, answer: SyncdError, stopped: bool
) -> None:
    w = await start(world, 1, 2, 3)
    w.directory.accounts.pop(next(iter(w.directory.accounts)))
    w.write([person(2, phone="5"), person(3)])
    w.directory.fail_next("fetch", answer)
    report, plan = await w.run()
    assert "could not be asked for" in report.results[1].error or str(answer) in report.results[1].error
    assert [kind for kind, _, _ in planned(plan)] == ([] if stopped else ["update"])
    assert w.account(mail(2)).get("phone") == (None if stopped else "5"), "a connection that refuses us is left alone at once"


class Odd(MemoryConnector):
    """A listing or an answer as a faulty provider might give it. ``pages``: what the listing answers, one page after the other."""

    pages: list[Page | BaseException]
    answer: Any = None

    @classmethod
    def of(cls, connector: Connector, pages: list[Page | BaseException], answer: Any = None) -> Connector:
        if isinstance(connector, MemoryConnector):
            connector.__class__ = cls
            assert isinstance(connector, cls)
            connector.pages, connector.answer = pages, answer
        return connector

    async def list(self, cursor: Cursor | None, since: Watermark | None = None) -> Page:
        if not self.pages:
            return await super().list(cursor, since)
        page = self.pages.pop(0)
        if isinstance(page, BaseException):
            raise page
        return page

    async def fetch(self, ref: Ref) -> Any:
        if isinstance(self.answer, BaseException):
            raise self.answer
        return self.answer or await super().fetch(ref)


async def odd(world: World, *pages: Page | BaseException, answer: Any = None) -> tuple[str, list[tuple[str, str, str]]]:
    """(error of the target, plan) of one run with these pages."""
    world.adapt = lambda connector: Odd.of(connector, list(pages), answer)
    report, plan = await world.run()
    return report.results[1].error, planned(plan)


async def test_a_listing_that_proves_nothing_says_why(world: MakeWorld) -> None:
    w = await start(world, 1, 2)
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
        assert await odd(w, *pages) == (defect, []), defect
    assert names(w) == {mail(1), mail(2)}


async def test_a_page_that_is_on_its_way_when_another_breaks_is_received_to_its_end(world: MakeWorld) -> None:
    """The staging of page one fails; page two has been asked for and fails too, unheard."""
    w = await start(world, 1, 2)

    class Breaking(list[Flaw]):
        def __iter__(self) -> Any:
            raise ZeroDivisionError

    w.adapt = lambda connector: Odd.of(connector, [Page((), next=Cursor("a"), flaws=Breaking()), Retryable("unheard")])
    with pytest.raises(ZeroDivisionError):
        await w.run()


async def test_who_is_missing_where_the_provider_can_say_nothing_about_it_leaves_the_list_unproven(world: MakeWorld) -> None:
    w = await start(world, 1, 2)
    w.directory.accounts.pop(next(iter(w.directory.accounts)))
    error, plan = await odd(w, answer=Unknown("no idea"))
    assert (error.endswith("is missing from the list and nothing proves it gone"), plan) == (True, [])


async def test_an_error_nobody_foresaw_is_not_swallowed(world: MakeWorld) -> None:
    w = await start(world, 1, 2)
    w.directory.accounts.pop(next(iter(w.directory.accounts)))
    with pytest.raises(ZeroDivisionError):
        await odd(w, answer=ZeroDivisionError())


async def test_nothing_is_created_at_a_target_that_was_never_listed_to_its_end(world: MakeWorld) -> None:
    w = world()
    w.write(people(1))
    w.directory.add("x", userName="stranger")
    w.directory.add("y", userName="stranger 2")
    w.directory.cut = 1
    report, plan = await w.run()
    assert (report.failed, planned(plan), writes(w)) == (True, [], [])


async def test_a_flawed_record_of_a_known_account_counts_as_seen(world: MakeWorld) -> None:
    w = await start(world, 1, 2)
    w.write([person(1, activeUntil="soon"), person(2)])
    report, plan = await w.run()
    assert (planned(plan), report.failed) == ([], False)
    assert w.pending() == [("rejected", "", "e1")]
    w.write([person(2)])
    _, plan = await w.run()
    assert planned(plan) == [("delete", mail(1), "")]
    assert w.pending() == []


async def test_a_flawed_record_of_somebody_new_is_reported_and_hides_nobody(world: MakeWorld) -> None:
    w = await start(world, 1, 2)
    w.write([person(3, activeUntil="soon"), person(2)])
    report, plan = await w.run()
    assert planned(plan) == [("delete", mail(1), "")]
    assert ({result.name: result.rejected for result in report.results}, report.failed) == ({"people": 1, "app": 0}, False)


async def test_a_record_refused_by_its_connector_counts_as_seen_by_its_id(world: MakeWorld) -> None:
    w = await start(world, 1, 2)

    class Strict(MemoryConnector):
        def parse(self, record: bytes) -> Any:
            account = super().parse(record)
            if account.attributes.get("title") == "poison":
                raise Rejected("cannot be kept", account=account.id)
            return account

    def adapt(connector: Connector) -> Connector:
        if isinstance(connector, MemoryConnector):
            connector.__class__ = Strict
        return connector

    w.adapt = adapt
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
    w = await start(world, 1, 2)

    class Drifted(MemoryConnector):
        def parse(self, record: bytes) -> Any:
            raise Quarantined("every record lacks its id: the format has changed")

    def adapt(connector: Connector) -> Connector:
        if isinstance(connector, MemoryConnector):
            connector.__class__ = Drifted
        return connector

    w.adapt = adapt
    w.write([person(1, phone="5")])
    w.account(mail(1))["title"] = "new bytes"
    report, plan = await w.run()
    assert (report.results[1].error, planned(plan)) == ("every record lacks its id: the format has changed", [])


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
