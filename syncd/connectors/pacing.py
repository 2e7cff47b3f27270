"""The rate gate: requests pass one at a time, as fast as the provider's limit allows and no faster (GCRA, ITU-T I.371).

A known limit is kept to 99.5 %. An unknown one is learned between two refusals: what was accepted, divided by the time between,
is what the provider grants. A learned pace is probed upwards in growing steps until the next refusal, and never above a known limit.
"""

from __future__ import annotations

import asyncio
import math

from syncd.environment import Environment
from syncd.errors import Retryable

MARGIN = 0.995
TOLERANCE = 0.05
"""Seconds by which a request may be late without losing its place; bounds the burst after a stall to TOLERANCE x rate requests."""
SHORTEST_PAUSE = 0.1
LONGEST_PAUSE = 30.0
NEAR = 0.9
"""Below this part of the pace that was last refused, probing is quick (QUICK: seconds, step); above it, slow and growing."""
QUICK = (0.25, 0.1)
SLOW = (5.0, 0.01)


class Gate:
    """One budget of requests, shared by everything that uses one credential. ``rate``: requests a second now, None = as they come."""

    def __init__(self, environment: Environment, per_second: float | None = None) -> None:
        self._environment = environment
        self._limit = math.inf if per_second is None else per_second * MARGIN
        self.rate: float | None = None if per_second is None else self._limit
        self._lock = asyncio.Lock()
        self._due = -math.inf  # when the next request is due if all came evenly (GCRA's theoretical arrival time)
        self._paused_until = -math.inf
        self._episode = 0  # counts refusals; a request belongs to the episode it was sent in
        self._accepted = 0
        self._since = environment.monotonic()  # of the last refusal
        self._strikes = 0  # refusals in a row
        self._ceiling = math.inf  # the pace that was last refused
        self._probe_at, self._step = math.inf, SLOW[1]

    async def enter(self, most: float = math.inf) -> int:
        """Wait for a turn; returns the episode, to be handed back to `accepted` or `refused`.

        Raises Retryable at once when the provider has asked everybody for more than ``most`` further seconds of silence, and when syncd
        is ending.
        """
        async with self._lock:
            while (wait := self._wait(most)) > 0:
                if self._environment.ending:
                    raise Retryable("not sent: syncd is ending")
                await self._environment.sleep(wait)
            self._pass()
            return self._episode

    def accepted(self, episode: int) -> None:
        """The provider took the request (whatever else it answered)."""
        if episode == self._episode:
            self._accepted += 1
            self._strikes = 0

    def refused(self, episode: int, after: float | None) -> None:
        """The provider said slow down, wishing ``after`` seconds of silence if it gave a number: everybody waits."""
        now = self._environment.monotonic()
        if episode == self._episode:  # later refusals of the same burst teach nothing new
            self._learn(now)
            self._episode += 1
            self._strikes += 1
        pause = after if after is not None else min(SHORTEST_PAUSE * 2.0 ** min(self._strikes - 1, 20), LONGEST_PAUSE)
        self._paused_until = max(self._paused_until, now + pause)

    def _wait(self, most: float) -> float:
        now = self._environment.monotonic()
        pause = self._paused_until - now
        if pause > most:
            raise Retryable(f"not sent: the provider asked for {pause:.0f} more seconds of silence", pause)
        return max(pause, self._due - now) if self.rate else pause

    def _pass(self) -> None:
        now = self._environment.monotonic()
        if self.rate:
            if now >= self._probe_at:
                self._probe(now, self.rate)
            self._due = max(now - TOLERANCE, self._due) + 1 / self.rate

    def _probe(self, now: float, rate: float) -> None:
        """Go up: quickly while well below the pace that was last refused, in small growing steps near and above it."""
        near = self._ceiling * NEAR
        if rate < near:
            self.rate, pause = min(rate * (1 + QUICK[1]), near), QUICK[0]
        else:
            self.rate, pause, self._step = rate * (1 + self._step), SLOW[0], min(self._step * 2, 1.0)
        self.rate = min(self.rate, self._limit)
        self._probe_at = now + pause

    def _learn(self, now: float) -> None:
        """What was granted since the last refusal is the new pace, but never less than half of the old one: one hiccup proves little.

        A first refusal shows only our own speed, so fall to a quarter of it and climb: the second, which teaches, then costs few requests.
        """
        if self._accepted and now > self._since:
            seen = self._accepted / (now - self._since)
            first = self.rate is None
            self._ceiling = self.rate or seen
            self.rate = min(seen / 4 if first else max(seen * MARGIN, self._ceiling / 2), self._limit)
            self._probe_at, self._step = now + (QUICK[0] if self.rate < self._ceiling * NEAR else SLOW[0]), SLOW[1]
        self._since, self._accepted = now, 0
