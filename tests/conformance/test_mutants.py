"""No check is idle: each one catches the connector that breaks its obligation, and quotes it."""

from __future__ import annotations

import pytest

from syncd.connectors.conformance import CHECKS, Open, State, run
from syncd.connectors.obligations import OBLIGATIONS
from tests.conformance import readers, writers
from tests.conformance.mutants import MUTANTS

pytestmark = pytest.mark.anyio
KINDS = (readers, writers)
BY_FUNCTION = {one.run.__name__: one for one in CHECKS}
EACH = [(check, name, bench) for check, mutants in MUTANTS.items() for name, bench in mutants]


@pytest.mark.parametrize(
    ("check", "bench"), [(check, bench) for check, _, bench in EACH], ids=[f"{name}-{check}" for check, name, _ in EACH]
)
async def test_a_mutant_is_caught_by_its_check(check: str, bench: Open) -> None:
    outcome = await run(BY_FUNCTION[check], bench)
    assert (outcome.state, outcome.clause) == (State.FAILED, OBLIGATIONS[BY_FUNCTION[check].obligation])
    assert outcome.found


def test_every_check_catches_somebody() -> None:
    assert {*MUTANTS} == {*BY_FUNCTION}
