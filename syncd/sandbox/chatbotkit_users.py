"""A user of the emulated ChatBotKit: its fields, how list and fetch show it, and the made-up ones a parent account starts with."""

from __future__ import annotations

from functools import lru_cache
from typing import Any, NamedTuple

import orjson

from syncd.sandbox import people
from syncd.sandbox.ids import Ids


class User(NamedTuple):
    """A user as it is stored; ``created`` and ``updated`` in epoch milliseconds. ``sequence``: its place in the order of creation.

    ``limits`` and ``meta``: JSON text. ``alias`` is shown by no answer.
    """

    sequence: int
    id: str
    created: int
    updated: int
    name: str | None = None
    description: str | None = None
    image: str | None = None
    email: str | None = None
    limits: str | None = None
    meta: str | None = None
    alias: str | None = None

    def document(self, *, listed: bool) -> dict[str, Any]:
        """What has no value is null. Only lists say the description; members of meta that begin with # are never shown."""
        meta = None if self.meta is None else orjson.loads(self.meta)
        if isinstance(meta, dict):
            meta = {name: value for name, value in meta.items() if not name.startswith("#")}
        return {
            "id": self.id, "name": self.name, **({"description": self.description} if listed else {}), "image": self.image,
            "email": self.email, "limits": None if self.limits is None else orjson.loads(self.limits), "meta": meta,
            "createdAt": self.created, "updatedAt": self.updated,
        }  # fmt: skip


class Entry(NamedTuple):
    """A user and its rendering in lists."""

    user: User
    shown: bytes

    @classmethod
    def of(cls, user: User) -> Entry:
        return cls(user, orjson.dumps(user.document(listed=True)))


class MadeUp:
    """The users a parent account starts with (`directory.Seeds`): user n is person n, made ``born`` + n milliseconds.

    A hundred thousand renderings are kept, so that reading a directory again costs no rendering and a million users no memory to speak of.
    """

    def __init__(self, count: int, seed: int, ids: Ids, born: int) -> None:
        self.count, self._seed, self._ids, self._born = count, seed, ids, born
        self.make = lru_cache(maxsize=100_000)(self._make)

    def _make(self, n: int) -> Entry:
        one = people.person(n, self._seed)
        return Entry.of(User(n, self._ids.of(n), self._born + n, self._born + n, one.displayName, email=one.email))

    def find(self, key: str) -> int | None:
        n = self._ids.ordinal(key)
        return n if n is not None and 1 <= n <= self.count else None

    def by_email(self, email: str) -> int | None:
        n = people.number(email, self._seed)
        return n if n is not None and n <= self.count else None
