"""The emulated ChatBotKit partner user API: users and their tokens, below both roots and both names of the collection."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping, Sequence
from typing import Any

import orjson

from syncd.environment import Environment
from syncd.sandbox.chatbotkit_answers import JSONL, document, error, lines, page
from syncd.sandbox.chatbotkit_forms import ERRORS, Asked, Refused, body, query
from syncd.sandbox.chatbotkit_parent import Parent
from syncd.sandbox.directory import Directory
from syncd.sandbox.emulated import Emulated
from syncd.sandbox.faults import Fault
from syncd.sandbox.journal import Note
from syncd.sandbox.message import JSON, Answer, Call, Shape

COLLECTIONS = ("partner/user", "user")
_CODES = {status: code for code, (status, _) in ERRORS.items()}
_USER: Mapping[str, Mapping[str, str]] = {
    "list": {"GET": "list"},
    "create": {"POST": "create"},
    "{user}/fetch": {"GET": "fetch"},
    "{user}/update": {"POST": "update"},
    "{user}/delete": {"POST": "delete"},
    "{user}/token/list": {"GET": "fetch"},
    "{user}/token/create": {"POST": "update"},
    "{user}/token/{token}/update": {"POST": "update"},
    "{user}/token/{token}/delete": {"POST": "update"},
    "{rest:path}": {},
}
_RUN_AS = ("x-runas-user-id", "x-runas-userid", "x-runas-child-user-email")
_BENT: Mapping[str, Callable[[Sequence[bytes]], Sequence[bytes]]] = {
    "duplicate": lambda users: [*users, *users[-1:]],
    "missed": lambda users: users[1:],
    "short": lambda users: [],
    "shrink": lambda users: users[: len(users) // 2],
}
"""What a listing fault does to a page. The client names where the next one begins, so what a page leaves out at its end comes later."""


class ChatBotKit(Emulated):
    """One parent account. ``collections``: those served, of `COLLECTIONS`; may be changed, like the account's ``quota``."""

    secret = "sk-" + "5c" * 32

    shape = Shape(collection="items", key="id", text="name")
    routes: Mapping[str, Mapping[str, str]] = {
        f"{root}/{collection}/{path}": operations
        for root in ("/v1", "/api/v1")
        for collection in COLLECTIONS
        for path, operations in _USER.items()
    }

    def __init__(self, environment: Environment, users: int = 0, seed: int = 0) -> None:
        super().__init__(environment, users, seed)
        self.collections = frozenset(COLLECTIONS)
        self._handlers: dict[str, Callable[[Call, Fault | None], Answer]] = {
            "list": self._list, "create": self._create, "fetch": self._fetch, "update": self._update, "delete": self._delete,
            "token/list": self._token_list, "token/create": self._token_create, "token/update": self._token_update,
            "token/delete": self._token_delete,
        }  # fmt: skip
        self.reset()

    def populate(self) -> None:
        self.parent = Parent(self._environment, self.journal, self._seeded, self._seed)

    def directories(self) -> Iterable[Directory[Any]]:
        return [self.parent.directory]

    def holds(self) -> dict[str, Any]:
        """``{"users": [users]}``."""
        return {"users": list(self.parent.users.values())}

    def config(self, url: str) -> str:
        return f"""\
  bots:
    connector: chatbotkit
    base_url: {url}/v1
    secret: {self.secret}
    write: {{}}
"""

    # ---- what the gateway asks of a provider (gateway.Provider) ----------------------------------------------------

    def answer(self, operation: str, call: Call, fault: Fault | None) -> Answer:
        """The second word of Authorization is the secret, whatever the first."""
        collection, action = _action(call)
        try:
            if collection not in self.collections:
                raise Refused("NOT_FOUND")
            if call.headers.get("authorization", "").split(" ")[1:2] != [self.secret]:
                raise Refused("NOT_AUTHENTICATED")
            if any(name in call.headers for name in _RUN_AS):
                return self._as_child(action, call)
            return self._handlers[action](call, fault)
        except Refused as refused:
            return error(refused.code, str(refused))

    def refusal(self, status: int, call: Call) -> Answer:
        if status == 405 and _action(call)[1] not in self._handlers:
            return error("NOT_FOUND")
        return error(_CODES.get(status, "GENERIC_ERROR"), status=status)

    def continues(self, call: Call) -> bool:
        return bool(call.query.get("cursor"))

    def headers(self, concurrent: int) -> dict[str, str]:
        return {}

    def _as_child(self, action: str, call: Call) -> Answer:
        """A child has no users of its own, and may make none."""
        own = [call.headers[name] for name in _RUN_AS if name in call.headers]
        if not all(self.parent.find(one) or self.parent.by_email(one) for one in own):
            raise Refused("NOT_AUTHENTICATED")
        if action == "list":
            return document({"items": []})
        raise Refused("NOT_AUTHORIZED", "You are not allowed to create a user." if action == "create" else "")

    # ---- users -----------------------------------------------------------------------------------------------------

    def _list(self, call: Call, fault: Fault | None) -> Answer:
        asked = query(call.query_text)
        if fault is not None and fault.kind == "loop":
            asked = asked._replace(cursor=None)
        if _wanted(call) == JSONL:
            return lines(self._shown, asked, fault)
        return page(self._bent(self._shown(asked), asked, fault))

    def _shown(self, asked: Asked) -> Sequence[bytes]:
        return [entry.shown for entry in self.parent.page(asked)]

    def _bent(self, users: Sequence[bytes], asked: Asked, fault: Fault | None) -> Sequence[bytes]:
        if fault is not None and fault.kind == "endless" and not users:
            return self._shown(asked._replace(cursor=None))
        rule = _BENT.get(fault.kind) if fault is not None else None
        return users if rule is None else rule(users)

    def _fetch(self, call: Call, fault: Fault | None) -> Answer:
        return document(self.parent.require(call.params["user"]).document(listed=False))

    def _create(self, call: Call, fault: Fault | None) -> Answer:
        sent = self._sent(call)
        return document({"id": self.parent.create(sent, note=_note(call, sent)).id})

    def _update(self, call: Call, fault: Fault | None) -> Answer:
        sent = self._sent(call)
        return document({"id": self.parent.update(call.params["user"], sent, note=_note(call, sent)).id})

    def _delete(self, call: Call, fault: Fault | None) -> Answer:
        return document({"id": self.parent.delete(call.params["user"], note=_note(call, self._sent(call))).id})

    def _sent(self, call: Call) -> dict[str, Any]:
        """The body; one that is none is written down before it is refused."""
        try:
            return body(call)
        except Refused:
            self.parent.record(_note(call, {}), 400, call.params.get("user"))
            raise

    # ---- tokens ----------------------------------------------------------------------------------------------------

    def _token_list(self, call: Call, fault: Fault | None) -> Answer:
        def shown(asked: Asked) -> Sequence[bytes]:
            return [orjson.dumps(one) for one in self.parent.token_page(call.params["user"], asked)]

        asked = query(call.query_text)
        return lines(shown, asked, None) if _wanted(call) == JSONL else page(shown(asked))

    def _token_create(self, call: Call, fault: Fault | None) -> Answer:
        sent = self._sent(call)
        return document(self.parent.create_token(call.params["user"], sent, note=_note(call, sent)))

    def _token_update(self, call: Call, fault: Fault | None) -> Answer:
        sent = self._sent(call)
        self.parent.update_token(call.params["user"], call.params["token"], sent, note=_note(call, sent))
        return document({"id": call.params["token"]})

    def _token_delete(self, call: Call, fault: Fault | None) -> Answer:
        self.parent.delete_token(call.params["user"], call.params["token"], note=_note(call, self._sent(call)))
        return document({"id": call.params["token"]})


def _action(call: Call) -> tuple[str, str]:
    """The collection, and what is done: ``update``, ``token/list``."""
    parts = call.path.removeprefix("/api").removeprefix("/v1/").split("/")
    collection = "partner/user" if parts[0] == "partner" else parts[0]
    rest = parts[2:] if parts[0] == "partner" else parts[1:]
    return collection, f"token/{rest[-1]}" if len(rest) > 2 else rest[-1]


def _wanted(call: Call) -> str:
    """The format asked for; the API has two more, which are not emulated."""
    asked = {one.partition(";")[0].strip().lower() for one in call.headers.get("accept", "*/*").split(",")}
    if JSONL in asked:
        return JSONL
    if asked & {"", "*/*", "application/*", JSON}:
        return JSON
    raise Refused("BAD_REQUEST", "Unsupported accept header")


def _note(call: Call, sent: Mapping[str, Any]) -> Note:
    return Note(call.method, call.path, sent, "http")
