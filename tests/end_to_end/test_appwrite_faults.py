"""An Appwrite project whose listings and records are broken in every way: nobody leaves because of it, and when it is over all is well."""

from __future__ import annotations

import tracemalloc
from collections.abc import AsyncIterator
from pathlib import Path

import pytest

from syncd.environment import Environment
from syncd.sandbox.faults import ALWAYS, Fault
from tests.end_to_end.app import App, app, ident, mail
from tests.end_to_end.bureau import LEAVERS, NEWCOMER, Bureau, told
from tests.end_to_end.conftest import DEADLINE, impatience
from tests.end_to_end.office import Faulty, result
from tests.end_to_end.test_provider_listing import PASSING, UNPROVEN, WAITS

pytestmark = pytest.mark.anyio
LASTING: Faulty = {
    "missed between pages": ("missed@list", "is missing from the list and yet exists"),
    "short": ("short@list", "is missing from the list and yet exists"),
    "shrinking": ("shrink@list", "is missing from the list and yet exists"),
    "cursor gone": ("cursor@page", "users of a page are gone, behind whom the listing was to go on"),
    "cursor looping": ("loop@list", "the provider shows a page that was already read"),
    "endless": ("endless@list", "the provider shows a page that was already read"),
    "400": ("400@list", "the listing cannot go on: GET /users: 400"),
    "404": ("404@list", "the listing cannot go on: GET /users: 404"),
    "422": ("422@list", "the listing cannot go on: GET /users: 422"),
    "401": ("401@list", "the credentials are refused"),
    "403": ("403@page", "the credentials are refused"),
}
"""What no second try cures."""
LISTINGS = {name: (spec, told(cause)) for name, (spec, cause) in PASSING.items()} | LASTING


@pytest.fixture
async def bureau(app: App) -> AsyncIterator[Bureau]:
    yield await Bureau(app).opened()


@pytest.mark.parametrize(("spec", "cause"), LISTINGS.values(), ids=LISTINGS)
async def test_a_broken_listing_says_why_and_nobody_leaves_because_of_it(bureau: Bureau, spec: str, cause: str) -> None:
    bureau.app.sandbox.faults = f"{spec};times={ALWAYS}"
    report = await bureau.run()
    assert report.failed and cause in bureau.error(report)
    assert bureau.deletions() == [] and bureau.accounts().keys() >= bureau.wanted.keys() - {NEWCOMER}
    bureau.unharmed()
    await bureau.recovers()


@pytest.mark.parametrize("spec", [spec for spec, _ in PASSING.values()], ids=PASSING)
async def test_a_listing_that_fails_once_is_asked_for_again_in_the_same_run(bureau: Bureau, spec: str) -> None:
    bureau.app.sandbox.faults = spec
    assert (await bureau.run()).converged and len(bureau.app.sandbox.faults.struck) == 1
    await bureau.in_order()


async def test_an_account_that_two_pages_show_is_still_one(bureau: Bureau) -> None:
    bureau.app.sandbox.faults = "duplicate@list:*"
    assert (await bureau.run()).converged and len(bureau.app.sandbox.faults.struck) > 1
    await bureau.in_order()


async def test_a_cursor_whose_user_is_deleted_meanwhile_gives_way_to_the_one_before(bureau: Bureau) -> None:
    bureau.app.sandbox.faults = "cursor@page"
    assert (await bureau.run()).converged
    await bureau.in_order()


ASKED_TO_WAIT = {name: given for name, given in WAITS.items() if not name.startswith("HTTP date") and name != "absent"}


@pytest.mark.parametrize(
    ("after", "least", "most"), [*ASKED_TO_WAIT.values(), (None, 0.25, 2.0)], ids=[*ASKED_TO_WAIT, "as an instant of its own"]
)
async def test_a_wish_to_wait_is_kept_to_where_it_says_something(bureau: Bureau, after: str | None, least: float, most: float) -> None:
    bureau.app.sandbox.faults = [Fault("429", "list", **({} if after is None else {"retry_after": after}))]  # type: ignore[arg-type]
    before = bureau.app.clock.elapsed
    report = await bureau.run()
    assert report.converged and result(report, "app").throttled == 1
    assert least <= bureau.app.clock.elapsed - before - 3600 <= most
    await bureau.in_order()


@pytest.mark.parametrize("kind", ["timeout", "drip"])
async def test_a_listing_that_takes_too_long_is_given_up(tmp_path: Path, kind: str) -> None:
    with app(tmp_path, Environment()) as one:
        bureau = await Bureau(one).opened()
        one.sandbox.faults = f"{kind}@list:*"
        with impatience():
            report = await bureau.run()
        assert f"no complete answer within {DEADLINE} s" in bureau.error(report) and bureau.deletions() == []
        await bureau.recovers()


async def test_a_compression_bomb_never_unfolds(bureau: Bureau) -> None:
    bureau.app.sandbox.faults = "bomb@list:*;bytes=300000000"
    tracemalloc.start()
    try:
        report = await bureau.run()
        _, peak = tracemalloc.get_traced_memory()
    finally:
        tracemalloc.stop()
    assert "the answer is larger than 67,108,864 bytes" in bureau.error(report) and peak < 200 * 2**20
    await bureau.recovers()


@pytest.mark.parametrize(("spec", "cause"), UNPROVEN.values(), ids=UNPROVEN)
async def test_who_is_missing_is_gone_only_when_the_provider_says_so(bureau: Bureau, spec: str, cause: str) -> None:
    """Somebody else deleted an account: until that is proven nobody is made anew."""
    bureau.app.project.delete(ident(5))
    bureau.app.sandbox.faults = spec
    report = await bureau.run()
    assert cause in bureau.error(report) and mail(5) not in bureau.app.posts() and bureau.deletions() == []
    bureau.made.pop(mail(5))
    await bureau.recovers()


POISON: Faulty = {
    "NaN": ("nan", "unexpected character"),
    "nested 100,000 deep": ("deep", "depth limit exceeded"),
    "integer of 5,000 digits": ("huge", "infinity when parsed as double"),
    "lone surrogate": ("surrogate", "surrogate"),
    "NUL": ("nul", "a text holds NUL"),
    "name a number": ("drift;field=name", "'name' is a number, not a string"),
    "e-mail an object": ("literal;field=email;value={}", "'email' is an object, not a string"),
    "status a text": ("literal;field=status;value=%22on%22", "'status' is a text, not a boolean"),
    "labels an object": ("literal;field=labels;value={}", "'labels' is an object, not a set"),
    "prefs a list": ("literal;field=prefs;value=[1]", "'prefs' is an array, not a object"),
    "prefs with NaN": ("literal;field=prefs;value={%22a%22:NaN}", "unexpected character"),
    "prefs with NUL": ("literal;field=prefs;value={%22a%22:%22\\u0000%22}", "a text holds NUL"),
}


@pytest.mark.parametrize(("spec", "cause"), POISON.values(), ids=POISON)
async def test_one_poisoned_record_is_rejected_and_the_others_go_on(bureau: Bureau, spec: str, cause: str) -> None:
    kind, _, params = spec.partition(";")
    bureau.app.sandbox.faults = f"{kind}@page:1;{params}" if params else f"{kind}@page:1"
    report = await bureau.run()
    ((state, _, _, reason),) = bureau.app.pending()
    assert state == "rejected" and cause in reason
    assert not report.failed and bureau.accounts() == bureau.wanted, "the leavers are gone, the newcomer is there, nobody else left"
    await bureau.recovers()


DRIFT: Faulty = {
    "id a number": ("drift@list", "'$id' is a number, not a text: the provider's format has changed"),
    "id missing": ("missing@page", "'$id' is null, not a text"),
    "records that are texts": ("literal@list;field=$id;value=[]", "'$id' is an array, not a text"),
}


@pytest.mark.parametrize(("spec", "cause"), DRIFT.values(), ids=DRIFT)
async def test_an_id_that_changed_its_type_stops_the_connection_before_anything_is_sent(bureau: Bureau, spec: str, cause: str) -> None:
    bureau.app.sandbox.faults = f"{spec};times={ALWAYS}"
    report = await bureau.run()
    assert report.failed and cause in bureau.error(report) and bureau.app.writes() == []
    await bureau.recovers()


@pytest.mark.parametrize("spec", ["drift@update", "nan@update", "literal@update;field=$id;value=%22somebody%22"])
async def test_an_answer_to_a_write_that_cannot_be_kept_is_not_believed(bureau: Bureau, spec: str) -> None:
    bureau.app.sandbox.faults = f"{spec};times={ALWAYS}"
    report = await bureau.run()
    assert bureau.error(report) or result(report, "app").rejected
    bureau.unharmed()
    await bureau.recovers()
    assert LEAVERS.isdisjoint(bureau.accounts())
