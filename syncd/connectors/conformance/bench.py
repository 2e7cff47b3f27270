"""Where a connector is tried: what the kit asks of an emulated provider, so that any connector can be put on it."""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Mapping, Sequence
from contextlib import AbstractContextManager
from typing import Any, NamedTuple, Protocol

from syncd.connectors.base import Connector
from syncd.environment import Environment


class Inapplicable(Exception):
    """Connector or emulated provider have nothing here that could be tried; ``str``: why."""


class Broken(Exception):
    """An obligation is broken; ``str``: what was found."""


class Sent(NamedTuple):
    """A request as it reached the provider. ``operation``: list, fetch, create, update or delete; ``path`` still percent-encoded."""

    operation: str
    path: str


class Bench(Protocol):
    """A connector's options and the emulated provider behind them, empty (but for what is always there) and without faults at first.

    ``page``: the most accounts of one page. ``samples``: attribute -> two different values that the provider takes, in its own form or
    another; where a kind's usual ones will not do. ``basics``: what every create must carry besides the key. ``omits``: the provider
    leaves out of a record what has no value.
    """

    page: int
    samples: Mapping[str, tuple[Any, Any]]
    basics: Mapping[str, Any]
    omits: bool

    def connector(self, *, writable: bool = True) -> Connector:
        """A new one, as after a restart. It must not really wait: its environment is `Swift`, or another that skips sleep."""
        ...

    def seed(self, count: int) -> Sequence[str]:
        """So many accounts made by somebody else, at the provider itself; their ids."""
        ...

    def remove(self, id: str) -> None:
        """Somebody else deletes an account."""
        ...

    def holds(self) -> Sequence[str]:
        """The ids of all accounts there are, in any order, each as often as it is there."""
        ...

    def writes(self) -> int:
        """How many writes the provider has carried out."""
        ...

    def sent(self) -> Sequence[Sent]:
        """All requests so far; raises Inapplicable where nothing travels."""
        ...

    def fault(self, spec: str) -> None:
        """These faults from now on and no others ("" = none), in the words of `syncd.sandbox.faults`; raises Inapplicable for those it
        cannot show."""
        ...

    def shows(self, attribute: str, value: Any) -> None:
        """From now on every account is answered with this value, whatever was written; raises Inapplicable."""
        ...


class Usual:
    """What most benches have: no particular samples, nothing that every create must carry, records that are always whole."""

    page: int = 100
    samples: Mapping[str, tuple[Any, Any]] = {}
    basics: Mapping[str, Any] = {}
    omits: bool = False


Open = Callable[[], AbstractContextManager[Bench]]
"""Opens a bench of its own for each check; what an entry point of the group `syncd.benches` leads to."""


class Swift(Environment):
    """Sleeping takes no time, and moves the clock for durations."""

    def __init__(self) -> None:
        super().__init__(seed=1)
        self._slept = 0.0

    def monotonic(self) -> float:
        return super().monotonic() + self._slept

    async def sleep(self, seconds: float) -> None:
        self._slept += seconds
        await asyncio.sleep(0)
