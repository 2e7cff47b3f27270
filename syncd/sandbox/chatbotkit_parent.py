"""One parent account of the emulated ChatBotKit: its users, what must be unique among them, how lists go on, their tokens."""

from __future__ import annotations

import hashlib
import re
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from itertools import count
from typing import Any

import orjson

from syncd.environment import Environment
from syncd.sandbox.chatbotkit_forms import ERRORS, Asked, Refused, change, creation, token
from syncd.sandbox.chatbotkit_users import Entry, MadeUp, User
from syncd.sandbox.directory import Directory
from syncd.sandbox.ids import Ids
from syncd.sandbox.journal import Journal, Note

_EVERYONE = 1 << 40
_UNIQUE = ("email", "alias")


class Parent:
    """The write methods are for tests that play somebody else; HTTP goes through them as well. They raise Refused.

    ``quota``: how many users the plan allows. ``cursor_fails``: a list whose cursor names a deleted user fails, instead of showing nobody.
    ``elsewhere``: ids of other parents' users. ``tokens``: user id -> token id -> token.
    """

    def __init__(self, environment: Environment, journal: Journal, users: int, seed: int) -> None:
        self._environment, self._journal = environment, journal
        self._ids, self._token_ids = Ids(f"chatbotkit/{seed}", "c", 24), Ids(f"chatbotkit/{seed}/tokens", "c", 24)
        born = self._milliseconds() - 1
        self._last = born + users
        self._seeds = MadeUp(users, seed, self._ids, born)
        self.directory: Directory[Entry] = Directory(self._seeds, environment.monotonic)
        self._numbers, self._token_numbers = count(users + 1), count(1)
        self._holders: dict[tuple[str, str], int] = {}
        self._touched: set[int] = set()
        self.tokens: dict[str, dict[str, dict[str, Any]]] = {}
        self.elsewhere = {"c" + "0" * 24}
        self.quota: int | None = None
        self.cursor_fails = False

    def __len__(self) -> int:
        return len(self.directory)

    @property
    def users(self) -> dict[str, dict[str, Any]]:
        """A snapshot of everyone, by id, in creation order, with what no answer shows; O(n)."""
        return {entry.user.id: _whole(entry.user) for entry in self.directory}

    def by_email(self, email: str) -> dict[str, Any] | None:
        with self.directory.lock:
            entry = self._entry(self._holder("email", email))
        return None if entry is None else _whole(entry.user)

    # ---- reading -----------------------------------------------------------------------------------------------------

    def find(self, id: str) -> Entry | None:
        """By id; ``@x`` names a user by alias, ``(x)`` the first one of that name. ``@@x`` would be a sibling of the parent."""
        with self.directory.lock:
            if id.startswith("@"):
                return self._entry(self._holders.get(("alias", id[1:])))
            if named := re.fullmatch(r"\((.*)\)", id, re.DOTALL):
                return next((entry for entry in self.directory if entry.user.name == named[1]), None)
            return self._entry(self.directory.find(id))

    def page(self, asked: Asked) -> Sequence[Entry]:
        """The users asked for, behind the cursor's; none behind one that is gone, or a failure."""
        with self.directory.lock:
            lead = None if asked.cursor is None else self._entry(self.directory.find(asked.cursor))
            if asked.cursor is not None and lead is None:
                if self.cursor_fails:
                    raise Refused("GENERIC_ERROR", "Something went wrong")
                return ()
            place = lead.user.sequence if lead else None
            if asked.plain:
                return self.directory.page(place or 0, asked.size).records
            found = [entry for entry in self._candidates(asked) if _matches(entry.user, asked)]
        ordered = found if asked.ascending else found[::-1]
        behind = [one for one in ordered if place is None or (one.user.sequence > place if asked.ascending else one.user.sequence < place)]
        return behind[: asked.size]

    def _candidates(self, asked: Asked) -> Iterator[Entry]:
        """Who can match, of those that lists show; nobody made up has a meta before somebody wrote it."""
        if asked.email is None and not asked.filters:
            yield from self.directory.page(0, _EVERYONE).records
            return
        holder = self._holder("email", asked.email or "")
        numbers = sorted(self._touched) if asked.email is None else [] if holder is None else [holder]
        for n in numbers:
            shown = self.directory.page(n - 1, 1)
            if list(shown.ordinals) == [n]:
                yield shown.records[0]

    # ---- writing -----------------------------------------------------------------------------------------------------

    def create(self, sent: Mapping[str, Any], *, note: Note | None = None) -> User:
        """``sent``: as in a body."""
        note = note or Note("POST", "/v1/partner/user/create", sent)
        with self._noted(note), self.directory.lock:
            asked = creation(sent)
            if self.quota is not None and len(self.directory) >= self.quota:
                raise Refused("LIMITS_REACHED", "You have exceeded your allocated database limits: database/user")
            self._check_unique(None, asked)
            now = self._last = max(self._milliseconds(), self._last + 1)
            id = self._ids.of(next(self._numbers))
            entry = self.directory.add(id, lambda n: Entry.of(User(n, id, now, now, **asked)))
            self._hold(entry.user)
            self.record(note, 200, entry.user.id, entry.user.email)
        return entry.user

    def update(self, id: str, sent: Mapping[str, Any], *, note: Note | None = None) -> User:
        """``sent``: as in a body."""
        note = note or Note("POST", f"/v1/partner/user/{id}/update", sent)
        with self._noted(note, id), self.directory.lock:
            before = self.require(id)
            asked = change(sent, before.meta)
            self._check_unique(before.sequence, asked)
            after = before._replace(**asked, updated=max(self._milliseconds(), before.updated + 1))
            self._release(before)
            self.directory.replace(after.sequence, Entry.of(after))
            self._hold(after)
            self.record(note, 200, after.id, after.email)
        return after

    def delete(self, id: str, *, note: Note | None = None) -> User:
        """With all that hangs on it."""
        note = note or Note("POST", f"/v1/partner/user/{id}/delete", {})
        with self._noted(note, id), self.directory.lock:
            user = self.require(id)
            self._release(user)
            self._touched.discard(user.sequence)
            self.directory.remove(user.sequence, user.id)
            self.tokens.pop(user.id, None)
            self.record(note, 200, user.id, user.email)
        return user

    def require(self, id: str) -> User:
        entry = self.find(id)
        if entry is None:
            raise Refused("NOT_AUTHORIZED" if id in self.elsewhere else "NOT_FOUND")
        return entry.user

    # ---- tokens ------------------------------------------------------------------------------------------------------

    def token_page(self, id: str, asked: Asked) -> list[dict[str, Any]]:
        """As users are listed; a token's own text is shown once, by the request that makes it."""
        with self.directory.lock:
            listed = list(self.tokens.get(self.require(id).id, {}).values())
        ordered = listed if asked.ascending else listed[::-1]
        places = [one["id"] for one in ordered]
        if asked.cursor is not None:
            ordered = ordered[places.index(asked.cursor) + 1 :] if asked.cursor in places else []
        return ordered[: asked.size]

    def create_token(self, id: str, sent: Mapping[str, Any], *, note: Note | None = None) -> dict[str, Any]:
        """``{id, token, createdAt}``."""
        note = note or Note("POST", f"/v1/partner/user/{id}/token/create", sent)
        with self._noted(note, id), self.directory.lock:
            user, now = self.require(id), self._milliseconds()
            own = self._token_ids.of(next(self._token_numbers))
            self.tokens.setdefault(user.id, {})[own] = {"id": own, **token(sent), "createdAt": now, "updatedAt": now}
            self.record(note, 200, user.id, user.email)
        return {"id": own, "token": "sk-" + hashlib.blake2b(own.encode(), digest_size=32).hexdigest(), "createdAt": now}

    def update_token(self, id: str, own: str, sent: Mapping[str, Any], *, note: Note | None = None) -> None:
        note = note or Note("POST", f"/v1/partner/user/{id}/token/{own}/update", sent)
        with self._noted(note, id), self.directory.lock:
            user, kept = self._token(id, own)
            kept |= {**token(sent), "updatedAt": self._milliseconds()}
            self.record(note, 200, user.id, user.email)

    def delete_token(self, id: str, own: str, *, note: Note | None = None) -> None:
        note = note or Note("POST", f"/v1/partner/user/{id}/token/{own}/delete", {})
        with self._noted(note, id), self.directory.lock:
            user, _ = self._token(id, own)
            del self.tokens[user.id][own]
            self.record(note, 200, user.id, user.email)

    def _token(self, id: str, own: str) -> tuple[User, dict[str, Any]]:
        user = self.require(id)
        kept = self.tokens.get(user.id, {}).get(own)
        if kept is None:
            raise Refused("NOT_FOUND")
        return user, kept

    # ---- rules -------------------------------------------------------------------------------------------------------

    def record(self, note: Note, status: int, id: str | None = None, email: str | None = None) -> None:
        """Write down what became of a write."""
        self._journal.write(note, self._environment.now(), status, id, email)

    @contextmanager
    def _noted(self, note: Note, id: str | None = None) -> Iterator[None]:
        """A refused write is written down too."""
        try:
            yield
        except Refused as error:
            self.record(note, ERRORS[error.code][0], id)
            raise

    def _check_unique(self, own: int | None, asked: Mapping[str, Any]) -> None:
        for name in _UNIQUE:
            if asked.get(name) is not None and self._holder(name, asked[name]) not in (None, own):
                raise Refused("CONFLICT")

    def _holder(self, name: str, value: str) -> int | None:
        """Whose e-mail or alias this is: of users as they were seeded too."""
        n = self._holders.get((name, value))
        if n is None and name == "email" and (seeded := self._seeds.by_email(value)) is not None and seeded not in self._touched:
            n = seeded if self.directory.get(seeded) is not None else None
        return n

    def _hold(self, user: User) -> None:
        self._touched.add(user.sequence)
        self._holders.update({(name, value): user.sequence for name in _UNIQUE if (value := getattr(user, name)) is not None})

    def _release(self, user: User) -> None:
        for name in _UNIQUE:
            self._holders.pop((name, getattr(user, name)), None)

    def _entry(self, n: int | None) -> Entry | None:
        return None if n is None else self.directory.get(n)

    def _milliseconds(self) -> int:
        return round(self._environment.now().timestamp() * 1000)


def _whole(user: User) -> dict[str, Any]:
    texts = ("limits", "meta")
    return user._asdict() | {name: None if getattr(user, name) is None else orjson.loads(getattr(user, name)) for name in texts}


def _matches(user: User, asked: Asked) -> bool:
    """Text is compared with text only: a number in meta answers to nothing."""
    if asked.email is not None and user.email != asked.email:
        return False
    document = None if user.meta is None else orjson.loads(user.meta)
    return all(_at(document, path) == value and type(_at(document, path)) is type(value) for path, value in asked.filters)


def _at(document: Any, path: str) -> Any:
    for name in path.split("."):
        document = document.get(name) if isinstance(document, dict) else None
    return document
