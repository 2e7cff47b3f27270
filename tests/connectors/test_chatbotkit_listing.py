"""Listing ChatBotKit users: everyone once, whoever is deleted meanwhile; under each fault the whole truth, or word that it is not."""

from __future__ import annotations

import pytest
from chatbotkit_world import world
from loopback import Received, raw_server, reply, scripted

from syncd.errors import Incomplete, Quarantined, Rejected, Retryable
from syncd.model import Cursor, Watermark

pytestmark = pytest.mark.anyio


async def test_a_walk_meets_everyone_once_behind_the_last_user_seen() -> None:
    async with world(sandbox={"users": 250}) as w:
        pages = await w.walk()
        assert w.shown(*pages) == w.ids
    assert [page.first for page in pages] == [0, 100, 200, 250]
    assert [page.complete for page in pages] == [False, False, False, True]
    assert not any(page.defect or page.flaws for page in pages)
    assert w.lines == [*["get /list"] * 4, f"get /{w.ids[-1]}/fetch"], "the last one proves the end"
    assert w.sent[0].query == "order=asc&take=100"
    assert w.sent[1].query == f"cursor={w.ids[99]}&order=asc&take=100"


async def test_an_empty_directory_is_complete() -> None:
    async with world() as w:
        (page,) = await w.walk()
    assert (page.records, page.complete, page.next, page.watermark) == ((), True, None, "[]")


async def test_a_short_page_is_no_end() -> None:
    async with world(sandbox={"users": 250, "faults": "shrink@list:3"}) as w:
        pages = await w.walk()
        assert w.shown(*pages) == w.ids
    assert [len(page.records) for page in pages] == [50, 50, 50, 100, 0]


async def test_who_comes_during_the_walk_comes_last() -> None:
    async with world(sandbox={"users": 150}) as w:
        first = await w.connector.list(None)
        w.parent.create({"name": "new"})
        second = await w.connector.list(first.next)
        assert w.shown(first, second) == w.ids


@pytest.mark.parametrize("fails", [False, True])
@pytest.mark.parametrize("gone", [1, 3])
async def test_when_the_last_users_of_a_page_are_deleted_the_one_before_them_leads_on(gone: int, fails: bool) -> None:
    async with world(sandbox={"users": 250}) as w:
        names = w.ids
        w.parent.cursor_fails = fails
        first = await w.connector.list(None)
        for id in names[100 - gone : 100]:
            w.parent.delete(id)
        second = await w.connector.list(first.next)
        assert w.shown(second) == names[100:200]
        assert not second.complete


@pytest.mark.parametrize("fails", [False, True])
async def test_when_the_last_user_of_all_is_deleted_the_end_is_proven_by_another(fails: bool) -> None:
    async with world(sandbox={"users": 100}) as w:
        names = w.ids
        w.parent.cursor_fails = fails
        first = await w.connector.list(None)
        w.parent.delete(names[-1])
        last = await w.connector.list(first.next)
    assert (last.records, last.complete) == ((), True)
    assert w.lines[-1] == f"get /{names[-2]}/fetch"


async def test_a_deleted_user_that_is_still_listed_proves_no_end_but_the_one_before_does() -> None:
    async with world(sandbox={"users": 100}) as w:
        names = w.ids
        w.sandbox.list_lag = 3600.0
        first = await w.connector.list(None)
        w.parent.delete(names[-1])
        w.parent.page = (lambda page: lambda asked: page(asked) if asked.cursor != names[-1] else ())(w.parent.page)  # type: ignore[method-assign]
        last = await w.connector.list(first.next)
    assert (last.records, last.complete) == ((), True)


async def test_when_too_many_are_deleted_the_listing_starts_again() -> None:
    async with world(sandbox={"users": 250}) as w:
        first = await w.connector.list(None)
        for id in w.ids[50:100]:
            w.parent.delete(id)
        with pytest.raises(Incomplete, match="the last 20 accounts seen are gone"):
            await w.connector.list(first.next)


async def test_an_end_that_cannot_be_proven_is_none() -> None:
    async with world(sandbox={"users": 100, "faults": "500@fetch:*"}) as w:
        first = await w.connector.list(None)
        with pytest.raises(Retryable):
            await w.connector.list(first.next)
    for refused in (reply(b"<html>", 404), reply({"message": "no", "code": "BAD_REQUEST"}, 400)):

        async def answering(request: Received, writer: object, refused: bytes = refused) -> bytes:
            return refused if "fetch" in request.target else reply({"items": [] if "cursor" in request.target else [{"id": "c1"}]})

        async with raw_server(answering) as server, world(base_url=f"{server.url}/v1") as w:
            first = await w.connector.list(None)
            with pytest.raises(Incomplete, match="c1 cannot be asked for"):
                await w.connector.list(first.next)


async def test_a_user_that_cannot_be_read_is_there_all_the_same() -> None:
    async with world(sandbox={"users": 1, "faults": "nul@fetch"}) as w:
        pages = await w.walk()
    assert pages[-1].complete


async def test_a_listing_goes_on_from_its_cursor_in_another_process() -> None:
    async with world(sandbox={"users": 150}) as w:
        first = await w.connector.list(None)
        async with world(base_url=str(w.connector._http.root)) as other:
            second = await other.connector.list(first.next)
        assert await w.connector.list(first.next) == await w.connector.list(first.next) == second
    assert (second.first, len(second.records)) == (100, 50)


PASSING = ("500", "503", "429", "reset", "truncated", "cut", "html", "error_body", "empty", "content_type", "redirect")


@pytest.mark.parametrize("kind", PASSING)
async def test_faults_that_pass_are_tried_again(kind: str) -> None:
    async with world(sandbox={"users": 120, "faults": f"{kind}@page"}) as w:
        pages = await w.walk()
        assert w.shown(*pages) == w.ids
        assert pages[-1].complete


@pytest.mark.parametrize("kind", ["500", "429", "cut", "html", "error_body", "empty", "redirect"])
async def test_faults_that_last_end_the_listing_without_a_page(kind: str) -> None:
    async with world(sandbox={"users": 120, "faults": f"{kind}@page:*"}) as w:
        first = await w.connector.list(None)
        with pytest.raises(Retryable):
            await w.connector.list(first.next)


async def test_a_refused_page_and_a_refused_secret() -> None:
    async with world(sandbox={"users": 120, "faults": "403@list:1,404@list:1,cursor@page"}) as w:
        with pytest.raises(Quarantined, match="credentials"):
            await w.connector.list(None)
        with pytest.raises(Incomplete, match="NOT_FOUND"):
            await w.connector.list(None)
        first = await w.connector.list(None)
        with pytest.raises(Incomplete, match="BAD_REQUEST"):
            await w.connector.list(first.next)


async def test_pages_that_come_again_are_a_defect() -> None:
    async with world(sandbox={"users": 250, "faults": "loop@page:*"}) as w:
        pages = await w.walk()
    assert "already read" in pages[-1].defect
    assert not pages[-1].complete
    async with world(sandbox={"users": 60, "faults": "endless@*:*"}) as w:
        pages = await w.walk()
    assert len(pages) < 5
    assert not pages[-1].complete


async def test_a_user_shown_twice_in_one_page_is_shown_twice() -> None:
    async with world(sandbox={"users": 250, "faults": "duplicate@page:1"}) as w:
        pages = await w.walk()
    assert set(w.shown(*pages)) == set(w.ids)
    assert pages[-1].complete


@pytest.mark.parametrize("cursor", ["", "x", "[]", '{"pages":"x"}'])
async def test_a_cursor_of_another_making_is_incomplete(cursor: str) -> None:
    async with world() as w:
        with pytest.raises(Incomplete):
            await w.connector.list(Cursor(cursor))
    assert not w.sent


@pytest.mark.parametrize("watermark", ["", "x", "{}", "[1]"])
async def test_a_watermark_of_another_making_is_incomplete(watermark: str) -> None:
    async with world() as w:
        with pytest.raises(Incomplete):
            await w.connector.list(None, Watermark(watermark))
    assert not w.sent


@pytest.mark.parametrize("fault", ["nan", "deep", "huge", "surrogate", "nul"])
@pytest.mark.parametrize("record", [1, -1])
async def test_one_bad_record_costs_only_itself(fault: str, record: int) -> None:
    async with world(sandbox={"users": 3, "faults": f"{fault}@list:2;record={record}"}) as w:
        pages = await w.walk()
        good, bad = set(), {flaw.id for page in pages for flaw in page.flaws}
        for raw in (raw for page in pages for raw in page.records):
            try:
                good.add(w.connector.parse(raw).id)
            except Rejected as error:
                bad.add(error.account)
        assert pages[-1].complete
        assert bad == {w.ids[record]}
        assert good == set(w.ids) - bad


async def test_a_page_on_which_nobody_says_an_id_cannot_be_gone_on_from() -> None:
    async with scripted(reply({"items": [{"name": "x"}]})) as server, world(base_url=f"{server.url}/v1") as w:
        (page,) = await w.walk()
    assert not page.complete
    assert "no record of the page says its id" in page.defect


async def test_drift_of_the_id_stops_the_connection_and_other_drift_the_record() -> None:
    for field, error in (("id", Quarantined), ("email", Rejected), ("meta", Rejected), ("limits", Rejected)):
        async with world(sandbox={"users": 1, "faults": f"drift@list;field={field}"}) as w:
            page = await w.connector.list(None)
            with pytest.raises(error):
                w.connector.parse(page.records[0])
