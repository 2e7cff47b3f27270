"""Who changed at Appwrite since an instant: nobody is skipped, whatever happens between two pages, and the watermark is never ahead."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta

import orjson
import pytest
from appwrite_world import Still, world
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from loopback import reply, scripted

from syncd.connectors.appwrite_listing import OVERLAP
from syncd.errors import Incomplete
from syncd.model import Cursor, Page, Watermark

pytestmark = pytest.mark.anyio
HOUR = 3600.0


def at(seconds: float) -> Watermark:
    return Watermark((datetime(2026, 1, 1, 12, tzinfo=UTC) + timedelta(seconds=seconds)).isoformat(timespec="milliseconds"))


def versions(pages: list[Page]) -> dict[str, str]:
    """The last state that was shown of each user."""
    shown = [orjson.loads(record) for page in pages for record in page.records]
    return {one["$id"]: one["$updatedAt"] for one in shown}


async def test_a_full_listing_leaves_the_instant_at_which_it_began_on_the_providers_clock() -> None:
    clock = Still()
    async with world(sandbox={"users": 3, "environment": clock}, page_size=2) as w:
        first = await w.connector.list(None)
        clock.seconds = HOUR
        second = await w.connector.list(first.next)
        last = await w.connector.list(second.next)
    assert [page.watermark for page in (first, second, last)] == [None, None, at(0)]


async def test_only_changes_are_listed_and_deletions_never() -> None:
    clock = Still()
    async with world(sandbox={"users": 50, "environment": clock}) as w:
        ids = list(w.project.users)
        clock.seconds = HOUR
        w.project.update(ids[7], name="Other")
        w.project.update(ids[8], name=w.project.users[ids[8]]["name"])  # changes nothing
        w.project.delete(ids[9])
        clock.seconds = HOUR + 5
        w.project.create("new")
        pages = await w.walk(at(HOUR / 2))
        assert w.ids(pages) == [ids[7], "new"]
        assert (pages[-1].complete, pages[-1].watermark) == (True, at(HOUR + 5))
        (again,) = await w.walk(pages[-1].watermark)
        assert w.ids([again]) == [ids[7], "new"]  # the overlap
        assert again.watermark == at(HOUR + 5)
    asked = w.sent[0].queries
    since = at(HOUR / 2 - OVERLAP.total_seconds())
    assert asked == [
        {"method": "greaterThanEqual", "attribute": "$updatedAt", "values": [since]},
        {"method": "orderAsc", "attribute": "$updatedAt"},
        {"method": "limit", "values": [100]},
    ]


async def test_when_nothing_changed_one_request_says_so_and_the_watermark_stays() -> None:
    clock = Still()
    async with world(sandbox={"users": 5, "environment": clock}) as w:
        pages = await w.walk(at(HOUR))
    assert [(page.records, page.complete, page.watermark) for page in pages] == [([], True, at(HOUR))]
    assert len(w.sent) == 1


async def test_who_stands_at_the_edge_of_a_page_is_not_shown_twice() -> None:
    clock = Still()
    async with world(sandbox={"environment": clock}, page_size=3) as w:
        for n, second in enumerate((0, 1, 1, 1, 2, 3, 3)):
            clock.seconds = HOUR + second
            w.project.create(f"u{n}")
        pages = await w.walk(at(HOUR))
    assert w.ids(pages) == [f"u{n}" for n in range(7)]
    assert [page.first for page in pages] == [sum(len(one.records) for one in pages[:n]) for n in range(len(pages))]


async def test_pages_of_one_instant_are_walked_by_user() -> None:
    clock = Still()
    async with world(sandbox={"environment": clock}, page_size=2) as w:
        clock.seconds = HOUR
        for n in range(7):
            w.project.create(f"u{n}")
        clock.seconds = HOUR + 1
        w.project.create("later")
        pages = await w.walk(at(HOUR))
    assert w.ids(pages) == [*(f"u{n}" for n in range(7)), "later"]
    methods = [[query["method"] for query in one.queries] for one in w.sent]
    assert methods[1] == ["equal", "limit", "cursorAfter"]
    assert methods[-1] == ["greaterThan", "orderAsc", "limit"]


@pytest.mark.parametrize("happens", ["deleted", "changed"])
async def test_what_happens_to_the_user_that_leads_skips_nobody(happens: str) -> None:
    clock = Still()
    async with world(sandbox={"environment": clock}, page_size=2) as w:
        clock.seconds = HOUR
        for n in range(6):
            w.project.create(f"u{n}")
        first = await w.connector.list(None, at(HOUR))
        clock.seconds = HOUR + 9
        if happens == "deleted":
            w.project.delete("u1")
        else:
            w.project.update("u1", name="again")
        pages, cursor = [first], first.next
        while cursor is not None:
            pages.append(await w.connector.list(cursor))
            cursor = pages[-1].next
        assert w.ids(pages) == [*(f"u{n}" for n in range(6)), *(["u1"] if happens == "changed" else [])]


@settings(max_examples=25, deadline=None, derandomize=True, suppress_health_check=list(HealthCheck))
@given(
    size=st.integers(1, 4),
    before=st.lists(st.tuples(st.integers(0, 7), st.integers(0, 3)), max_size=14),
    between=st.lists(st.tuples(st.integers(0, 7), st.integers(0, 2), st.booleans()), max_size=8),
)
async def test_whoever_changed_is_shown_as_they_are(size: int, before: list[tuple[int, int]], between: list[tuple[int, int, bool]]) -> None:
    """``before``: (user, seconds later) changed before the walk; ``between``: one change, or a deletion, after each page."""
    clock = Still()
    async with world(sandbox={"environment": clock}, page_size=size) as w:
        for n in range(8):
            w.project.create(f"u{n}")
        clock.seconds = HOUR
        for turn, (n, wait) in enumerate(before):
            clock.seconds += wait
            w.project.update(f"u{n}", name=f"before {turn}")
        pages: list[Page] = []
        cursor: Cursor | None = None
        while (not pages or cursor is not None) and len(pages) < 60:
            pages.append(await w.connector.list(cursor, at(HOUR)))
            cursor = pages[-1].next
            if between:
                n, wait, deleted = between.pop()
                clock.seconds += wait
                if w.project.find(f"u{n}") is not None:
                    w.project.delete(f"u{n}") if deleted else w.project.update(f"u{n}", name=f"during {len(pages)}")
        shown, watermark = versions(pages), pages[-1].watermark
        assert watermark is not None
        due = {id: user["updated"] for id, user in w.project.users.items() if at(HOUR) <= user["updated"]}
        missed = {id for id, updated in due.items() if shown.get(id) != updated}
        assert all(due[id] >= watermark for id in missed)  # the next delta shows them
        following = versions(await w.walk(watermark))
        assert all(following[id] == due[id] for id in missed)


async def test_a_provider_that_keeps_no_order_is_not_believed() -> None:
    users = [{"$id": "b", "$updatedAt": at(9)}, {"$id": "a", "$updatedAt": at(8)}]
    for listed in (users, [*users[:1], {"$id": "old", "$updatedAt": at(-HOUR)}]):
        async with scripted(reply({"total": 2, "users": listed})) as server, world(base_url=f"{server.url}/v1") as w:
            (page,) = await w.walk(at(0))
        assert not page.complete
        assert "order of their changes" in page.defect
        assert page.watermark is None


async def test_a_full_page_that_says_no_instants_is_a_defect() -> None:
    async with scripted(reply({"total": 1, "users": [{"$id": "a"}]})) as server, world(base_url=f"{server.url}/v1", page_size=1) as w:
        (page,) = await w.walk(at(0))
    assert "no record of the page says when it changed" in page.defect


async def test_a_refused_delta_is_incomplete() -> None:
    async with world(sandbox={"faults": "400@list"}) as w:
        with pytest.raises(Incomplete, match="general_argument_invalid"):
            await w.connector.list(None, at(0))
