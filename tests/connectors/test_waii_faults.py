"""Listing Waii through a broken provider: repeated where it may help, incomplete or stopped where not, one bad record lost alone."""

from __future__ import annotations

import pytest
from loopback import reply, scripted
from waii_world import world

from syncd.errors import Incomplete, Quarantined, Rejected, Retryable
from syncd.model import Cursor

pytestmark = pytest.mark.anyio


@pytest.mark.parametrize("fault", ["400", "404", "422", "409"])
async def test_an_organization_that_does_not_answer_makes_it_incomplete(fault: str) -> None:
    async with world(sandbox={"faults": f"{fault}@page;after=1"}) as w:
        with pytest.raises(Incomplete, match="the listing cannot go on"):
            await w.walk()


@pytest.mark.parametrize(
    ("faults", "error"),
    [
        ("401@list", Quarantined), ("403@page", Quarantined), ("401@fetch", Quarantined), ("500@list:*", Retryable),
        ("429@page:*", Retryable), ("html@page:*", Retryable), ("error_body@list:*", Retryable), ("empty@page:*", Retryable),
        ("truncated@page:*", Retryable), ("reset@list:*", Retryable), ("redirect@page:*", Retryable),
        ("content_type@page:*", Retryable), ("cut@fetch:*", Retryable),
    ],
)  # fmt: skip
async def test_what_a_broken_provider_does_to_it(faults: str, error: type[Exception]) -> None:
    async with world(sandbox={"users": 2, "faults": faults}) as w:
        with pytest.raises(error):
            await w.walk()


@pytest.mark.parametrize("faults", ["500@list:2", "429@page:2", "reset@page", "close@list", "html@page", "truncated@page", "503@fetch:2"])
async def test_reads_are_repeated_although_they_are_posts(faults: str) -> None:
    async with world(writable=False, sandbox={"users": 2, "faults": faults}) as w:
        pages = await w.walk()
        assert (pages[-1].complete, len(w.accounts(pages))) == (True, 3)


@pytest.mark.parametrize(
    "faults", ["nan@page;after=1", "surrogate@page;after=1", "huge@page;after=1", "deep@page;after=1", "nul@page;after=1"]
)
async def test_a_record_that_cannot_be_kept_is_lost_alone(faults: str) -> None:
    async with world(sandbox={"users": 2, "faults": faults}) as w:
        pages = await w.walk()
        lost = [flaw.id for page in pages for flaw in page.flaws]
        for record in pages[-1].records:
            try:
                w.connector.parse(record)
            except Rejected as error:
                lost.append(error.account)
        assert (pages[-1].complete, lost) == (True, [list(w.tree.users)[-1]])


async def test_an_id_that_is_no_text_stops_the_connection() -> None:
    async with world(sandbox={"users": 2, "faults": "drift@page;after=1"}) as w:
        pages = await w.walk()
        with pytest.raises(Quarantined, match="the provider's format has changed"):
            w.accounts(pages)


@pytest.mark.parametrize("cursor", ["", "{}", '{"digest":1}', "3:4:x"])
async def test_a_cursor_of_another_making_starts_again(cursor: str) -> None:
    async with world() as w:
        with pytest.raises(Incomplete, match="cannot be read"):
            await w.connector.list(Cursor(cursor))


async def test_the_key_is_never_shown() -> None:
    refused = reply({"detail": "bad key sandbox-waii-key-5a5a5a5a5a5a5a5a"}, 401)
    async with scripted(refused) as server, world(base_url=f"{server.url}/api/") as w:
        with pytest.raises(Quarantined) as caught:
            await w.walk()
    assert "5a5a" not in str(caught.value)
