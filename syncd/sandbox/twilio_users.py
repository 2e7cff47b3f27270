"""A user of the emulated Twilio: its fields, its rendering, its sid, and the made-up ones a service starts with."""

from __future__ import annotations

import hashlib
import re
from collections.abc import Callable
from functools import lru_cache
from typing import NamedTuple

import orjson

from syncd.sandbox import people

PLACE = b"\x01"
"""Stands for the URL of the users collection in rendered bytes; JSON text never holds a raw control character (RFC 8259 section 7)."""


class User(NamedTuple):
    """A User as the API names it, but for its URLs, which depend on how it is asked for. Dates: whole seconds, ISO 8601."""

    sid: str
    account_sid: str
    chat_service_sid: str
    role_sid: str
    identity: str
    friendly_name: str | None
    attributes: str
    is_online: bool | None
    is_notifiable: bool | None
    date_created: str
    date_updated: str

    def render(self, presence: bool = True) -> bytes:
        """The User as JSON, with `PLACE` for the URL of its collection; without ``presence`` as in lists, where it is always null."""
        record = {
            "sid": self.sid,
            "account_sid": self.account_sid,
            "chat_service_sid": self.chat_service_sid,
            "role_sid": self.role_sid,
            "identity": self.identity,
            "friendly_name": self.friendly_name,
            "attributes": self.attributes,
            "is_online": self.is_online if presence else None,
            "is_notifiable": self.is_notifiable if presence else None,
            "date_created": self.date_created,
            "date_updated": self.date_updated,
        }
        links = f',"url":"\x01/{self.sid}","links":{{"user_conversations":"\x01/{self.sid}/Conversations"}}}}'
        return orjson.dumps(record)[:-1] + links.encode()


class Entry(NamedTuple):
    """A user and its rendering for lists."""

    user: User
    listed: bytes

    @classmethod
    def of(cls, user: User) -> Entry:
        return cls(user, user.render(presence=False))


class Sids:
    """Ordinals as sids that look drawn at random, and back: an affine map over 128 bits, another one for each salt."""

    _MODULUS = 1 << 128
    _PATTERN = re.compile("US[0-9a-f]{32}")

    def __init__(self, salt: str) -> None:
        digest = hashlib.blake2b(salt.encode(), digest_size=32).digest()
        self._factor, self._offset = int.from_bytes(digest[:16]) | 1, int.from_bytes(digest[16:])
        self._inverse = pow(self._factor, -1, self._MODULUS)

    def of(self, n: int) -> str:
        return f"US{(n * self._factor + self._offset) % self._MODULUS:032x}"

    def ordinal(self, sid: str) -> int | None:
        """None where ``sid`` is not shaped like one; the ordinal of a foreign sid is some number nobody has."""
        if not self._PATTERN.fullmatch(sid):
            return None
        return (int(sid[2:], 16) - self._offset) * self._inverse % self._MODULUS


class MadeUp:
    """The users a service starts with (`directory.Seeds`): user n is person n. ``make``: (n, identity, friendly_name, attributes).

    A hundred thousand renderings are kept, so that reading a directory again costs no rendering and a million users no memory to speak of.
    """

    def __init__(self, count: int, seed: int, make: Callable[[int, str, str, str], User]) -> None:
        self.count, self._seed, self._user = count, seed, make
        self.make = lru_cache(maxsize=100_000)(self._make)

    def _make(self, n: int) -> Entry:
        one = people.person(n, self._seed)
        return Entry.of(self._user(n, one.email, one.displayName, f'{{"department": "{one.department}"}}'))

    def find(self, key: str) -> int | None:
        n = people.number(key, self._seed)
        return n if n is not None and n <= self.count else None
