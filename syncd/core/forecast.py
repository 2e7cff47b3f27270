"""How many requests a plan will send, and how long that takes."""

from __future__ import annotations

from collections.abc import Iterable

from syncd.model import Capability, Rate, Step


def requests(steps: Iterable[Step], capability: Capability) -> int:
    """Requests of one change: one a step, and one more where members of an object are merged into what is there."""
    return sum(2 if _merges(step, capability) else 1 for step in steps)


def _merges(step: Step, capability: Capability) -> bool:
    return not step.creates and any(path not in capability.attributes for path in step.body or ())


def eta(count: int, rate: Rate, latency: float) -> float:
    """Seconds for ``count`` requests: bounded by the allowed rate, and by ``latency`` seconds each over the concurrency."""
    by_rate = count / rate.per_second if rate.per_second else 0.0
    return round(max(by_rate, count * latency / rate.concurrency), 1)
