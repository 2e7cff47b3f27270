"""The runner: every check on a bench of its own, and what came of it."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Sequence
from dataclasses import dataclass
from enum import StrEnum

from syncd.connectors.conformance.bench import Broken, Inapplicable, Open
from syncd.connectors.conformance.checks import CHECKS, Check, said
from syncd.connectors.conformance.stage import Stage
from syncd.connectors.obligations import OBLIGATIONS, number

PATIENCE = 60.0
"""Seconds that one check may take: on a bench nothing waits."""


class State(StrEnum):
    OK = "ok"
    FAILED = "failed"
    INAPPLICABLE = "not applicable"


@dataclass(frozen=True, slots=True)
class Outcome:
    """``found``: what was found where it failed, why there was nothing to try where it is not applicable."""

    check: Check
    state: State
    found: str = ""

    @property
    def number(self) -> int:
        return number(self.check.obligation)

    @property
    def clause(self) -> str:
        return OBLIGATIONS[self.check.obligation]


async def run(check: Check, open: Open) -> Outcome:
    """Whatever a connector or its bench raises beyond syncd.errors is what was found, too."""
    try:
        async with asyncio.timeout(PATIENCE):
            await _tried(check, open)
    except Inapplicable as why:
        return Outcome(check, State.INAPPLICABLE, str(why))
    except Broken as found:
        return Outcome(check, State.FAILED, str(found))
    except TimeoutError:
        return Outcome(check, State.FAILED, f"it took more than {PATIENCE:g} s, though nothing here has to wait")
    except Exception as error:
        return Outcome(check, State.FAILED, f"unexpected {said(error)}")
    return Outcome(check, State.OK)


async def _tried(check: Check, open: Open) -> None:
    """Raises Broken, Inapplicable, and what the connector lets through; all connectors are closed then."""
    with open() as bench:
        stage = Stage(bench)
        try:
            idle = check.idle(stage.capability)
            if idle:
                raise Inapplicable(idle)
            await check.run(stage)
        except Broken as found:
            raise Broken(f"{found}{stage.fault and ' with the fault '}{stage.fault}") from None
        finally:
            await stage.aclose()


async def run_all(open: Open, checks: Sequence[Check] = ()) -> AsyncIterator[Outcome]:
    """In the order of the clauses."""
    for check in sorted(checks or CHECKS, key=lambda one: number(one.obligation)):
        yield await run(check, open)
