"""The state of one emulated directory: accounts in creation order, seeded ones made only when asked for, listed by keyset."""

from __future__ import annotations

import threading
from array import array
from bisect import bisect_right
from collections import deque
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from typing import Generic, Protocol, TypeVar

T = TypeVar("T")
Made = TypeVar("Made", covariant=True)


class Seeds(Protocol[Made]):
    """Accounts that exist from the start: ordinals 1 to ``count``, each a pure function of its ordinal."""

    count: int

    def make(self, n: int) -> Made: ...

    def find(self, key: str) -> int | None:
        """The ordinal of the seeded account with this key."""
        ...


@dataclass(frozen=True, slots=True)
class Slice(Generic[T]):
    """One page of a listing. Places are ordinals: the page holds what stands behind ``after``; ``next`` and ``previous`` are the ``after``
    of the neighbouring pages, None where there is none."""

    after: int
    ordinals: Sequence[int]
    records: Sequence[T]
    next: int | None
    previous: int | None


class Directory(Generic[T]):
    """Accounts by ordinal and by unique key. Callers hold ``lock`` over whatever must not be interleaved; each method holds it itself.

    ``lag``: seconds for which a new account is missing from `page`, and a removed one still shown; `get` and `find` never lag.
    A page costs a bisection and its own records, whatever the size of the directory.
    """

    def __init__(self, seeds: Seeds[T], clock: Callable[[], float]) -> None:
        self.lock = threading.RLock()
        self.lag = 0.0
        self._seeds, self._clock = seeds, clock
        self._last = seeds.count
        self._kept: dict[int, T] = {}
        self._keys: dict[str, int] = {}
        self._gone: set[int] = set()
        self._listed = array("Q", range(1, seeds.count + 1))
        self._awaited: deque[tuple[float, int, bool]] = deque()
        self._ghosts: dict[int, T] = {}

    def __len__(self) -> int:
        with self.lock:
            return self._last - len(self._gone)

    def __iter__(self) -> Iterator[T]:
        """Every account there is, in creation order, whatever the lag of listings."""
        with self.lock:
            living = (self.get(n) for n in range(1, self._last + 1))
            return iter([one for one in living if one is not None])

    def get(self, n: int) -> T | None:
        with self.lock:
            kept = self._kept.get(n)
            if kept is not None or not 1 <= n <= self._seeds.count or n in self._gone:
                return kept
            return self._seeds.make(n)

    def find(self, key: str) -> int | None:
        """The ordinal of the account with this key."""
        with self.lock:
            n = self._keys.get(key) or self._seeds.find(key)
            return n if n is not None and self.get(n) is not None else None

    def add(self, key: str, make: Callable[[int], T]) -> T:
        """A new account at the end; ``make`` is given its ordinal. The caller has checked that ``key`` is free."""
        with self.lock:
            self._last += 1
            n = self._last
            self._kept[n] = record = make(n)
            self._keys[key] = n
            self._await(n, True)
            return record

    def replace(self, n: int, record: T) -> None:
        """Another state of account ``n``; its key stays."""
        with self.lock:
            self._kept[n] = record

    def remove(self, n: int, key: str) -> None:
        with self.lock:
            record = self.get(n)
            if record is None:
                raise KeyError(key)
            self._ghosts[n] = record
            self._kept.pop(n, None)
            self._keys.pop(key, None)
            self._gone.add(n)
            self._await(n, False)

    def page(self, after: int, size: int) -> Slice[T]:
        """At most ``size`` listed accounts behind ordinal ``after``, which need not exist any more."""
        with self.lock:
            self._settle()
            start = bisect_right(self._listed, after)
            ordinals = self._listed[start : start + size]
            before = start - size
            return Slice(
                after=after,
                ordinals=ordinals,
                records=[self._shown(n) for n in ordinals],
                next=ordinals[-1] if start + size < len(self._listed) else None,
                previous=None if start == 0 else self._listed[before - 1] if before > 0 else 0,
            )

    def _shown(self, n: int) -> T:
        record = self.get(n)
        return self._ghosts[n] if record is None else record

    def _await(self, n: int, arrives: bool) -> None:
        self._awaited.append((self._clock() + self.lag, n, arrives))
        self._settle()

    def _settle(self) -> None:
        """Let listings see what is due; in order, so that ordinals in the listing keep rising."""
        now = self._clock()
        while self._awaited and self._awaited[0][0] <= now:
            _, n, arrives = self._awaited.popleft()
            if arrives:
                self._listed.append(n)
            else:
                self._listed.pop(bisect_right(self._listed, n) - 1)
                del self._ghosts[n]
