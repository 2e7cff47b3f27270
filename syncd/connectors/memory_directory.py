"""The provider behind the memory connector: a dictionary of accounts with faults, list lag and broken listings on request."""

from __future__ import annotations

from collections import defaultdict, deque
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from typing import Any, ClassVar

from syncd.errors import Rejected, SyncdError
from syncd.model import Step

KEY = "userName"


class MemoryDirectory:
    """Accounts by id, shared by every connector that names the same directory.

    ``accounts``: id -> attributes, to be looked at freely. ``log``: every step that was carried out, also where the answer was then lost.
    ``lag``: seconds for which listings miss a new account and still show a removed one; reads by id or value never lag.
    ``hidden``: ids that no listing shows although they exist. ``uncarried``: attributes that listings leave out. ``cut``: listings break
    off after so many accounts. ``shown``: watermark -> what the listing showed that left it, id -> record. ``fixed``: attributes that a
    single account is answered with, whatever was written.
    """

    _named: ClassVar[dict[str, MemoryDirectory]] = {}

    def __init__(self) -> None:
        self.accounts: dict[str, dict[str, Any]] = {}
        self.log: list[Step] = []
        self.lag = 0.0
        self.hidden: set[str] = set()
        self.uncarried: set[str] = set()
        self.fixed: dict[str, Any] = {}
        self.cut: int | None = None
        self.shown: dict[str, dict[str, bytes]] = {}
        self._faults: defaultdict[str, deque[tuple[SyncdError, bool]]] = defaultdict(deque)
        self._born: dict[str, float] = {}
        self._removed: dict[str, tuple[float, dict[str, Any]]] = {}
        self._made = 0

    @classmethod
    def named(cls, name: str) -> MemoryDirectory:
        """The directory called ``name`` in this process; made empty at first sight."""
        return cls._named.setdefault(name, cls())

    @classmethod
    def fresh(cls, name: str) -> MemoryDirectory:
        """An empty directory in the place of whatever was called ``name``; connectors made before keep the old one."""
        cls._named[name] = cls()
        return cls._named[name]

    def add(self, id: str | None = None, **attributes: Any) -> str:
        """Seed an account as if it had always been there: unchecked, unlogged, without lag. Returns its id."""
        id = id or self.mint()
        self.accounts[id] = attributes
        return id

    def fail_next(self, operation: str, error: SyncdError, *, after: bool = False) -> None:
        """The next ``operation`` (check, list, fetch, find, create, update, delete) raises ``error``; calls queue up.

        ``after``: only once the work is done, as when the answer to a write is lost.
        """
        self._faults[operation].append((error, after))

    def calm(self) -> None:
        """No faults, and no listing breaks off."""
        self._faults.clear()
        self.cut = None

    @contextmanager
    def doing(self, operation: str) -> Iterator[None]:
        """Around the work of one operation: raises the fault that was asked for, before or after it."""
        error, after = self._faults[operation].popleft() if self._faults[operation] else (None, False)
        if error and not after:
            raise error
        yield
        if error:
            raise error

    def mint(self) -> str:
        """An id nobody has: m1, m2, ..."""
        self._made += 1
        while f"m{self._made}" in self.accounts:
            self._made += 1
        return f"m{self._made}"

    def listed(self, now: float) -> list[tuple[str, Mapping[str, Any]]]:
        """What listings show at the monotonic instant ``now``: (id, attributes) in the order of ids."""
        shown = {id: attributes for id, (at, attributes) in self._removed.items() if now < at + self.lag}
        shown |= {id: one for id, one in self.accounts.items() if id not in self._born or now >= self._born[id] + self.lag}
        return sorted((id, one) for id, one in shown.items() if id not in self.hidden)

    def remember(self, records: dict[str, bytes]) -> str:
        """A watermark for what a listing showed."""
        name = f"w{len(self.shown) + 1}"
        self.shown[name] = records
        return name

    def create(self, id: str, attributes: dict[str, Any], now: float) -> None:
        """Raises Rejected with code "conflict" when the id or the userName is taken."""
        if id in self.accounts or any(one.get(KEY) == attributes[KEY] for one in self.accounts.values()):
            raise Rejected(f"an account with this id or {KEY} exists", "conflict")
        self.accounts[id] = attributes
        self._born[id] = now

    def remove(self, id: str, now: float) -> None:
        """Removing what is gone already succeeds."""
        gone = self.accounts.pop(id, None)
        if gone is not None:
            self._removed[id] = (now, gone)
