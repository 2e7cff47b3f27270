"""One project of the emulated Appwrite: its users, what must be unique among them, what a deletion leaves behind, who is signed in."""

from __future__ import annotations

import hashlib
from collections.abc import Iterator
from itertools import count
from typing import Any

from syncd.environment import Environment
from syncd.sandbox.appwrite_forms import Refused
from syncd.sandbox.appwrite_queries import Asked, run, stamp
from syncd.sandbox.appwrite_users import Entry, MadeUp, User
from syncd.sandbox.directory import Directory, Slice
from syncd.sandbox.ids import Ids
from syncd.sandbox.journal import Journal, Note

COUNTED = 5000
"""Totals are counted no further (APP_LIMIT_COUNT)."""
_EVERYONE = 1 << 40
_TAKEN = {"email": "user_email_already_exists", "phone": "user_phone_already_exists"}


class Project:
    """The write methods are for tests that play somebody else; HTTP goes through them as well. They raise Refused.

    ``leftover``: seconds for which a deleted user's id, e-mail and phone cannot be had again. ``sessions``: user id -> how many.
    What the HTTP surface would refuse (lengths, bad addresses) is let in.
    """

    def __init__(self, environment: Environment, journal: Journal, users: int, seed: int) -> None:
        self._environment, self._journal = environment, journal
        self._ids, self._numbers = Ids(f"appwrite/{seed}"), count(users + 1)
        self.born = self._now()
        self._seeds = MadeUp(users, seed, self._ids, self._seeded)
        self.directory: Directory[Entry] = Directory(self._seeds, environment.monotonic)
        self._holders: dict[tuple[str, str], int] = {}
        self._touched: set[int] = set()
        self._left: dict[str, float] = {}
        self.leftover = 0.0
        self.sessions: dict[str, int] = {}

    def __len__(self) -> int:
        return len(self.directory)

    @property
    def users(self) -> dict[str, dict[str, Any]]:
        """A snapshot of everyone, by id, in creation order; O(n)."""
        return {entry.user.id: entry.user._asdict() for entry in self.directory}

    def find(self, id: str) -> Entry | None:
        """Ids are compared without regard to case, as utf8mb4's default collation does."""
        with self.directory.lock:
            n = self.directory.find(id.lower())
            return None if n is None else self.directory.get(n)

    def by_email(self, email: str) -> dict[str, Any] | None:
        with self.directory.lock:
            n = self._holder("email", email)
            entry = None if n is None else self.directory.get(n)
        return None if entry is None else entry.user._asdict()

    # ---- listing -----------------------------------------------------------------------------------------------------

    def page(self, asked: Asked) -> tuple[Slice[Entry], int]:
        """The users asked for, and how many match in all. A cursor that is gone is refused."""
        id = asked.after if asked.after is not None else asked.before
        with self.directory.lock:
            cursor = None if id is None else self.find(id)
            if id is not None and cursor is None:
                raise Refused("general_cursor_not_found", f"User '{id}' for the 'cursor' value not found.")
            if asked.plain:
                return self.directory.page(cursor.user.sequence if cursor else 0, asked.limit), len(self.directory)
            users, total = run(asked, self._candidates(asked), cursor.user if cursor else None)
            entries = [entry for user in users if (entry := self.find(user.id)) is not None]
        return Slice(0, [entry.user.sequence for entry in entries], entries, None, None), total

    def _candidates(self, asked: Asked) -> Iterator[User]:
        """Whom listings show; of what was never touched since the start nothing is looked at where that cannot match."""
        if asked.least <= self.born:
            yield from (entry.user for entry in self.directory.page(0, _EVERYONE).records)
            return
        for n in sorted(self._touched):
            yield from (entry.user for entry in self.directory.page(n - 1, 1).records)  # nobody while listings lag behind

    # ---- writing -----------------------------------------------------------------------------------------------------

    def create(
        self,
        id: str,
        email: str | None = None,
        phone: str | None = None,
        password: str | None = None,
        name: str = "",
        *,
        note: Note | None = None,
    ) -> User:
        """``unique()`` as id lets the server choose one."""
        note = note or Note("POST", "/v1/users", {"userId": id, "email": email, "phone": phone, "name": name})
        with self.directory.lock:
            own = self._ids.of(next(self._numbers)) if id == "unique()" else id
            held = [self._holder(kind, value) for kind, value in (("email", email), ("phone", phone)) if value]
            if self.find(own) is not None or any(n is not None for n in held) or self._left_behind(own.lower(), email, phone):
                self._refuse(note, "user_already_exists", own, email)
            entry = self.directory.add(own.lower(), lambda n: Entry.of(self._fresh(n, own, email, phone, password, name)))
            self._hold(entry.user)
            self.record(note, 201, own, email)
        return entry.user

    def update(self, id: str, *, note: Note | None = None, **changes: Any) -> User:
        """``changes`` by the names of `User`. ``$updatedAt`` moves only if something did."""
        note = note or Note("PATCH", f"/v1/users/{id}", changes)
        with self.directory.lock:
            before = self._require(id, note)
            after = before._replace(**self._with_effects(before, changes, note))
            if after != before:
                after = after._replace(updated=self._now())
                self._release(before)
                self.directory.replace(after.sequence, Entry.of(after))
                self._hold(after)
            self.record(note, 200, after.id, after.email)
        return after

    def delete(self, id: str, *, note: Note | None = None) -> None:
        note = note or Note("DELETE", f"/v1/users/{id}", {})
        with self.directory.lock:
            user = self._require(id, note)
            self._release(user)
            self._touched.discard(user.sequence)
            self.directory.remove(user.sequence, user.id.lower())
            self.sessions.pop(user.id, None)
            until = self._environment.monotonic() + self.leftover
            self._left.update({text: until for text in (user.id.lower(), user.email, user.phone) if text})
            self.record(note, 204, user.id, user.email)

    def sign_in(self, id: str) -> User:
        """A session begins: what a user does by itself. The access is written down, and ``$updatedAt`` with it."""
        user = self.update(id, accessed=self._now())
        self.sessions[user.id] = self.sessions.get(user.id, 0) + 1
        return user

    def sign_out(self, id: str, *, note: Note | None = None) -> None:
        """All sessions end."""
        note = note or Note("DELETE", f"/v1/users/{id}/sessions", {})
        with self.directory.lock:
            user = self._require(id, note)
            self.sessions.pop(user.id, None)
            self.record(note, 204, user.id, user.email)

    def record(self, note: Note, status: int, id: str | None = None, email: str | None = None) -> None:
        """Write down what became of a write."""
        self._journal.write(note, self._environment.now(), status, id, email)

    # ---- rules -------------------------------------------------------------------------------------------------------

    def _with_effects(self, user: User, changes: dict[str, Any], note: Note) -> dict[str, Any]:
        """What setting an e-mail, phone or password entails."""
        effects = dict(changes)
        for kind in ("email", "phone"):
            if kind in changes:
                self._check_target(user, kind, changes[kind], note)
                effects[kind] = (changes[kind] or None) if kind == "phone" else changes[kind]
                effects[f"{kind}Verification"] = False
        if "password" in changes:
            effects |= {"password": _hash(changes["password"]), "passwordUpdate": self._now()}
        return effects

    def _check_target(self, user: User, kind: str, value: str, note: Note) -> None:
        """A messaging target of anybody's with this address is in the way, the user's own too; so is another's empty e-mail."""
        if value and (self._holder(kind, value) is not None or self._left_behind(value)):
            self._refuse(note, "user_target_already_exists", user.id, user.email)
        if not value and kind == "email" and self._holder(kind, "") not in (None, user.sequence):
            self._refuse(note, _TAKEN[kind], user.id, user.email)

    def _refuse(self, note: Note, type: str, id: str, email: str | None) -> None:
        self.record(note, 409, id, email)
        raise Refused(type)

    def _require(self, id: str, note: Note) -> User:
        entry = self.find(id)
        if entry is None:
            self.record(note, 404)
            raise Refused("user_not_found")
        return entry.user

    def _holder(self, kind: str, value: str) -> int | None:
        """Whose e-mail or phone this is: of users as they were seeded too."""
        n = self._holders.get((kind, value))
        if n is None and kind == "email" and (seeded := self._seeds.by_email(value)) is not None and seeded not in self._touched:
            n = seeded if self.directory.get(seeded) is not None else None
        return n

    def _hold(self, user: User) -> None:
        self._touched.add(user.sequence)
        self._holders.update({(kind, value): user.sequence for kind in ("email", "phone") if (value := getattr(user, kind)) is not None})

    def _release(self, user: User) -> None:
        for kind in ("email", "phone"):
            self._holders.pop((kind, getattr(user, kind)), None)

    def _left_behind(self, *identifiers: str | None) -> bool:
        now = self._environment.monotonic()
        return any(text is not None and self._left.get(text, now) > now for text in identifiers)

    def _seeded(self, n: int, email: str, name: str) -> User:
        return User(n, self._ids.of(n), self.born, self.born, name, email)

    def _fresh(self, n: int, id: str, email: str | None, phone: str | None, password: str | None, name: str) -> User:
        now = self._now()
        user = User(n, id, now, now, name, email, phone)
        return user._replace(password=_hash(password), passwordUpdate=now) if password else user

    def _now(self) -> str:
        return stamp(self._environment.now())


def _hash(password: str) -> str | None:
    """Looks like Argon2's, but is none."""
    digest = hashlib.blake2b(password.encode(), digest_size=32).hexdigest()
    return f"$argon2id$v=19$m=2048,t=4,p=3$c2FuZGJveA${digest}" if password else None
