"""The runner: whatever goes wrong on a bench is an outcome of that check, and everything is closed afterwards."""

from __future__ import annotations

import asyncio
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

import pytest

from syncd.benches.memory import MemoryBench
from syncd.connectors.base import Connector
from syncd.connectors.conformance import CHECKS, Check, Inapplicable, State, run, run_all, runner
from syncd.connectors.conformance.checks import check, expect
from syncd.connectors.conformance.stage import Stage
from syncd.connectors.obligations import number
from syncd.model import Capability

pytestmark = pytest.mark.anyio


class Counting(MemoryBench):
    """Counts what is open."""

    opened = closed = 0

    def connector(self, *, writable: bool = True) -> Connector:
        made: Any = super().connector(writable=writable)
        Counting.opened += 1

        async def aclose() -> None:
            Counting.closed += 1

        made.aclose = aclose
        return made


@contextmanager
def bench() -> Iterator[Counting]:
    yield Counting()


async def fails(stage: Stage) -> None:
    for _ in stage.faults(["close@list:1", "401@list:1"]):
        expect(stage.connect() is None, "it is not as it should be")


async def falls_over(stage: Stage) -> None:
    stage.connect()
    raise KeyError("nextToken")


async def waits_for_ever(stage: Stage) -> None:
    await asyncio.Event().wait()


async def has_nothing_to_try(stage: Stage) -> None:
    for _ in stage.faults(["html@list:1"]):
        pass


async def is_content(stage: Stage) -> None:
    expect(stage.capability.writes, "never")


OUTCOMES = {
    fails: (State.FAILED, "it is not as it should be with the fault 401@list:1"),
    falls_over: (State.FAILED, "unexpected KeyError ('nextToken')"),
    waits_for_ever: (State.FAILED, "it took more than 0 s, though nothing here has to wait"),
    has_nothing_to_try: (State.INAPPLICABLE, "its bench shows none of these faults"),
    is_content: (State.OK, ""),
}


@pytest.mark.parametrize("function", OUTCOMES)
async def test_what_comes_of_a_check(function: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    if function is waits_for_ever:
        monkeypatch.setattr(runner, "PATIENCE", 0.0)
    before = Counting.opened - Counting.closed
    outcome = await run(Check("switch", function, ()), bench)
    assert (outcome.state, outcome.found) == OUTCOMES[function]
    assert (outcome.number, outcome.check.name) == (number("switch"), function.__name__.replace("_", " "))
    assert Counting.opened - Counting.closed == before, "a connector was left open"


async def test_a_connector_that_cannot_even_be_made_is_an_outcome() -> None:
    @contextmanager
    def unmade() -> Iterator[MemoryBench]:
        made = MemoryBench()
        made.connector = None  # type: ignore[assignment, method-assign]
        yield made

    outcome = await run(Check("switch", is_content, ()), unmade)
    assert outcome.state is State.FAILED and outcome.found.startswith("unexpected TypeError")


async def test_without_the_capability_nothing_is_tried() -> None:
    def flying(capability: Capability) -> str:
        return "it does not fly"

    outcome = await run(Check("switch", falls_over, (flying,)), bench)
    assert (outcome.state, outcome.found) == (State.INAPPLICABLE, "it does not fly")


async def test_checks_run_in_the_order_of_their_clauses() -> None:
    chosen = [Check("ids", is_content, ()), Check("declared", is_content, ())]
    assert [one.check.obligation async for one in run_all(bench, chosen)] == ["declared", "ids"]


def test_a_check_names_an_obligation_that_is_there() -> None:
    with pytest.raises(KeyError, match="politeness"):
        check("politeness")
    assert all(one.run is not is_content for one in CHECKS)


def test_a_bench_that_cannot_show_a_fault_says_so() -> None:
    for spec in ("html@fetch", "500@page:*;after=1", "html@fetch;status=404"):
        with pytest.raises(Inapplicable):
            MemoryBench().fault(spec)
