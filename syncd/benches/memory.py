"""The bench of the memory connector: its dictionary, whose faults are the very errors that a wire would end in."""

from __future__ import annotations

import itertools
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from typing import Any

from syncd.connectors.base import Connector
from syncd.connectors.conformance import Inapplicable, Sent, Swift, Usual
from syncd.connectors.memory import MemoryConnector, MemoryOptions
from syncd.connectors.memory_directory import KEY, MemoryDirectory
from syncd.errors import InDoubt, Quarantined, Rejected, Retryable, SyncdError
from syncd.model import Rate
from syncd.sandbox.faults import Fault, parse

_NUMBERS = itertools.count(1)
_REFUSALS: dict[str, type[SyncdError]] = {
    "400": Rejected, "401": Quarantined, "403": Quarantined, "404": Rejected, "409": Rejected, "422": Rejected, "429": Retryable,
}  # fmt: skip
_OPERATIONS = ("check", "list", "fetch", "find")
_TIMES = 3


class MemoryBench(Usual):
    """``connector``: a class to be tried in the place of the memory connector itself."""

    page = 3

    def __init__(self, builder: type[MemoryConnector] = MemoryConnector) -> None:
        self._builder, self._environment = builder, Swift()
        self._options = MemoryOptions(directory=f"conformance-{next(_NUMBERS)}", page=self.page, delta=True)
        self._directory = MemoryDirectory.fresh(self._options.directory)

    def connector(self, *, writable: bool = True) -> Connector:
        return self._builder(self._options, environment=self._environment, rate=Rate(), writable=writable)

    def seed(self, count: int) -> Sequence[str]:
        return [self._directory.add(**{KEY: f"seeded-{n}", "displayName": f"Seeded {n}"}) for n in range(count)]

    def remove(self, id: str) -> None:
        self._directory.accounts.pop(id, None)

    def holds(self) -> Sequence[str]:
        return [*self._directory.accounts]

    def writes(self) -> int:
        return len(self._directory.log)

    def sent(self) -> Sequence[Sent]:
        raise Inapplicable("nothing travels")

    def fault(self, spec: str) -> None:
        self._directory.calm()
        self._directory.hidden = set()
        for fault in parse(spec):
            self._set(fault)

    def _set(self, fault: Fault) -> None:
        if fault.kind == "cut" and fault.operation == "list":
            self._directory.cut = self.page * fault.after + 1
            return
        if fault.kind == "missed":
            self._directory.hidden = {*list(self._directory.accounts)[-1:]}
            return
        error = _REFUSALS.get(fault.kind) or (InDoubt if fault.operation in ("create", "update", "delete") else Retryable)
        if fault.after or "status" in fault.params or not (fault.kind.isdigit() or fault.kind == "reset"):
            raise Inapplicable(f"a dictionary does not know {fault.kind}")
        for operation in _OPERATIONS if fault.operation == "*" else (fault.operation,):
            for _ in range(min(fault.times, _TIMES)):
                self._directory.fail_next(operation, error(f"{fault.kind} on request"), after=fault.when == "after")

    def shows(self, attribute: str, value: Any) -> None:
        self._directory.fixed[attribute] = value


@contextmanager
def bench() -> Iterator[MemoryBench]:
    yield MemoryBench()
