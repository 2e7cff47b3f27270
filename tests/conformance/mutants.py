"""Connectors that break one obligation each, and the check that must notice."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from typing import Any, TypeVar

from syncd.benches.emulated import EmulatedBench, opened
from syncd.benches.memory import MemoryBench
from syncd.benches.twilio import TwilioBench
from syncd.connectors.base import Connector
from syncd.connectors.conformance import Open
from syncd.connectors.memory import MemoryConnector
from syncd.connectors.twilio import TwilioConnector, TwilioOptions
from syncd.environment import Environment
from syncd.model import Rate
from syncd.sandbox.twilio import Twilio

C = TypeVar("C", bound=type)
MUTANTS: defaultdict[str, list[tuple[str, Open]]] = defaultdict(list)
"""Function of a check -> (name, bench) of the mutants that it must catch."""


def caught_by(check: str) -> Callable[[C], C]:
    def register(mutant: C) -> C:
        MUTANTS[check].append((mutant.__name__, _bench(mutant)))
        return mutant

    return register


def _bench(mutant: type) -> Open:
    return _on_memory(mutant) if issubclass(mutant, MemoryConnector) else _on_twilio(mutant)


def _on_memory(mutant: type[MemoryConnector]) -> Open:
    @contextmanager
    def bench() -> Iterator[MemoryBench]:
        yield MemoryBench(mutant)

    return bench


def _on_twilio(mutant: type[TwilioConnector]) -> Open:
    class Bench(TwilioBench):
        def connect(self, url: str, environment: Environment, writable: bool) -> Connector:
            given: Mapping[str, Any] = {"base_url": url, "account_sid": Twilio.account_sid, "auth_token": Twilio.auth_token}
            return mutant(TwilioOptions.model_validate(given), environment=environment, rate=Rate(), writable=writable)

    @contextmanager
    def bench() -> Iterator[EmulatedBench[Twilio]]:
        with opened(Bench, Twilio) as one:
            yield one

    return bench
