"""How many requests a plan sends, and how long that takes."""

from __future__ import annotations

import pytest
from core_targets import SWITCH
from hypothesis import given
from hypothesis import strategies as st

from syncd.core.forecast import eta, requests
from syncd.model import Change, Kind, Rate, Step

CHANGE = Change("", "app", Kind.UPDATE, "p", "p", "a", {}, "")


@pytest.mark.parametrize(
    ("creates", "paths", "count"),
    [
        (True, ["login", "meta.x"], 1), (False, None, 1), (False, ["name"], 1), (False, ["meta.x"], 2),
        (False, ["name", "meta.x", "meta.y"], 2), (False, ["meta"], 1),
    ],
)  # fmt: skip
def test_a_member_of_an_object_costs_a_look_before_the_write(creates: bool, paths: list[str] | None, count: int) -> None:
    step = Step(CHANGE, 1, "POST", "/", None if paths is None else dict.fromkeys(paths), creates)
    assert requests([step], SWITCH) == count
    assert requests([step, step], SWITCH) == 2 * count
    assert requests([], SWITCH) == 0


rates = st.builds(Rate, st.none() | st.floats(0.1, 1000), st.integers(1, 64))


@given(count=st.integers(0, 10**5), rate=rates, latency=st.floats(0, 60))
def test_the_slower_of_rate_and_latency_sets_the_pace(count: int, rate: Rate, latency: float) -> None:
    seconds = eta(count, rate, latency)
    allowed = 0.0 if rate.per_second is None else count / rate.per_second
    answered = count * latency / rate.concurrency
    assert seconds == round(max(allowed, answered), 1)
    assert eta(count + 1, rate, latency) >= seconds


@pytest.mark.parametrize(("rate", "latency", "seconds"), [(Rate(100, 8), 0.05, 6.0), (Rate(100, 4), 0.1, 15.0), (Rate(None, 8), 0.0, 0.0)])
def test_six_hundred_requests(rate: Rate, latency: float, seconds: float) -> None:
    assert eta(600, rate, latency) == seconds
