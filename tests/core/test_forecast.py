"""How many requests a plan sends, and how long that takes."""

from __future__ import annotations

import pytest
from core_targets import SWITCH
from hypothesis import given
from hypothesis import strategies as st

from syncd.connectors.twilio import CAPABILITY, table
from syncd.core.forecast import eta, requests
from syncd.model import Kind, Rate


@pytest.mark.parametrize(
    ("kind", "paths", "count"),
    [
        (Kind.CREATE, ["login", "meta.x"], 1), (Kind.DELETE, [], 1), (Kind.ADOPT, [], 0), (Kind.ADOPT, ["name"], 1),
        (Kind.ADOPT, ["meta.x"], 2),
        (Kind.UPDATE, [], 0), (Kind.UPDATE, ["name"], 1), (Kind.UPDATE, ["name", "meta.x", "meta.y"], 2), (Kind.UPDATE, ["meta"], 1),
        (Kind.DISABLE, ["active"], 1), (Kind.DISABLE, ["meta.off"], 2),
    ],
)  # fmt: skip
def test_a_member_of_an_object_costs_a_look_before_the_write(kind: Kind, paths: list[str], count: int) -> None:
    assert requests(kind, iter(paths), SWITCH) == count


def test_twilios_marker_lies_in_an_object_that_is_written_whole() -> None:
    assert requests(Kind.UPDATE, ["attributes.syncd"], CAPABILITY) == 2
    assert len(table(None).updates) == 1


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
