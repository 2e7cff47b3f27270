"""How many requests a plan will send, and how long that takes."""

from __future__ import annotations

from collections.abc import Iterable

from syncd.model import Capability, Kind, Rate


def requests(kind: Kind, paths: Iterable[str], capability: Capability) -> int:
    """Requests of one change: one, none where nothing of an account is written, and one more where members of an object are merged."""
    named = list(paths)
    if kind in (Kind.ADOPT, Kind.UPDATE) and not named:
        return 0
    merges = kind not in (Kind.CREATE, Kind.DELETE) and any(path not in capability.attributes for path in named)
    return 2 if merges else 1


def eta(count: int, rate: Rate, latency: float) -> float:
    """Seconds for ``count`` requests: bounded by the allowed rate, and by ``latency`` seconds each over the concurrency."""
    by_rate = count / rate.per_second if rate.per_second else 0.0
    return round(max(by_rate, count * latency / rate.concurrency), 1)
