"""Known bytes: recognises the records of a listing that are the same as last time, in the order of last time, without parsing them."""

from __future__ import annotations

from collections import deque
from collections.abc import Sequence
from hashlib import blake2b
from typing import Any

from syncd.store import Store, staging

SLACK = 2000
"""How many records the order of a listing may have shifted since last time and still be recognised at once."""
WIDEST = 50_000
"""Most entries held in memory; older ones are recognised after parsing instead."""


class Seen:
    """A set of row ids, one bit each. ``containers``: those whose accounts were listed."""

    def __init__(self) -> None:
        self._bits = bytearray()
        self.count = 0
        self.containers: set[str] = set()

    def add(self, row: int) -> None:
        place, bit = row >> 3, 1 << (row & 7)
        if place >= len(self._bits):
            self._bits.extend(bytes(place + 1024 - len(self._bits)))
        if not self._bits[place] & bit:
            self._bits[place] |= bit
            self.count += 1

    def __contains__(self, row: Any) -> bool:
        place = row >> 3
        return place < len(self._bits) and bool(self._bits[place] & (1 << (row & 7)))


Place = tuple[int, int]
"""(ordinal, row id) of an entry."""


class Ledger:
    """The known digests of one connection, streamed in the order of its last listing, from behind ``place`` on."""

    def __init__(self, store: Store, connection: str, place: Place = (-1, 0)) -> None:
        self._store, self._connection = store, connection
        self._window: dict[bytes, int] = {}
        self._place = place
        self._before = deque([place], maxlen=3)
        self._ended = False

    @property
    def place(self) -> Place:
        """From behind which on to stream again, to recognise what may come next."""
        return self._before[0]

    def digests(self, records: Sequence[bytes]) -> list[bytes]:
        """Keyed, so that account holders cannot aim for equal ones: 16 bytes each."""
        key = self._store.digest_key
        return [blake2b(record, digest_size=16, key=key).digest() for record in records]

    def recognise(self, digests: Sequence[bytes]) -> list[int | None]:
        """The row id of each record whose bytes are known, None for the others."""
        self._fill(len(digests) + SLACK)
        known = [self._window.pop(digest, None) for digest in digests]
        while len(self._window) > WIDEST:
            del self._window[next(iter(self._window))]
        return known

    def _fill(self, wanted: int) -> None:
        while len(self._window) < wanted and not self._ended:
            rows = staging.ledger(self._store, self._connection, self._place, SLACK)
            self._ended = len(rows) < SLACK
            self._before.append(self._place)
            if rows:
                self._place = (rows[-1][0], rows[-1][1])
            self._window.update((digest, row) for _, row, digest in rows if digest is not None)
