"""Checks of a create whose answer is lost, as when the process is killed after sending: found again, never made twice."""

from __future__ import annotations

from syncd.connectors.conformance.checks import attempt, check, expect, identified, said, writes
from syncd.connectors.conformance.finding import keys
from syncd.connectors.conformance.sending import LOST, lost
from syncd.connectors.conformance.stage import Stage
from syncd.errors import InDoubt, Retryable


@check("perform.doubt", writes, identified)
async def a_create_without_an_answer_is_found_again(stage: Stage) -> None:
    unreadable = ["empty@create:1;when=after", "cut@create:1", "content_type@create:1"]
    for _ in stage.faults([*lost("create"), *unreadable]):
        change, there = stage.newcomer(), {*stage.bench.holds()}
        answer = await attempt(stage.connector.perform(stage.connector.steps(change)[0]))
        expect(isinstance(answer, InDoubt), f"it was answered by {said(answer)}")
        made = sorted({*stage.bench.holds()} - there)
        expect(len(made) == 1 == len(stage.bench.holds()) - len(there), f"{len(stage.bench.holds()) - len(there)} accounts were made")
        found = [one.id for one in await stage.connect().find(keys(stage, change))]
        expect(found == made, f"account {made[0]} was made, and `find` in another process found {found}")


@check("perform.doubt", writes, identified)
async def a_create_that_was_not_done_is_not_found(stage: Stage) -> None:
    for _ in stage.faults(f"{kind}@create:1" for kind in LOST if kind != "truncated"):
        change, there = stage.newcomer(), [*stage.bench.holds()]
        answer = await attempt(stage.connector.perform(stage.connector.steps(change)[0]))
        expect(isinstance(answer, InDoubt), f"it was answered by {said(answer)}")
        found = [one.id for one in await stage.connect().find(keys(stage, change))]
        expect([*stage.bench.holds()] == there and not found, f"nobody was made, and `find` found {found}")


@check("perform.doubt", writes, identified)
async def the_wait_for_a_turn_doubles_nobody(stage: Stage) -> None:
    for _ in stage.faults(["429@create:2"]):
        there = len(stage.bench.holds())
        answer = await attempt(stage.do(stage.newcomer()))
        made = len(stage.bench.holds()) - there
        expected = 0 if isinstance(answer, Retryable) else 1
        expect(made == expected, f"it was answered by {said(answer)}, and {made} accounts were made")
