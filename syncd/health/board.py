"""What the daemon knows of itself, written by the thread that works and read by whoever asks."""

from __future__ import annotations

import threading
from collections import Counter
from collections.abc import Iterable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, field

from syncd.model import Meter

BUCKETS = (0.1, 0.25, 0.5, 1.0, 2.5, 5.0, 10.0, 30.0, 60.0, 300.0, 900.0, 3600.0)
"""Upper bounds of the classes of a cycle's duration, seconds."""


@dataclass
class Board:
    """``gauges``: name -> connection -> value now. ``success``: (connection, mode) -> when it last succeeded, seconds since 1970.

    ``changes`` by (connection, kind, outcome), ``requests`` by (connection, status), ``throttled`` by connection, ``durations`` by class
    of `BUCKETS`: totals since the process began. ``refused``: the configuration on disk is not that in use, because it was refused.
    ``trouble``: why nothing is read or sent at all, "" while something is.
    """

    gauges: dict[str, dict[str, float]] = field(default_factory=dict)
    success: dict[tuple[str, str], float] = field(default_factory=dict)
    changes: Counter[tuple[str, str, str]] = field(default_factory=Counter)
    requests: Counter[tuple[str, str]] = field(default_factory=Counter)
    throttled: Counter[str] = field(default_factory=Counter)
    durations: Counter[float] = field(default_factory=Counter)
    seconds: float = 0.0
    refused: bool = False
    trouble: str = ""
    _meters: list[Mapping[str, Meter]] = field(default_factory=list)
    _lock: threading.Lock = field(default_factory=threading.Lock)

    def gauge(self, name: str, connection: str, value: float) -> None:
        with self._lock:
            self.gauges.setdefault(name, {})[connection] = value

    def forget(self, connections: Iterable[str]) -> None:
        """Those that are not configured any more have no state; what they did stays counted."""
        with self._lock:
            gone = set(connections)
            for values in self.gauges.values():
                for name in gone & values.keys():
                    del values[name]
            self.success = {key: value for key, value in self.success.items() if key[0] not in gone}

    @contextmanager
    def counting(self, meters: Mapping[str, Meter]) -> Iterator[None]:
        """The traffic of these meters counts as it happens, and for good when this block is left."""
        with self._lock:
            self._meters.append(meters)
        try:
            yield
        finally:
            with self._lock:
                self._meters = [each for each in self._meters if each is not meters]
                _add(self.requests, self.throttled, meters)

    def took(self, seconds: float) -> None:
        """A cycle ended after so many seconds."""
        with self._lock:
            self.durations[next((bound for bound in BUCKETS if seconds <= bound), float("inf"))] += 1
            self.seconds += seconds

    def traffic(self) -> tuple[Counter[tuple[str, str]], Counter[str]]:
        """(requests, throttled) until now, those under way included."""
        with self._lock:
            requests, throttled = self.requests.copy(), self.throttled.copy()
            for meters in self._meters:
                _add(requests, throttled, meters)
            return requests, throttled


def _add(requests: Counter[tuple[str, str]], throttled: Counter[str], meters: Mapping[str, Meter]) -> None:
    for name, meter in meters.items():
        for status, number in tuple(meter.statuses.items()):
            requests[name, status] += number
        if meter.throttled:
            throttled[name] += meter.throttled
