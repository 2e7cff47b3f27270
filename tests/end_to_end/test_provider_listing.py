"""Listings broken in every way, at the target and at the source: nobody leaves because of it, and when it is over all is well."""

from __future__ import annotations

import tracemalloc
from typing import Any

import pytest

from syncd.environment import Environment
from syncd.sandbox.faults import ALWAYS, Fault
from tests.end_to_end.conftest import DEADLINE, MakeOffice, impatience
from tests.end_to_end.office import NEWCOMER, Faulty, Office, result

pytestmark = [pytest.mark.anyio, pytest.mark.usefixtures("small_pages")]

PASSING = {
    "reset": ("reset@list", "Connection reset by peer"),
    "closed": ("close@list", "disconnected without sending a response"),
    "429": ("429@list", "429 (code 20429) Too Many Requests"),
    "500": ("500@list", "500 (code 20500)"),
    "502 as HTML": ("html@list;status=502", "502"),
    "503": ("503@list;retry_after=3", "503 (code 20503)"),
    "HTML": ("html@list", "200 with text/html instead of JSON"),
    "error body": ("error_body@list", "the answer is no page with 'users'"),
    "empty": ("empty@list", "cut short or no JSON"),
    "truncated": ("truncated@list", "without sending complete message body"),
    "cut": ("cut@list", "cut short or no JSON"),
    "content type": ("content_type@list", "200 with text/plain instead of JSON"),
    "redirect": ("redirect@list", "302 is a redirect, which is never followed"),
}
"""What may pass by itself: tried again within the run."""
LASTING = {
    "missed between pages": ("missed@list", "is missing from the list and yet exists"),
    "short": ("short@list", "is missing from the list and yet exists"),
    "shrinking": ("shrink@list", "is missing from the list and yet exists"),
    "cursor invalid": ("cursor@page", "the listing cannot go on: GET /v1/Users: 400"),
    "cursor looping": ("loop@list", "names a page as the next one that was already read"),
    "endless": ("endless@list", "the listing does not end after"),
    "400": ("400@list", "the listing cannot go on: GET /v1/Users: 400"),
    "404": ("404@list", "the listing cannot go on: GET /v1/Users: 404"),
    "401": ("401@list", "401 (code 20003) Authenticate: the credentials are refused"),
    "403": ("403@page", "403 (code 20403) Forbidden: the credentials are refused"),
}
"""What no second try cures."""
ROLES = {"target": False, "source": True}
BROKEN = {
    f"{name} at the {role}": (spec, cause, directory)
    for role, directory in ROLES.items()
    for name, (spec, cause) in (PASSING | LASTING).items()
    if role == "target" or name in LASTING or name in ("empty", "truncated", "error body")
}
"""What may pass is the client's business, whoever asks: at the source three of it must do."""


def faulty(one: Office, spec: str) -> str:
    """Put these faults where the listing is that they are to break: the source if it is a directory. Returns its connection's name."""
    (one.source or one.sandbox).faults = spec
    return "people" if one.source else "chat"


@pytest.mark.parametrize(("spec", "cause", "directory"), BROKEN.values(), ids=BROKEN)
async def test_a_broken_listing_says_why_and_nobody_leaves_because_of_it(
    make_office: MakeOffice, spec: str, cause: str, directory: bool
) -> None:
    one = await make_office(directory=directory).opened()
    name = faulty(one, f"{spec};times={ALWAYS}")
    report = await one.run()
    assert report.failed and cause in result(report, name).error
    assert one.deletions() == []
    assert one.accounts().keys() >= one.wanted.keys() - {NEWCOMER}
    one.unharmed()
    await one.recovers()


@pytest.mark.parametrize("spec", [spec for spec, _ in PASSING.values()], ids=PASSING)
async def test_a_listing_that_fails_once_is_asked_for_again_in_the_same_run(make_office: MakeOffice, spec: str) -> None:
    one = await make_office().opened()
    one.sandbox.faults = spec
    assert (await one.run()).converged
    assert len(one.sandbox.faults.struck) == 1
    await one.in_order()


@pytest.mark.parametrize("directory", ROLES.values(), ids=ROLES)
async def test_an_account_that_two_pages_show_is_still_one(make_office: MakeOffice, directory: bool) -> None:
    one = await make_office(directory=directory).opened()
    faulty(one, "duplicate@list:*")
    assert (await one.run()).converged
    assert len((one.source or one.sandbox).faults.struck) > 1
    await one.in_order()


WAITS = {
    "seconds": ("7", 7.0, 7.0),
    "fraction": ("1.5", 1.5, 1.5),
    "HTTP date": ("Thu, 01 Jan 2026 01:00:20 GMT", 20.0, 20.0),
    "HTTP date gone by": ("Thu, 01 Jan 2026 00:00:00 GMT", 0.25, 0.5),
    "0": ("0", 0.25, 0.5),
    "negative": ("-5", 0.25, 0.5),
    "garbage": ("soon", 0.25, 0.5),
    "not finite": ("inf", 0.25, 0.5),
    "absent": (None, 0.25, 0.5),
}
"""Retry-After -> the seconds waited: as wished, or the first back-off, 0.5 s with jitter."""


@pytest.mark.parametrize(("after", "least", "most"), WAITS.values(), ids=WAITS)
async def test_retry_after_is_kept_to_where_it_says_something(
    make_office: MakeOffice, after: str | None, least: float, most: float
) -> None:
    one = await make_office().opened()
    wish: dict[str, Any] = {} if after is None else {"retry_after": after}
    one.sandbox.faults = [Fault("429", "list", **wish)]
    before = one.clock.elapsed
    report = await one.run()
    assert report.converged and result(report).throttled == 1
    assert least <= one.clock.elapsed - before <= most
    await one.in_order()


@pytest.mark.parametrize("after", ["1000000000", "150", "Fri, 01 Jan 2027 00:00:00 GMT"])
async def test_a_wait_beyond_all_patience_ends_the_run_at_once(make_office: MakeOffice, after: str) -> None:
    """120 s are spent on one request at most; nothing else is sent to a provider that asked for silence."""
    one = await make_office().opened()
    one.sandbox.faults = [Fault("429", "list", retry_after=after)]
    before = one.clock.elapsed
    report = await one.run()
    assert report.failed and "429" in result(report).error
    assert one.clock.elapsed == before and len(one.twilio.requests) == 1
    await one.recovers()


@pytest.mark.parametrize(("kind", "directory"), [("timeout", True), ("drip", False)])
async def test_a_listing_that_takes_too_long_is_given_up(make_office: MakeOffice, kind: str, directory: bool) -> None:
    """A drip delivers a byte every 0.05 s: every read succeeds, only the total deadline ends it."""
    one = await make_office(directory=directory, seconds=Environment()).opened()
    name = faulty(one, f"{kind}@list:*")
    with impatience():
        report = await one.run()
    assert f"no complete answer within {DEADLINE} s" in result(report, name).error
    assert one.deletions() == []
    await one.recovers()


async def test_a_compression_bomb_never_unfolds(make_office: MakeOffice) -> None:
    """300 MB of blanks in a small answer, six times over; the cap is 64 MiB, and one answer is held at a time."""
    one = await make_office().opened()
    one.sandbox.faults = "bomb@list:*;bytes=300000000"
    tracemalloc.start()
    try:
        report = await one.run()
        _, peak = tracemalloc.get_traced_memory()
    finally:
        tracemalloc.stop()
    assert "the answer is larger than 67,108,864 bytes" in result(report).error
    assert peak < 200 * 2**20
    assert one.deletions() == []
    await one.recovers()


UNPROVEN: Faulty = {
    "401": ("401@fetch:*", "401"),
    "403": ("403@fetch:*", "403"),
    "404 of somebody else": ("html@fetch:*;status=404", "nothing proves it gone"),
    "500": ("500@fetch:*", "could not be asked for"),
    "reset": ("reset@fetch:*", "could not be asked for"),
    "error body": ("error_body@fetch:*", "could not be asked for"),
    "429": ("429@fetch:*", "could not be asked for"),
}


@pytest.mark.parametrize("directory", ROLES.values(), ids=ROLES)
@pytest.mark.parametrize(("spec", "cause"), UNPROVEN.values(), ids=UNPROVEN)
async def test_who_is_missing_is_gone_only_when_the_provider_says_so(
    make_office: MakeOffice, spec: str, cause: str, directory: bool
) -> None:
    """Somebody else deleted an account. Not before a 404 of the provider's own is it taken for gone."""
    one = await make_office(directory=directory).opened()
    (one.source or one.sandbox).twilio.service().delete("p5@corp.example")
    name = faulty(one, spec)
    report = await one.run()
    assert cause in result(report, name).error
    assert one.deletions() == [] and one.creations()["p5@corp.example"] == 1
    if directory:
        one.wanted.pop("p5@corp.example")
    await one.recovers()


async def test_the_listing_begins_anew_after_one_that_broke_off(make_office: MakeOffice) -> None:
    one = await make_office().opened()
    one.sandbox.faults = "cursor@page:*"
    await one.run()
    one.sandbox.faults = ()
    one.twilio.journal.requests.clear()
    await one.run()
    assert one.twilio.requests[0].query == "PageSize=5"
