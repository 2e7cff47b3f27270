"""The board as Prometheus reads it: base units, and no label that names a person."""

from __future__ import annotations

import math
import platform
from collections.abc import Iterator, Mapping, Sequence
from typing import Any

from prometheus_client import CollectorRegistry, ProcessCollector, generate_latest
from prometheus_client.core import CounterMetricFamily, GaugeMetricFamily, HistogramMetricFamily, Metric
from prometheus_client.registry import Collector

import syncd
from syncd.health.board import BUCKETS, Board

GAUGES = {
    "syncd_accounts": "Accounts known there.",
    "syncd_held": "Changes that wait for a person's yes.",
    "syncd_in_doubt": "Creations that were sent and whose outcome is unknown.",
    "syncd_quarantined": "Changes put aside after failing repeatedly.",
    "syncd_rejected": "Changes that cannot be done as asked.",
    "syncd_suspended": "1: left alone after failing again and again, or because its credentials are refused; 0: in use.",
    "syncd_credentials_refused": "1: its last cycle here ended because its credentials were refused; 0: it did not.",
    "syncd_lease_held": "1: this process was the writer at its last try, or is; 0: another was.",
}
REFUSED = "1: the configuration was refused when it was last reloaded, the one before is in use; 0: it was not."


class Metrics(Collector):
    """Every family of the contract, on each scrape."""

    def __init__(self, board: Board) -> None:
        self._board = board

    def collect(self) -> Iterator[Metric]:
        board = self._board
        requests, throttled = board.traffic()
        yield _durations(board)
        for name, about in GAUGES.items():
            yield _gauge(name, about, ("connection",), {(one,): value for one, value in board.gauges.get(name, {}).items()})
        success = "When a reading last ended well."
        yield _gauge("syncd_last_success_timestamp_seconds", success, ("connection", "mode"), board.success)
        yield _gauge("syncd_config_refused", REFUSED, (), {(): board.refused})
        yield _gauge("syncd_build_info", "Always 1.", ("version", "python"), {(syncd.__version__, platform.python_version()): 1})
        yield _counter("syncd_changes", "Changes that ended, by outcome.", ("connection", "kind", "outcome"), board.changes)
        yield _counter("syncd_requests", "Requests sent, by HTTP status (none: no answer).", ("connection", "status"), requests)
        yield _counter("syncd_throttled", "Answers that said slow down.", ("connection",), {(one,): n for one, n in throttled.items()})


def page(board: Board) -> bytes:
    """The text of /metrics (Prometheus exposition format 0.0.4): syncd's own, and what the process costs."""
    registry = CollectorRegistry()
    ProcessCollector(registry=registry)
    registry.register(Metrics(board))
    return generate_latest(registry)


def _gauge(name: str, about: str, labels: Sequence[str], values: Mapping[Any, float]) -> Metric:
    made = GaugeMetricFamily(name, about, labels=labels)
    for key, value in sorted(dict(values).items()):
        made.add_metric(key, value)
    return made


def _counter(name: str, about: str, labels: Sequence[str], values: Mapping[Any, float]) -> Metric:
    made = CounterMetricFamily(name, about, labels=labels)
    for key, value in sorted(dict(values).items()):
        made.add_metric(key, value)
    return made


def _durations(board: Board) -> Metric:
    total, classes = 0, []
    for bound in (*BUCKETS, float("inf")):
        total += board.durations[bound]
        classes.append(("+Inf" if math.isinf(bound) else str(bound), total))
    made = HistogramMetricFamily("syncd_cycle_duration_seconds", "How long a cycle took.")
    made.add_metric([], classes, board.seconds)
    return made
