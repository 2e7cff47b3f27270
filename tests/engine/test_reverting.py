"""A run taken back, when the provider does not answer, the account is gone, or the process dies in between."""

from __future__ import annotations

from typing import Any

import pytest

from syncd.engine.report import Report
from syncd.engine.reverting import Draft, revert
from syncd.errors import InDoubt, Quarantined, Rejected, Retryable, SyncdError
from tests.engine.worlds import MakeWorld, established, mail, people, quiet, target, writes
from tests.world import World, person, planned

pytestmark = pytest.mark.anyio


async def taken_back(world: World, run: int, *, yes: bool = True) -> tuple[Report | None, Draft]:
    shown: list[Draft] = []

    async def approve(draft: Draft) -> bool:
        shown.append(draft)
        return yes

    landscape = world.landscape()
    connected = world.connected(landscape, writable=True)
    return await revert(world.clock, landscape, connected, world.store, run, approve), shown[0]


async def renamed(make: MakeWorld) -> tuple[World, int]:
    """A world in which a run renamed two, and which."""
    w = await established(make, *people(1, 2), target=target("disable"))
    w.write([person(1, title="Chief"), person(2, title="Cook")])
    report, _ = await w.run()
    assert report.converged
    return w, report.run


def titles(w: World) -> list[Any]:
    return [w.account(mail(number)).get("title") for number in (1, 2)]


def stays(draft: Draft) -> list[tuple[str, str, str]]:
    return sorted((row.who, path, why) for row, path, why in draft.stays)


async def test_what_was_taken_back_stays_and_the_store_is_right(world: MakeWorld) -> None:
    w, run = await renamed(world)
    report, draft = await taken_back(w, run)
    assert report is not None and (report.mode, report.failed, len(draft.rows), draft.stays) == ("apply", False, 2, [])
    assert titles(w) == [None, None]
    report, plan = await w.run("full")
    assert (planned(plan), quiet(w), w.verify()) == ([], True, [])


async def test_a_no_leaves_everything(world: MakeWorld) -> None:
    w, run = await renamed(world)
    before = len(writes(w))
    report, draft = await taken_back(w, run, yes=False)
    assert (report, len(draft.rows), len(writes(w)), titles(w)) == (None, 2, before, ["Chief", "Cook"])
    assert not w.verify()


@pytest.mark.parametrize(
    ("error", "why"),
    [
        (Retryable("HTTP 503"), "its account could not be asked for: HTTP 503"),
        (Rejected("HTTP 400"), "its account could not be asked for: HTTP 400"),
    ],
)
async def test_an_account_that_cannot_be_asked_for_is_left_alone(world: MakeWorld, error: SyncdError, why: str) -> None:
    w, run = await renamed(world)
    w.directory.fail_next("fetch", error)
    _, draft = await taken_back(w, run)
    assert stays(draft) == [(mail(2), "", why)] and titles(w) == [None, "Cook"]
    assert not w.verify()


async def test_a_target_that_refuses_to_be_asked_gets_nothing(world: MakeWorld) -> None:
    w, run = await renamed(world)
    before = len(writes(w))
    for _ in range(2):
        w.directory.fail_next("fetch", Quarantined("HTTP 401"))
    report, draft = await taken_back(w, run)
    assert (report, draft.rows, {why for _, _, why in stays(draft)}, len(writes(w))) == (None, [], {"HTTP 401"}, before)


async def test_an_account_that_is_gone_is_not_made_anew(world: MakeWorld) -> None:
    w, run = await renamed(world)
    for id in list(w.directory.accounts):
        w.directory.remove(id, w.clock.monotonic())
    _, draft = await taken_back(w, run)
    assert (draft.rows, {why for _, _, why in stays(draft)}) == ([], {"its account is gone"})
    assert not w.directory.accounts


async def test_what_the_provider_refuses_is_reported(world: MakeWorld) -> None:
    w, run = await renamed(world)
    w.directory.fail_next("update", Rejected("no such title"))
    report, _ = await taken_back(w, run)
    assert report is not None and report.results[0].rejected == 1
    assert sorted(map(str, titles(w))) == ["Cook", "None"]


async def test_a_revert_whose_answer_was_lost_is_settled_by_the_next_run(world: MakeWorld) -> None:
    w, run = await renamed(world)
    w.directory.fail_next("update", InDoubt("no answer"), after=True)
    report, _ = await taken_back(w, run)
    assert report is not None and report.failed
    for _ in range(2):
        await w.run("full")
    assert not w.verify() and w.account(mail(1)).get("title") is None


async def test_who_is_in_doubt_or_not_written_any_more_is_left_alone(world: MakeWorld) -> None:
    w, run = await renamed(world)
    w.store.run("UPDATE link SET doubt = 1 WHERE id = 1")
    _, draft = await taken_back(w, run)
    assert [why for _, _, why in stays(draft)] == ["a request about them is in doubt: `syncd sync` looks for what became of it"]
    w.store.run("UPDATE change SET connection = 'old' WHERE run = :run", run=run)
    _, draft = await taken_back(w, run)
    assert (draft.rows, {why for _, _, why in stays(draft)}) == ([], {"old is not written any more"})
