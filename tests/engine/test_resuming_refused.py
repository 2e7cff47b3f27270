"""A place in a listing that is not good any more: the listing begins anew, and says why."""

from __future__ import annotations

from collections.abc import Callable
from datetime import timedelta
from typing import Any

import pytest

from syncd.engine import resuming
from syncd.errors import Incomplete, Rejected, Retryable, SyncdError
from syncd.model import Cursor, Page, Watermark
from syncd.store import stretches
from tests.engine.cut_off import ALL, asked_with, cut, failing, going_on, world_of
from tests.engine.worlds import MakeWorld
from tests.world import World

pytestmark = pytest.mark.anyio


@pytest.fixture(autouse=True)
def _a_place_a_page(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(resuming, "EVERY", 0.0)


@pytest.mark.parametrize(
    ("meanwhile", "why"),
    [
        (lambda w: w.clock.pass_time(timedelta(hours=1, seconds=1)), "that is too long ago"),
        (lambda w: w.clock.pass_time(timedelta(seconds=-1)), "that is too long ago"),
        (lambda w: setattr(w, "secret", "another"), "its credentials changed since"),
        (lambda w: setattr(w, "page", 4), "its configuration changed since"),
        (lambda w: setattr(w, "ignore", ("nobody",)), "how it is read changed since"),
        (lambda w: w.store.run("INSERT INTO setting (name, value) VALUES ('epoch', '1')"), "the store changed since"),
    ],
    ids=["too old", "clock set back", "credentials", "configuration", "map", "restored"],
)
async def test_a_place_that_is_not_good_any_more(world: MakeWorld, meanwhile: Callable[[World], Any], why: str) -> None:
    w = world_of(world)
    await cut(w, Retryable("HTTP 503"))
    meanwhile(w)
    w.memory = asked_with()
    report, _ = await w.run()
    listing = report.results[1].listing
    assert w.memory.cursors[0] is None and listing is not None and listing.complete
    assert listing.told == [f"the listing that was cut off does not go on, for {why}: it begins anew"]


async def test_who_asks_for_everything_gets_what_was_asked_for(world: MakeWorld) -> None:
    w = world_of(world)
    await cut(w, Retryable("HTTP 503"))
    cursors, told = await going_on(w, full=True)
    assert cursors == ALL and told[0].endswith("a whole listing was asked for since: it begins anew")
    w.memory = failing(5, Retryable("HTTP 503"))
    await w.run("full")
    assert (await going_on(w, full=True))[0] == ALL[3:]


async def test_where_the_provider_does_not_allow_it_it_begins_anew(world: MakeWorld) -> None:
    w = world_of(world)
    w.resumes = False
    await cut(w, Retryable("HTTP 503"))
    assert stretches.last(w.store, "app") is None
    assert await going_on(w) == (ALL, [])


@pytest.mark.parametrize("error", [Incomplete("no such cursor"), Rejected("HTTP 400")], ids=lambda one: type(one).__name__)
async def test_a_cursor_that_expired_costs_one_request(world: MakeWorld, error: SyncdError) -> None:
    w = world_of(world)
    await cut(w, Retryable("HTTP 503"))
    w.memory = failing(1, error)
    report, _ = await w.run()
    listing = report.results[1].listing
    assert w.memory.cursors == [ALL[3], *ALL]
    assert listing is not None and listing.complete and listing.pages == 7
    began = "the listing that began 2026-01-01 00:00 UTC was cut off, and cannot go on there"
    assert listing.told == [f"{began} ({error}): it begins anew"]


async def test_a_cursor_that_leads_elsewhere_is_not_believed(world: MakeWorld) -> None:
    """A provider that has forgotten it may show an empty page, or the end: then the rest would be taken for absent, or for newcomers."""
    w = world_of(world)
    await cut(w, Retryable("HTTP 503"))

    class Forgetful(asked_with()):  # type: ignore[misc]
        async def list(self, cursor: Cursor | None, since: Watermark | None = None) -> Page:
            if not self.cursors:
                self.cursors.append(cursor)
                return Page((), complete=True)
            return await super().list(cursor, since)  # type: ignore[no-any-return]

    w.memory = Forgetful
    report, _ = await w.run()
    listing = report.results[1].listing
    assert w.memory.cursors == [ALL[3], *ALL]
    assert listing is not None and "nobody stands there who stood there before" in listing.told[0]
    assert int(w.store.value("SELECT COUNT(*) FROM account WHERE connection = 'app'")) == 20


async def test_while_the_provider_cannot_be_reached_the_place_stays(world: MakeWorld) -> None:
    w = world_of(world)
    await cut(w, Retryable("HTTP 503"))
    await cut(w, Retryable("HTTP 503"), at=1)
    assert (await going_on(w))[0] == ALL[3:]


@pytest.mark.parametrize("error", [Incomplete("it does not end"), Rejected("HTTP 400")], ids=lambda one: type(one).__name__)
async def test_a_listing_that_is_at_fault_itself_leaves_no_place(world: MakeWorld, error: SyncdError) -> None:
    w = world_of(world)
    await cut(w, error)
    assert await going_on(w) == (ALL, [])
