"""What every emulated provider is made of: seeded users, listings that may lag, and lists of the requests and writes it saw."""

from __future__ import annotations

from abc import abstractmethod
from collections.abc import Iterable
from typing import Any

from syncd.environment import Environment
from syncd.sandbox.directory import Directory
from syncd.sandbox.gateway import Provider
from syncd.sandbox.journal import Journal, RequestRecord, WriteRecord


class Emulated(Provider):
    """``users``: how many made-up people it starts with; ``seed`` makes them repeatable."""

    def __init__(self, environment: Environment, users: int = 0, seed: int = 0) -> None:
        self._environment, self._seeded, self._seed, self._lag = environment, users, seed, 0.0
        self.journal = Journal()

    def reset(self) -> None:
        """As at the start: the seeded users, empty lists of requests and writes."""
        self.populate()
        self.journal.clear()
        self.list_lag = self._lag

    @abstractmethod
    def populate(self) -> None:
        """Make the seeded users, and forget all others."""

    @abstractmethod
    def directories(self) -> Iterable[Directory[Any]]:
        """Where they are."""

    @abstractmethod
    def holds(self) -> dict[str, Any]:
        """Its accounts, as JSON."""

    @abstractmethod
    def config(self, url: str) -> str:
        """The lines of a target connection that points at it, as served at ``url``."""

    @property
    def list_lag(self) -> float:
        """Seconds for which listings do not show what was created, and still show what was deleted."""
        return self._lag

    @list_lag.setter
    def list_lag(self, seconds: float) -> None:
        self._lag = seconds
        for one in self.directories():
            one.lag = seconds

    @property
    def log(self) -> list[WriteRecord]:
        return self.journal.log

    @property
    def requests(self) -> list[RequestRecord]:
        return self.journal.requests
