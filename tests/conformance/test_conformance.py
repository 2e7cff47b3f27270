"""Every registered connector keeps every obligation, on its bench."""

from __future__ import annotations

from collections.abc import Mapping
from functools import partial

import pytest

from syncd import benches, connectors
from syncd.benches import file
from syncd.connectors.conformance import CHECKS, Check, Open, State, run
from syncd.connectors.obligations import OBLIGATIONS, number, quoted

pytestmark = pytest.mark.anyio
BENCHES: Mapping[str, Open] = {
    **{name: benches.get(name) for name in benches.names()},
    **{f"file{suffix}": partial(file.bench, suffix) for suffix in (".jsonl", ".json")},
}
IDLE = {
    "memory": {"list.records", "perform.permit", "ids"},
    "twilio": {"switch"},
    "appwrite": {"attributes.mutable"},
    "chatbotkit": {"attributes.limit", "switch"},
    "waii": {"attributes.mutable", "attributes.limit", "switch", "ids"},
}
"""Obligations of which a check has nothing to try there; of a people file, all that speak of writing have not."""


@pytest.mark.parametrize("check", CHECKS, ids=lambda check: check.run.__name__)
@pytest.mark.parametrize("bench", BENCHES)
async def test_a_connector_keeps_its_obligations(bench: str, check: Check) -> None:
    outcome = await run(check, BENCHES[bench])
    assert outcome.state is not State.FAILED, f"{quoted(check.obligation)}\n{check.name}: {outcome.found}"
    if bench in IDLE:
        assert outcome.state is State.OK or check.obligation in IDLE[bench], f"nothing was tried: {outcome.found}"


def test_every_connector_has_a_bench() -> None:
    assert {"appwrite", "chatbotkit", "file", "memory", "twilio", "waii"} <= {*benches.names()}
    assert {*connectors.names()} <= {*benches.names()}


def test_every_obligation_has_a_check_and_every_check_an_obligation() -> None:
    assert {one.obligation for one in CHECKS} == {*OBLIGATIONS}
    assert len({one.name for one in CHECKS}) == len(CHECKS)
    assert [number(name) for name in OBLIGATIONS] == [*range(1, len(OBLIGATIONS) + 1)]
    assert quoted("switch").startswith(f"{number('switch')}. The switch ")
