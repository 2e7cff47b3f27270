"""Listing Twilio users: every account once, and under each fault either the whole truth or a page that says it is not."""

from __future__ import annotations

import pytest
from loopback import reply, scripted
from twilio_world import World, change, world

from syncd.errors import Incomplete, Quarantined, Rejected, Retryable
from syncd.model import Cursor, Kind, Page
from syncd.sandbox.twilio import Twilio

pytestmark = pytest.mark.anyio


def names(w: World, pages: list[Page]) -> list[object]:
    return [w.connector.parse(record).attributes["identity"] for page in pages for record in page.records]


def everyone(w: World) -> list[object]:
    return [one["identity"] for one in w.sandbox.twilio.service().users.values()]


async def test_a_walk_meets_everyone_once_in_full_pages() -> None:
    async with world(sandbox={"users": 120}) as w:
        pages = await w.walk()
        assert names(w, pages) == everyone(w)
    assert [page.first for page in pages] == [0, 50, 100]
    assert [page.complete for page in pages] == [False, False, True]
    assert not any(page.defect or page.flaws for page in pages)
    assert "PageSize=50" in w.sent[0].query
    assert [one.query for one in w.sent[1:]] == [str(page.next).split("?", 1)[1] for page in pages[:-1]]


async def test_an_empty_directory_is_complete() -> None:
    async with world() as w:
        (page,) = await w.walk()
    assert (page.records, page.complete, page.next) == ((), True, None)


async def test_a_listing_goes_on_from_its_cursor_in_another_process() -> None:
    async with world(sandbox={"users": 120}) as w:
        first = await w.connector.list(None)
        async with world(base_url=str(w.connector._http.root)) as other:
            second = await other.connector.list(first.next)
    assert second.first == 50
    assert len(second.records) == 50


async def test_a_page_read_again_is_no_loop() -> None:
    async with world(sandbox={"users": 120}) as w:
        first = await w.connector.list(None)
        second = await w.connector.list(first.next)
        await w.connector.list(second.next)
        again = await w.connector.list(first.next)
    assert again == second


PASSING = "500 503 429 reset truncated cut html error_body empty content_type redirect"


@pytest.mark.parametrize("fault", [f"{kind}@page" for kind in PASSING.split()])
async def test_faults_that_pass_are_tried_again(fault: str) -> None:
    async with world(sandbox={"users": 120, "faults": fault}) as w:
        pages = await w.walk()
        assert names(w, pages) == everyone(w)
        assert pages[-1].complete


@pytest.mark.parametrize("fault", ["500", "429", "cut", "html", "error_body", "empty", "redirect", "bomb"])
async def test_faults_that_last_end_the_listing_without_a_page(fault: str) -> None:
    async with world(sandbox={"users": 60, "faults": f"{fault}@page:*"}) as w:
        first = await w.connector.list(None)
        w.connector._http._cap = 2**20
        with pytest.raises(Retryable):
            await w.connector.list(first.next)
        assert 2 <= len(w.sent) <= 7


async def test_a_refused_cursor_is_incomplete() -> None:
    async with world(sandbox={"users": 60, "faults": "cursor@page"}) as w:
        first = await w.connector.list(None)
        with pytest.raises(Incomplete, match="20001"):
            await w.connector.list(first.next)


@pytest.mark.parametrize("cursor", ["", "x", "1:2:", "a:b:c", "-1:0:http://x"])
async def test_a_cursor_of_another_making_is_incomplete(cursor: str) -> None:
    async with world() as w:
        with pytest.raises(Incomplete):
            await w.connector.list(Cursor(cursor))
    assert not w.sent


async def test_a_service_that_is_not_there_has_no_listing() -> None:
    async with world(service_sid="IS" + "9" * 32) as w:
        with pytest.raises(Incomplete, match="20404"):
            await w.connector.list(None)


async def test_a_foreign_next_page_is_incomplete_and_its_host_hears_nothing() -> None:
    async with scripted(reply()) as elsewhere, world(sandbox={"users": 60, "faults": f"foreign@list;url={elsewhere.url}"}) as w:
        with pytest.raises(Incomplete, match="not followed"):
            await w.connector.list(None)
        with pytest.raises(Incomplete, match="not followed"):
            await w.connector.list(Cursor(f"1:50:{elsewhere.url}/v1/Users?PageToken=x"))
    assert elsewhere.connections == 0


async def test_a_loop_is_a_defect() -> None:
    async with world(sandbox={"users": 120, "faults": "loop@page:*"}) as w:
        pages = await w.walk()
    assert len(pages) <= 4
    assert not pages[-1].complete
    assert "already read" in pages[-1].defect


async def test_pages_without_end_are_a_defect() -> None:
    async with world(sandbox={"users": 60, "faults": "endless@*:*"}) as w:
        pages = await w.walk()
    assert len(pages) < 20
    assert not any(page.complete for page in pages)
    assert "does not end after" in pages[-1].defect


@pytest.mark.parametrize("service", [None, Twilio.service_sid])
async def test_every_user_tells_its_service(service: str | None) -> None:
    async with world(service_sid=service) as w:
        await w.do(change(Kind.CREATE, identity="a"))
        (page,) = await w.walk()
        told = [w.connector.parse(record).attributes[w.connector.capability.directory["service"]] for record in page.records]
    assert told == [service or Twilio.default_service_sid]


async def test_a_record_whose_service_is_none_is_rejected() -> None:
    async with world(service_sid=Twilio.service_sid, sandbox={"faults": "literal@list;field=chat_service_sid;value=5"}) as w:
        await w.do(change(Kind.CREATE, identity="a"))
        (page,) = await w.walk()
        assert page.complete
        with pytest.raises(Rejected, match="'chat_service_sid' is a number"):
            w.connector.parse(page.records[0])


@pytest.mark.parametrize("fault", ["nan", "deep", "huge", "surrogate", "nul"])
async def test_one_bad_record_costs_only_itself(fault: str) -> None:
    async with world(sandbox={"users": 3, "faults": f"{fault}@list;record=1"}) as w:
        (page,) = await w.walk()
        sids = list(w.sandbox.twilio.service().users)
        good, bad = [], [flaw.id for flaw in page.flaws]
        for record in page.records:
            try:
                good.append(w.connector.parse(record).id)
            except Rejected as error:
                bad.append(error.account)
    assert good == [sids[0], sids[2]]
    assert bad == [sids[1]]
    assert page.complete


@pytest.mark.parametrize(
    ("value", "reason"),
    [
        ("[1]", "no JSON object|not a JSON object"),
        ("{", "cannot be kept"),
        ('{"n": NaN}', "cannot be kept"),
        ('{"n": "\\ud800"}', "cannot be kept"),
        ('{"n": "\\u0000"}', "NUL"),
        ('{"n": 99999999999999999999}', "64 bits"),
        ("[" * 2000, "depth"),
        ("9" * 5000, "."),
    ],
)
async def test_attributes_that_hold_no_json_object_reject_that_record_only(value: str, reason: str) -> None:
    async with world() as w:
        service = w.sandbox.twilio.service()
        sid = service.create("a", attributes=value)["sid"]
        service.create("b", attributes="")
        (page,) = await w.walk()
        with pytest.raises(Rejected, match=reason) as caught:
            w.connector.parse(page.records[0])
        assert caught.value.account == sid
        assert w.connector.parse(page.records[1]).attributes["attributes"] == {}


async def test_a_drifting_key_or_id_stops_the_connection_and_other_drift_the_record() -> None:
    for field, error in (("identity", Quarantined), ("sid", Quarantined), ("friendly_name", Rejected), ("attributes", Rejected)):
        async with world(sandbox={"users": 1, "faults": f"drift@list;field={field}"}) as w:
            (page,) = await w.walk()
            with pytest.raises(error):
                w.connector.parse(page.records[0])
    async with world(sandbox={"users": 1, "faults": "missing@list"}) as w:
        (page,) = await w.walk()
        with pytest.raises(Rejected, match="has no 'identity'") as caught:
            w.connector.parse(page.records[0])
        assert caught.value.account in w.sandbox.twilio.service().users


async def test_presence_is_never_kept_and_version_is() -> None:
    async with world(sandbox={"users": 1}) as w:
        (page,) = await w.walk()
        account = w.connector.parse(page.records[0])
    assert set(account.attributes) == {"sid", "identity", "friendly_name", "role_sid", "attributes", "chat_service_sid"}
    assert account.version is not None
