"""Listing Appwrite users: everyone once, and under each fault either the whole truth or a page that says it is not."""

from __future__ import annotations

import pytest
from appwrite_world import World, world
from loopback import reply, scripted

from syncd.errors import Incomplete, Quarantined, Rejected, Retryable
from syncd.model import Cursor, Watermark

pytestmark = pytest.mark.anyio


def everyone(w: World) -> list[str]:
    return list(w.project.users)


async def test_a_walk_meets_everyone_once_behind_the_last_user_seen() -> None:
    async with world(sandbox={"users": 250}) as w:
        pages = await w.walk()
        assert w.ids(pages) == everyone(w)
    assert [page.first for page in pages] == [0, 100, 200, 250]
    assert [page.complete for page in pages] == [False, False, False, True]
    assert not any(page.defect or page.flaws for page in pages)
    limit = {"method": "limit", "values": [100]}
    assert [one.queries for one in w.sent[:2]] == [[limit], [limit, {"method": "cursorAfter", "values": [everyone(w)[99]]}]]
    assert w.sent[0].query == "queries%5B0%5D=%7B%22method%22%3A%22limit%22%2C%22values%22%3A%5B100%5D%7D&total=false"


async def test_a_short_page_is_the_end_only_if_nothing_is_behind_it() -> None:
    async with world(sandbox={"users": 250, "faults": "shrink@list:3"}) as w:
        pages = await w.walk()
        assert w.ids(pages) == everyone(w)
    assert [len(page.records) for page in pages] == [50, 50, 50, 100, 0]


async def test_an_empty_project_is_complete() -> None:
    async with world() as w:
        (page,) = await w.walk()
    assert (page.records, page.complete, page.next) == ((), True, None)


async def test_pages_are_as_large_as_configured_and_uncounted_only_where_the_server_knows_how() -> None:
    async with world(sandbox={"users": 250}, page_size=1000, dialect="1.7") as w:
        assert [len(page.records) for page in await w.walk()] == [250, 0]
    assert all("total" not in one.query for one in w.sent)


@pytest.mark.parametrize("gone", [1, 3])
async def test_when_the_last_users_of_a_page_are_deleted_the_one_before_them_leads_on(gone: int) -> None:
    async with world(sandbox={"users": 250}) as w:
        names = everyone(w)
        first = await w.connector.list(None)
        for id in names[100 - gone : 100]:
            w.project.delete(id)
        second = await w.connector.list(first.next)
        assert w.ids([second]) == names[100:200]
    assert [one.queries[1]["values"] for one in w.sent[1:]] == [[id] for id in reversed(names[99 - gone : 100])]


async def test_when_too_many_are_deleted_the_listing_starts_again() -> None:
    async with world(sandbox={"users": 250}) as w:
        first = await w.connector.list(None)
        for id in everyone(w)[50:100]:
            w.project.delete(id)
        with pytest.raises(Incomplete, match="the last 20 users of a page are gone"):
            await w.connector.list(first.next)


async def test_a_user_that_changes_meanwhile_moves_nobody() -> None:
    async with world(sandbox={"users": 250}) as w:
        first = await w.connector.list(None)
        w.project.update(everyone(w)[99], name="Changed")
        assert w.ids([await w.connector.list(first.next)]) == everyone(w)[100:200]


async def test_a_listing_goes_on_from_its_cursor_in_another_process() -> None:
    async with world(sandbox={"users": 150}) as w:
        first = await w.connector.list(None)
        async with world(base_url=str(w.connector._http.root)) as other:
            second = await other.connector.list(first.next)
        assert await w.connector.list(first.next) == await w.connector.list(first.next) == second
    assert (second.first, len(second.records)) == (100, 50)


PASSING = "500 503 429 reset truncated cut html error_body empty content_type redirect cursor"


@pytest.mark.parametrize("kind", PASSING.split())
async def test_faults_that_pass_are_tried_again(kind: str) -> None:
    async with world(sandbox={"users": 120, "faults": f"{kind}@page"}) as w:
        pages = await w.walk()
        assert w.ids(pages) == everyone(w)
        assert pages[-1].complete


@pytest.mark.parametrize("kind", ["500", "429", "cut", "html", "error_body", "empty", "redirect"])
async def test_faults_that_last_end_the_listing_without_a_page(kind: str) -> None:
    async with world(sandbox={"users": 120, "faults": f"{kind}@page:*"}) as w:
        first = await w.connector.list(None)
        with pytest.raises(Retryable):
            await w.connector.list(first.next)


@pytest.mark.parametrize("kind", ["loop", "duplicate"])
async def test_pages_that_come_again_are_a_defect(kind: str) -> None:
    async with world(sandbox={"users": 250, "faults": f"{kind}@page:*"}) as w:
        pages = await w.walk()
    if kind == "loop":
        assert "already read" in pages[-1].defect
        assert not pages[-1].complete
    else:
        assert len(w.ids(pages)) == 250 + 2  # twice in one page: whoever keeps accounts by id sees each once
        assert set(w.ids(pages)) == set(everyone(w))


async def test_pages_without_end_are_a_defect() -> None:
    async with world(sandbox={"users": 60, "faults": "endless@*:*"}) as w:
        pages = await w.walk()
    assert len(pages) < 5
    assert not pages[-1].complete


async def test_a_refused_page_and_a_refused_key() -> None:
    async with world(sandbox={"users": 5, "faults": "403@list:1,404@list:1"}) as w:
        with pytest.raises(Quarantined, match="credentials"):
            await w.connector.list(None)
        with pytest.raises(Incomplete, match="general_route_not_found"):
            await w.connector.list(None)


@pytest.mark.parametrize("cursor", ["", "x", "[]", '{"pages":"x"}'])
async def test_a_cursor_of_another_making_is_incomplete(cursor: str) -> None:
    async with world() as w:
        with pytest.raises(Incomplete):
            await w.connector.list(Cursor(cursor))
        with pytest.raises(Incomplete):
            await w.connector.list(None, Watermark(cursor or "x"))
    assert not w.sent


@pytest.mark.parametrize("fault", ["nan", "deep", "huge", "surrogate", "nul"])
@pytest.mark.parametrize("record", [1, -1])
async def test_one_bad_record_costs_only_itself(fault: str, record: int) -> None:
    async with world(sandbox={"users": 3, "faults": f"{fault}@list;record={record}"}) as w:
        pages = await w.walk()
        good, bad = set(), {flaw.id for page in pages for flaw in page.flaws}
        for raw in (raw for page in pages for raw in page.records):
            try:
                good.add(w.connector.parse(raw).id)
            except Rejected as error:
                bad.add(error.account)
        assert pages[-1].complete
        assert bad == {everyone(w)[record]}
        assert good >= set(everyone(w)) - bad


async def test_a_page_on_which_nobody_says_an_id_cannot_be_gone_on_from() -> None:
    async with scripted(reply({"total": 0, "users": [{"name": "x"}]})) as server, world(base_url=f"{server.url}/v1") as w:
        (page,) = await w.walk()
    assert not page.complete
    assert "no record of the page says its id" in page.defect


async def test_drift_of_the_id_stops_the_connection_and_other_drift_the_record() -> None:
    for field, error in (("$id", Quarantined), ("email", Rejected), ("labels", Rejected), ("status", Rejected)):
        async with world(sandbox={"users": 1, "faults": f"drift@list;field={field}"}) as w:
            page = await w.connector.list(None)
            with pytest.raises(error):
                w.connector.parse(page.records[0])


async def test_hashes_targets_and_activity_are_never_kept() -> None:
    async with world() as w:
        w.project.create("ada", "ada@x.co", "+12025550100", "a-password-of-ada", "Ada")
        w.project.sign_in("ada")
        raw = (await w.connector.list(None)).records[0]
        account = w.connector.parse(raw)
    assert b"$argon2id$" in raw
    assert set(account.attributes) == {
        "$id", "name", "email", "phone", "status", "labels", "syncd", "prefs", "emailVerification", "phoneVerification",
    }  # fmt: skip
    assert account.version is not None


async def test_our_label_stands_beside_the_others_and_phps_empty_array_is_an_object() -> None:
    ours, theirs = "syncd" + "0a" * 15, "syncd" + "0b" * 15
    async with world() as w:
        for id, labels in (("none", ()), ("ours", ("vip", ours, "syncd")), ("two", (theirs, ours))):
            w.project.create(id)
            w.project.update(id, labels=labels, prefs="[]")
        accounts = [w.connector.parse(one) for one in (await w.connector.list(None)).records]
    assert [(one.attributes["labels"], one.attributes["syncd"]) for one in accounts] == [
        ([], None),
        (["vip", "syncd"], ours),
        ([], f"{ours} {theirs}"),
    ]
    assert accounts[0].attributes["prefs"] == {}


async def test_a_page_of_nothing_but_a_bad_record_is_gone_on_from() -> None:
    async with world(sandbox={"users": 3, "faults": "nan@page"}, page_size=1) as w:
        pages = await w.walk()
        assert [flaw.id for page in pages for flaw in page.flaws] == [everyone(w)[1]]
        assert w.ids(pages) == [everyone(w)[0], everyone(w)[2]]
        assert pages[-1].complete
