"""A bench over HTTP: a provider of the sandbox behind its gateway, with the gateway's faults."""

from __future__ import annotations

from abc import abstractmethod
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from typing import Any, Generic, TypeVar
from urllib.parse import quote

import orjson

from syncd.connectors.base import Connector
from syncd.connectors.conformance import Inapplicable, Sent, Swift, Usual
from syncd.environment import Environment
from syncd.sandbox import FaultPlan, serve
from syncd.sandbox.gateway import Gateway, Provider, application

P = TypeVar("P", bound=Provider)


class EmulatedBench(Usual, Generic[P]):
    """A provider's own bench says how to point a connector at it, and how somebody else makes and deletes accounts there."""

    def __init__(self, provider: P, faults: FaultPlan, url: str) -> None:
        self.provider, self.url = provider, url
        self._faults, self._environment = faults, Swift()

    @abstractmethod
    def connect(self, url: str, environment: Environment, writable: bool) -> Connector: ...

    @abstractmethod
    def seed(self, count: int) -> Sequence[str]: ...

    @abstractmethod
    def remove(self, id: str) -> None: ...

    @abstractmethod
    def holds(self) -> Sequence[str]: ...

    def connector(self, *, writable: bool = True) -> Connector:
        return self.connect(self.url, self._environment, writable)

    def writes(self) -> int:
        return sum(one.origin == "http" and one.status < 300 for one in self.provider.journal.log)

    def sent(self) -> Sequence[Sent]:
        return [Sent(one.operation, one.path) for one in self.provider.journal.requests]

    def fault(self, spec: str) -> None:
        try:
            self._faults.set(spec)
        except ValueError as error:
            raise Inapplicable(str(error)) from error

    def shows(self, attribute: str, value: Any) -> None:
        self.fault(f"literal@*:*;field={attribute};value={quote(orjson.dumps(value), safe='')}")


@contextmanager
def opened(bench: Callable[[P, FaultPlan, str], EmulatedBench[P]], provider: Callable[[Environment], P]) -> Iterator[EmulatedBench[P]]:
    """Serve a provider on loopback, and give its bench."""
    environment, faults = Environment(), FaultPlan()
    made = provider(environment)
    with serve(application(Gateway.of(made, environment, faults).router)) as url:
        yield bench(made, faults, url)
