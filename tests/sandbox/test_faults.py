"""The plan of faults: which strikes when, and the text that asks for it."""

from __future__ import annotations

import pytest

from syncd.sandbox import ALWAYS, Fault, FaultPlan
from syncd.sandbox.faults import parse


def strikes(plan: FaultPlan, requests: int, operation: str = "list") -> list[int]:
    return [n for n in range(requests) if plan.take(operation) is not None]


def test_times_after_and_always() -> None:
    assert strikes(FaultPlan("500@list"), 5) == [0]
    assert strikes(FaultPlan("500@list:2;after=1"), 5) == [1, 2]
    assert strikes(FaultPlan("500@*:*"), 3) == [0, 1, 2]
    assert strikes(FaultPlan([Fault("500", "create", times=ALWAYS)]), 3) == []


def test_a_chance_is_repeatable_and_about_right() -> None:
    first, same, other = (strikes(FaultPlan("500@list:0.25", seed), 1000) for seed in (1, 1, 2))
    assert first == same != other
    assert 200 < len(first) < 300
    assert len(strikes(FaultPlan("500@list:0.5;times=3"), 1000)) == 3


def test_the_first_that_matches_strikes() -> None:
    plan = FaultPlan("html@list,500@*,502@page")
    assert [(fault := plan.take("list", continues=True)) and fault.kind for _ in range(4)] == ["html", "500", "502", None]
    assert plan.struck == [("html", "list"), ("500", "list"), ("502", "list")]
    plan.add("empty@delete")
    assert [repr(fault) for fault in plan][-1] == "Fault('empty', 'delete', times=1, probability=1.0, {})"
    plan.clear()
    assert not strikes(plan, 3)


@pytest.mark.parametrize(
    ("spec", "message"),
    [
        ("boom", "no fault is called 'boom'"),
        ("500@lists", "cannot befall 'lists'"),
        ("missed@create", "cannot befall 'create'"),
        ("500;colour=red", "takes no colour; it takes when, retry_after"),
        ("500;when=late", "when=late is not known"),
        ("500@list:1.5", "between 0 and 1"),
        ("500@list:often", "is no fault"),
        ("nan@list;record=x", "record=x is no number"),
        ("literal@list", "literal needs a value"),
    ],
)
def test_a_faulty_spec_is_refused_with_its_reason(spec: str, message: str) -> None:
    with pytest.raises(ValueError, match=message.replace("(", r"\(")):
        parse(spec)
