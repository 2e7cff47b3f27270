"""The rate gate on a virtual clock, against a provider that counts."""

from __future__ import annotations

import asyncio
import random

import pytest

from syncd.connectors.pacing import TOLERANCE, Gate
from syncd.environment import Environment
from syncd.errors import Retryable

pytestmark = pytest.mark.anyio


class Clock(Environment):
    """Sleeping moves the clock at once, and up to ``late`` seconds too far, as a busy machine does."""

    def __init__(self, late: float = 0.0) -> None:
        super().__init__(seed=7)
        self.now_at, self.late, self.noise = 1000.0, late, random.Random(3)

    def monotonic(self) -> float:
        return self.now_at

    async def sleep(self, seconds: float) -> None:
        assert seconds > 0
        self.now_at += seconds + self.noise.random() * self.late


class Provider:
    """A token bucket: ``rate`` a second, ``burst`` seconds deep but at least two requests, 1 ms a request."""

    def __init__(self, clock: Clock, rate: float, burst: float) -> None:
        self.clock, self.rate, self.depth = clock, rate, max(rate * burst, 2.0)
        self.tokens, self.at = self.depth, clock.now_at
        self.accepted = self.refused = 0

    def take(self) -> bool:
        now = self.clock.now_at
        self.tokens = min(self.depth, self.tokens + (now - self.at) * self.rate)
        self.at = now
        self.clock.now_at += 0.001
        good = self.tokens >= 1
        self.tokens -= good
        self.accepted += good
        self.refused += not good
        return good


async def send(gate: Gate, provider: Provider, count: int, after: float | None = None) -> float:
    """Seconds it took until ``count`` requests were accepted."""
    began = provider.clock.now_at
    while provider.accepted < count:
        episode = await gate.enter()
        if provider.take():
            gate.accepted(episode)
        else:
            gate.refused(episode, after)
    return provider.clock.now_at - began


@pytest.mark.parametrize("late", [0.0, 0.005, 0.03])
@pytest.mark.parametrize("rate", [5.0, 100.0, 700.0])
@pytest.mark.parametrize("burst", [0.1, 1.0])
async def test_a_known_limit_is_used_to_98_percent_without_a_refusal(rate: float, burst: float, late: float) -> None:
    clock = Clock(late)
    provider = Provider(clock, rate, burst)
    seconds = await send(Gate(clock, rate), provider, 5000)
    assert provider.refused == 0
    assert 5000 / seconds / rate >= 0.98


async def test_after_a_stall_only_a_few_catch_up() -> None:
    clock = Clock()
    gate = Gate(clock, 100)
    await gate.enter()
    clock.now_at += 60
    passed = 0
    before = clock.now_at
    while clock.now_at == before:
        await gate.enter()
        passed += 1
    assert passed - 1 <= TOLERANCE * 100 + 1


async def test_without_a_limit_nobody_waits() -> None:
    clock = Clock()
    gate = Gate(clock)
    for _ in range(1000):
        gate.accepted(await gate.enter())
    assert clock.now_at == 1000.0


@pytest.mark.parametrize("after", [None, 1.0])
async def test_an_unknown_limit_is_learned_between_refusals(after: float | None) -> None:
    clock = Clock(0.002)
    provider = Provider(clock, 100, 1.0)
    gate = Gate(clock)
    seconds = await send(gate, provider, 20_000, after)
    assert 20_000 / seconds / 100 >= 0.97
    assert provider.refused <= 0.003 * 20_000
    assert gate.rate is not None
    assert 85 <= gate.rate <= 115


async def test_a_learned_pace_recovers_when_the_provider_grants_more() -> None:
    clock = Clock()
    provider = Provider(clock, 20, 1.0)
    gate = Gate(clock)
    await send(gate, provider, 1000)
    assert gate.rate is not None
    assert gate.rate < 25
    provider.rate, provider.depth = 200, 200
    seconds = await send(gate, provider, 20_000)
    assert 19_000 / seconds > 150


async def test_a_known_limit_is_never_exceeded_by_probing() -> None:
    clock = Clock()
    gate, provider = Gate(clock, 100), Provider(clock, 60, 1.0)
    await send(gate, provider, 3000)
    assert gate.rate is not None
    assert gate.rate < 80
    provider.rate = provider.depth = 1000.0
    await send(gate, provider, 13_000)
    assert gate.rate == pytest.approx(99.5)


async def test_a_refusal_stops_everybody_for_as_long_as_the_provider_wishes() -> None:
    clock = Clock()
    gate = Gate(clock, 100)
    gate.refused(await gate.enter(), 30.0)
    before = clock.now_at
    await gate.enter()
    assert clock.now_at - before >= 30


async def test_refusals_in_a_row_double_the_pause_up_to_30_s_and_success_ends_that() -> None:
    clock = Clock()
    gate = Gate(clock)
    pauses = []
    for _ in range(1100):
        episode = await gate.enter()
        before = clock.now_at
        gate.refused(episode, None)
        gate_episode = await gate.enter()
        pauses.append(round(clock.now_at - before, 3))
    assert pauses[:4] == [0.1, 0.2, 0.4, 0.8]
    assert pauses[-1] == 30.0
    gate.accepted(gate_episode)
    before = clock.now_at
    gate.refused(await gate.enter(), None)
    await gate.enter()
    assert clock.now_at - before < 1


async def test_refusals_of_one_burst_count_once() -> None:
    clock = Clock()
    gate = Gate(clock)
    burst = [await gate.enter() for _ in range(10)]
    clock.now_at += 0.05
    for episode in burst:
        gate.refused(episode, None)
    before = clock.now_at
    await gate.enter()
    assert clock.now_at - before == pytest.approx(0.1)


async def test_a_cancelled_waiter_holds_up_nobody() -> None:
    environment = Environment()
    gate = Gate(environment, 20)
    for _ in range(3):
        await gate.enter()
    waiter = asyncio.create_task(gate.enter())
    behind = asyncio.create_task(gate.enter())
    await asyncio.sleep(0)
    waiter.cancel()
    await asyncio.wait_for(behind, 2)
    assert waiter.cancelled()


async def test_waiting_for_a_turn_ends_when_the_silence_asked_for_is_too_long() -> None:
    clock = Clock()
    gate = Gate(clock, 1)
    gate.refused(await gate.enter(), 100.0)
    with pytest.raises(Retryable, match="100 more seconds") as caught:
        await gate.enter(99.0)
    assert caught.value.after == pytest.approx(100)
    assert clock.now_at == 1000.0
    await gate.enter(101.0)
    assert clock.now_at >= 1100
