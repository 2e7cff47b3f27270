"""One Conversation Service of the emulated Twilio: its users and how they are written, over HTTP or by somebody else."""

from __future__ import annotations

from datetime import UTC
from functools import partial
from typing import Any

from syncd.environment import Environment
from syncd.sandbox.directory import Directory, Slice
from syncd.sandbox.journal import Journal, Note
from syncd.sandbox.twilio_users import Entry, MadeUp, Sids, User


class Conflict(ValueError):
    """An identity is taken."""


class Absent(KeyError):
    """There is no such user."""


class Service:
    """The users of one Conversation Service. The write methods are for tests that play somebody else; HTTP goes through them as well.

    They raise Conflict and Absent. What the HTTP surface would refuse (lengths, bad attributes) is let in.
    Wherever a ``sid`` is asked for, an identity does as well, as in the API's own {Sid}.
    """

    def __init__(
        self, sid: str, account_sid: str, role_sid: str, environment: Environment, journal: Journal, users: int, seed: int
    ) -> None:
        self.sid, self.account_sid, self.role_sid = sid, account_sid, role_sid
        self._environment, self._journal = environment, journal
        self._sids = Sids(f"{seed}/{sid}")
        seeds = MadeUp(users, seed, partial(self._fresh, role_sid=None, at=self._now()))
        self.directory: Directory[Entry] = Directory(seeds, environment.monotonic)

    def __len__(self) -> int:
        return len(self.directory)

    @property
    def users(self) -> dict[str, dict[str, Any]]:
        """A snapshot of everyone, by sid, in creation order; O(n)."""
        return {entry.user.sid: entry.user._asdict() for entry in self.directory}

    def by_identity(self, identity: str) -> dict[str, Any] | None:
        with self.directory.lock:
            n = self.directory.find(identity)
            entry = None if n is None else self.directory.get(n)
        return None if entry is None else entry.user._asdict()

    def find(self, sid: str) -> User | None:
        with self.directory.lock:
            n = self._locate(sid)
            entry = None if n is None else self.directory.get(n)
        return None if entry is None else entry.user

    def page(self, after: int, size: int) -> Slice[Entry]:
        return self.directory.page(after, size)

    def create(
        self,
        identity: str,
        friendly_name: str | None = None,
        attributes: str = "{}",
        role_sid: str | None = None,
        *,
        note: Note | None = None,
    ) -> dict[str, Any]:
        sent = {"identity": identity, "friendly_name": friendly_name, "attributes": attributes, "role_sid": role_sid}
        note = note or Note("POST", self._path(), sent)
        with self.directory.lock:
            if self.directory.find(identity) is not None:
                self.record(note, 409, None, identity)
                raise Conflict(identity)
            entry = self.directory.add(
                identity, lambda n: Entry.of(self._fresh(n, identity, friendly_name, attributes, role_sid=role_sid, at=self._now()))
            )
            self.record(note, 201, entry.user.sid, identity)
        return entry.user._asdict()

    def update(self, sid: str, *, note: Note | None = None, **changes: Any) -> dict[str, Any]:
        """``changes`` by the names of `User`, but sid and identity never change. ``date_updated`` moves only if something did."""
        if changes.keys() & {"sid", "identity"}:
            raise ValueError("sid and identity of a user are immutable")
        note = note or Note("POST", self._path(sid), changes)
        with self.directory.lock:
            n, before = self._require(sid, note)
            after = before._replace(**changes)
            if after != before:
                after = after._replace(date_updated=self._now())
                self.directory.replace(n, Entry.of(after))
            self.record(note, 200, before.sid, before.identity)
        return after._asdict()

    def delete(self, sid: str, *, note: Note | None = None) -> None:
        note = note or Note("DELETE", self._path(sid), {})
        with self.directory.lock:
            n, user = self._require(sid, note)
            self.directory.remove(n, user.identity)
            self.record(note, 204, user.sid, user.identity)

    def record(self, note: Note, status: int, sid: str | None = None, identity: str | None = None) -> None:
        """Write down what became of a write."""
        self._journal.write(note, self._environment.now(), status, sid, identity)

    def _locate(self, sid: str) -> int | None:
        n = self._sids.ordinal(sid)
        return n if n is not None and self.directory.get(n) is not None else self.directory.find(sid)

    def _require(self, sid: str, note: Note) -> tuple[int, User]:
        n = self._locate(sid)
        entry = None if n is None else self.directory.get(n)
        if n is None or entry is None:
            self.record(note, 404)
            raise Absent(sid)
        return n, entry.user

    def _fresh(self, n: int, identity: str, friendly_name: str | None, attributes: str, *, role_sid: str | None, at: str) -> User:
        sid, role = self._sids.of(n), role_sid or self.role_sid
        return User(sid, self.account_sid, self.sid, role, identity, friendly_name, attributes, False, False, at, at)

    def _now(self) -> str:
        return self._environment.now().astimezone(UTC).strftime("%Y-%m-%dT%H:%M:%SZ")

    def _path(self, sid: str = "") -> str:
        return f"/v1/Services/{self.sid}/Users" + (f"/{sid}" if sid else "")
