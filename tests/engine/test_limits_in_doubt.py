"""What was sent and may have taken effect counts against the limits, whatever is known of its outcome."""

from __future__ import annotations

from datetime import timedelta

import pytest

from syncd.connectors.memory import MemoryConnector
from syncd.errors import InDoubt, Quarantined, Rejected, Retryable, SyncdError
from syncd.model import Account, Kind, Step
from tests.engine.worlds import MakeWorld, kinds, limited, mail, people, target
from tests.world import person, planned

pytestmark = pytest.mark.anyio
LOST = InDoubt("the connection broke after the request was sent")


@pytest.mark.parametrize("happened", [True, False])
async def test_a_delete_whose_answer_was_lost_counts_whatever_came_of_it(world: MakeWorld, happened: bool) -> None:
    w = await limited(world, 20)
    w.write(people(*range(2, 21)))
    w.directory.fail_next("delete", LOST, after=happened)
    await w.run()
    w.write(people(*range(3, 21)))
    _, plan = await w.run()
    assert kinds(plan) == {("delete", "limit")}
    assert ("with 1 more in the last 24 h" in plan.connections[1].reason) == happened
    assert len(w.directory.accounts) == (19 if happened else 20)


async def test_a_delete_that_is_sent_again_after_its_answer_was_lost_counts_once(world: MakeWorld) -> None:
    w = await limited(world, 20)
    w.write(people(*range(2, 21)))
    w.directory.fail_next("delete", LOST)
    await w.run()
    report, plan = await w.run()
    assert (planned(plan), report.converged) == ([("delete", mail(1), "")], True)


@pytest.mark.parametrize("undone", [Retryable("HTTP 429"), Rejected("HTTP 403")], ids=lambda error: type(error).__name__)
async def test_what_was_surely_not_done_does_not_count(world: MakeWorld, undone: SyncdError) -> None:
    w = await limited(world, 20)
    w.write(people(*range(2, 21)))
    w.directory.fail_next("delete", undone)
    await w.run()
    w.write([person(1), *people(*range(3, 21))])
    _, plan = await w.run()
    assert (planned(plan), len(w.directory.accounts)) == ([("delete", mail(2), "")], 19)


async def test_creates_in_doubt_count(world: MakeWorld) -> None:
    w = await limited(world, 20, target=target("delete", settle=timedelta(hours=1)))
    w.write(people(*range(1, 31)))
    for _ in range(3):
        w.directory.fail_next("create", LOST)
    report, _ = await w.run()
    assert report.results[1].in_doubt == 3
    w.write(people(*range(1, 32)))
    _, plan = await w.run()
    assert kinds(plan) == {("create", "limit")}
    assert plan.connections[1].reason.startswith("1 are new (4 % of 27, limit 10 with 10 more in the last 24 h)")


@pytest.mark.parametrize("silence", [Retryable("HTTP 503"), Rejected("HTTP 400"), Quarantined("HTTP 401")], ids=lambda e: type(e).__name__)
async def test_a_disabling_that_could_not_be_read_back_counts(world: MakeWorld, silence: SyncdError) -> None:
    class Silent(MemoryConnector):
        async def perform(self, step: Step) -> Account | None:
            account = await super().perform(step)
            return None if step.change.kind is Kind.DISABLE else account

    w = await limited(world, 3, target=target("disable"), memory=Silent)
    w.write(people(2, 3))
    w.directory.fail_next("fetch", silence)
    report, _ = await w.run()
    assert (report.failed, w.account(mail(1))["active"]) == (True, False)
    w.write(people(3))
    _, plan = await w.run()
    assert planned(plan) == [("disable", mail(2), "limit")]


class Crash(BaseException):
    """The process dies."""


async def test_a_delete_that_a_crash_left_open_counts(world: MakeWorld) -> None:
    w = await limited(world, 20)
    w.write(people(*range(2, 21)))

    class Crashing(MemoryConnector):
        async def perform(self, step: Step) -> Account | None:
            await super().perform(step)
            raise Crash

    w.memory = Crashing
    with pytest.raises(Crash):
        await w.run()
    w.memory = MemoryConnector
    w.clock.pass_time(timedelta(minutes=1))
    w.write(people(*range(3, 21)))
    _, plan = await w.run()
    assert planned(plan) == [("delete", mail(2), "limit")]
