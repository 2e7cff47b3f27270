"""Newcomers at ChatBotKit since a watermark: nobody is skipped, whoever is deleted meanwhile, and no absence is ever implied."""

from __future__ import annotations

import json

import pytest
from chatbotkit_world import world
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from syncd.connectors.behind import TAIL
from syncd.errors import Incomplete
from syncd.model import Cursor, Page, Watermark

pytestmark = pytest.mark.anyio


async def test_a_full_listing_leaves_the_last_users_it_saw() -> None:
    async with world(sandbox={"users": 130}) as w:
        pages = await w.walk()
    assert [page.watermark for page in pages[:-1]] == [None, None]
    assert json.loads(pages[-1].watermark or "") == w.ids[-TAIL:]


async def test_only_newcomers_and_the_last_ones_known_are_listed_by_one_request() -> None:
    async with world(sandbox={"users": 30}) as w:
        known = w.ids
        w.parent.update(known[0], {"name": "changed"})
        new = w.parent.create({"name": "new"}).id
        (page,) = await w.walk(Watermark(json.dumps(known[-3:])))
        assert w.shown(page) == [*known[-2:], new]
        assert (page.complete, json.loads(page.watermark or "")) == (True, [*known[-3:], new])
    assert [one.query for one in w.sent] == [f"cursor={known[-3]}&order=asc&take=100"]


async def test_when_nobody_came_the_watermark_stays() -> None:
    async with world(sandbox={"users": 3}) as w:
        for tail in (w.ids, w.ids[-1:], []):
            (page,) = await w.walk(Watermark(json.dumps(tail)))
            assert page.complete
            assert json.loads(page.watermark or "") == (tail or w.ids)


@pytest.mark.parametrize("fails", [False, True])
async def test_a_deleted_user_of_the_watermark_is_passed_over(fails: bool) -> None:
    async with world(sandbox={"users": 10}) as w:
        known, watermark = w.ids, Watermark(json.dumps(w.ids[-3:]))
        w.parent.cursor_fails = fails
        w.parent.delete(known[-3])
        new = w.parent.create({}).id
        (page,) = await w.walk(watermark)
        assert w.shown(page) == [known[-1], new]
        for id in known[-2:]:
            w.parent.delete(id)
        with pytest.raises(Incomplete, match="the last 3 accounts seen are gone"):
            await w.walk(watermark)


async def test_many_newcomers_come_in_pages() -> None:
    async with world(sandbox={"users": 5}) as w:
        watermark = Watermark(json.dumps(w.ids))
        for n in range(230):
            w.parent.create({"name": f"new {n}"})
        pages = await w.walk(watermark)
        assert w.shown(*pages) == w.ids[1:]
        assert [page.complete for page in pages] == [False, False, True]
        assert json.loads(pages[-1].watermark or "") == w.ids[-TAIL:]


@settings(max_examples=30, deadline=None, derandomize=True, suppress_health_check=list(HealthCheck))
@given(size=st.integers(1, 4), between=st.lists(st.one_of(st.none(), st.integers(0, 12)), max_size=10), fails=st.booleans())
async def test_who_is_there_before_and_after_is_always_shown(size: int, between: list[int | None], fails: bool) -> None:
    """``between``: after each page somebody comes (None), or the nth is deleted."""
    async with world(sandbox={"users": 8}) as w:
        w.small_pages(size)
        w.parent.cursor_fails = fails

        async def walked(since: Watermark | None) -> list[Page]:
            pages: list[Page] = []
            cursor: Cursor | None = None
            while not pages or cursor is not None:
                assert len(pages) < 60
                pages.append(await w.connector.list(cursor, since))
                cursor = pages[-1].next
                if between:
                    what, ids = between.pop(), w.ids
                    if what is None:
                        w.parent.create({})
                    elif ids:
                        w.parent.delete(ids[what % len(ids)])
            return pages

        before = set(w.ids)
        try:
            pages = await walked(None)
        except Incomplete:
            return  # all of the few that were seen so far are gone
        assert pages[-1].complete
        shown = w.shown(*pages)
        assert before & set(w.ids) <= set(shown)
        assert len(shown) == len(set(shown))
        known = set(shown)
        w.parent.create({})
        try:
            following = await walked(pages[-1].watermark)
        except Incomplete:
            return
        between.clear()
        latest = await walked(following[-1].watermark)
        assert set(w.ids) <= known | set(w.shown(*following, *latest))
