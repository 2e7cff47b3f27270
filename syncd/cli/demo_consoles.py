"""The emulated providers of the demo as their own administrators see them: who has an account there, and what is done by hand."""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, ClassVar, Protocol

import orjson

from syncd.sandbox import Sandbox
from syncd.sandbox.journal import Journal


@dataclass(frozen=True)
class Seen:
    """One account. ``live``: not disabled. ``open``: how many sessions, tokens or keys let its holder in. ``record``: the whole of it."""

    id: str
    name: str
    live: bool
    open: int
    record: Mapping[str, Any]


class Console(Protocol):
    """``connection``: its name in the configuration. ``secret``: what the demo's configuration reads from a file."""

    connection: ClassVar[str]
    secret: str
    journal: Journal

    def everybody(self) -> dict[str, Seen]:
        """E-mail address -> account."""
        ...

    def create(self, email: str, name: str) -> None: ...

    def rename(self, email: str, name: str) -> None: ...

    def sign_in(self, email: str) -> None:
        """Whoever has the account comes in, where there is such a thing."""
        ...


class Twilio:
    connection: ClassVar[str] = "chat"

    def __init__(self, sandbox: Sandbox) -> None:
        self.secret, self.journal, self._service = sandbox.twilio.auth_token, sandbox.twilio.journal, sandbox.twilio.service()

    def everybody(self) -> dict[str, Seen]:
        return {
            one["identity"]: Seen(sid, one["friendly_name"], orjson.loads(one["attributes"]).get("active") is not False, 0, one)
            for sid, one in self._service.users.items()
        }

    def create(self, email: str, name: str) -> None:
        self._service.create(email, name)

    def rename(self, email: str, name: str) -> None:
        self._service.update(email, friendly_name=name)

    def sign_in(self, email: str) -> None:
        """Tokens of chat users are made by the application, not here."""


class Appwrite:
    """Who is there from the start has confirmed the e-mail address: an unconfirmed one would prove nobody."""

    connection: ClassVar[str] = "app"

    def __init__(self, sandbox: Sandbox) -> None:
        self.secret, self.journal, self._project = sandbox.appwrite.api_key, sandbox.appwrite.journal, sandbox.appwrite.project
        for one in self.everybody().values():
            self._project.update(one.id, emailVerification=True)

    def everybody(self) -> dict[str, Seen]:
        sessions = self._project.sessions
        return {one["email"]: Seen(id, one["name"], one["status"], sessions.get(id, 0), one) for id, one in self._project.users.items()}

    def create(self, email: str, name: str) -> None:
        self._project.create("unique()", email, name=name)

    def rename(self, email: str, name: str) -> None:
        self._project.update(self.everybody()[email].id, name=name)

    def sign_in(self, email: str) -> None:
        self._project.sign_in(self.everybody()[email].id)


class ChatBotKit:
    connection: ClassVar[str] = "bots"

    def __init__(self, sandbox: Sandbox) -> None:
        self.secret, self.journal, self._parent = sandbox.chatbotkit.secret, sandbox.chatbotkit.journal, sandbox.chatbotkit.parent

    def everybody(self) -> dict[str, Seen]:
        tokens = self._parent.tokens
        return {one["email"]: Seen(id, one["name"], True, len(tokens.get(id, ())), one) for id, one in self._parent.users.items()}

    def create(self, email: str, name: str) -> None:
        self._parent.create({"email": email, "name": name})

    def rename(self, email: str, name: str) -> None:
        """An update that does not say the alias erases it."""
        one = self.everybody()[email]
        self._parent.update(one.id, {"name": name, "alias": one.record["alias"]})

    def sign_in(self, email: str) -> None:
        self._parent.create_token(self.everybody()[email].id, {"name": "phone"})


class Waii:
    connection: ClassVar[str] = "sql"

    def __init__(self, sandbox: Sandbox) -> None:
        self.secret, self.journal, self._tree = sandbox.waii.api_key, sandbox.waii.journal, sandbox.waii.tree

    def everybody(self) -> dict[str, Seen]:
        keys = Counter(key.user_id for key in self._tree.keys.values())
        return {
            id: Seen(id, one["name"], (one["variables"] or {}).get("active") is not False, keys[id], one)
            for id, one in self._tree.users.items()
        }

    def create(self, email: str, name: str) -> None:
        self._tree.create_user(email, name=name)

    def rename(self, email: str, name: str) -> None:
        """An update says the whole user."""
        self._tree.update_user(**{**self.everybody()[email].record, "name": name})

    def sign_in(self, email: str) -> None:
        self._tree.create_key(email, "notebook")


CONSOLES: tuple[type[Twilio] | type[Appwrite] | type[ChatBotKit] | type[Waii], ...] = (Twilio, Appwrite, ChatBotKit, Waii)
