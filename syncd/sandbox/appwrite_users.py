"""A user of the emulated Appwrite: its fields, its rendering, its id, and the made-up ones a project starts with."""

from __future__ import annotations

import hashlib
from collections.abc import Callable
from functools import lru_cache
from typing import Any, NamedTuple

import orjson

from syncd.sandbox import people
from syncd.sandbox.ids import Ids

ARGON2 = {"type": "argon2", "memoryCost": 2048, "timeCost": 4, "threads": 3}


class User(NamedTuple):
    """A user as it is stored, dates as the API shows them (ISO 8601, milliseconds). ``sequence``: its place in the default order.

    ``email`` and ``phone``: None where there never was one; a cleared e-mail is stored as the empty text, a cleared phone as None.
    ``password``: its hash. ``prefs``: JSON text.
    """

    sequence: int
    id: str
    created: str
    updated: str
    name: str = ""
    email: str | None = None
    phone: str | None = None
    status: bool = True
    labels: tuple[str, ...] = ()
    emailVerification: bool = False
    phoneVerification: bool = False
    mfa: bool = False
    prefs: str = "{}"
    password: str | None = None
    passwordUpdate: str | None = None
    accessed: str | None = None

    def targets(self) -> list[dict[str, Any]]:
        found = (("email", self.email), ("sms", self.phone))
        return [
            {
                "$id": hashlib.blake2b(f"{self.id}/{kind}".encode(), digest_size=10).hexdigest(), "$createdAt": self.created,
                "$updatedAt": self.created, "name": "", "userId": self.id, "providerId": None, "providerType": kind,
                "identifier": identifier, "expired": False,
            }
            for kind, identifier in found if identifier
        ]  # fmt: skip

    def document(self) -> dict[str, Any]:
        """As the API shows it to a key: no value is the empty text, and the password's hash is there."""
        return {
            "$id": self.id, "$createdAt": self.created, "$updatedAt": self.updated, "name": self.name, "password": self.password or "",
            "hash": "argon2", "hashOptions": ARGON2, "registration": self.created, "status": self.status, "labels": list(self.labels),
            "passwordUpdate": self.passwordUpdate or "", "email": self.email or "", "phone": self.phone or "",
            "emailVerification": self.emailVerification, "phoneVerification": self.phoneVerification, "mfa": self.mfa,
            "prefs": orjson.Fragment(self.prefs), "targets": self.targets(), "accessedAt": self.accessed or "",
        }  # fmt: skip


class Entry(NamedTuple):
    """A user and its rendering."""

    user: User
    shown: bytes

    @classmethod
    def of(cls, user: User) -> Entry:
        return cls(user, orjson.dumps(user.document()))


class MadeUp:
    """The users a project starts with (`directory.Seeds`): user n is person n. ``make``: (n, e-mail, name).

    A hundred thousand renderings are kept, so that reading a directory again costs no rendering and a million users no memory to speak of.
    """

    def __init__(self, count: int, seed: int, ids: Ids, make: Callable[[int, str, str], User]) -> None:
        self.count, self._seed, self._ids, self._user = count, seed, ids, make
        self.make = lru_cache(maxsize=100_000)(self._make)

    def _make(self, n: int) -> Entry:
        one = people.person(n, self._seed)
        return Entry.of(self._user(n, one.email, one.displayName))

    def find(self, key: str) -> int | None:
        n = self._ids.ordinal(key)
        return n if n is not None and 1 <= n <= self.count else None

    def by_email(self, email: str) -> int | None:
        n = people.number(email, self._seed)
        return n if n is not None and n <= self.count else None
