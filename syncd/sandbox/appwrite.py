"""The emulated Appwrite users API (1.8): listing, one user, and one request for each attribute, as its OpenAPI document and source say."""

from __future__ import annotations

import math
import re
from collections.abc import Callable, Iterable, Mapping
from dataclasses import replace
from typing import Any

import orjson

from syncd.environment import Environment
from syncd.sandbox import appwrite_queries as queries
from syncd.sandbox.appwrite_forms import CHANGES, Refused, body, change, creation
from syncd.sandbox.appwrite_project import COUNTED, Project
from syncd.sandbox.appwrite_users import Entry, User
from syncd.sandbox.directory import Directory, Slice
from syncd.sandbox.emulated import Emulated
from syncd.sandbox.faults import Fault
from syncd.sandbox.journal import Note
from syncd.sandbox.message import Answer, Call, Shape

ERRORS: Mapping[str, tuple[int, str]] = {
    "general_argument_invalid": (400, "The request contains one or more invalid arguments."),
    "general_bad_request": (400, "There was an error processing your request."),
    "general_cursor_not_found": (400, "User '' for the 'cursor' value not found."),
    "database_query_order_null": (400, "The order attribute had a null value."),
    "general_unauthorized_scope": (401, "User (role: guests) missing scopes"),
    "general_access_forbidden": (403, "Access to this API is forbidden."),
    "user_not_found": (404, "User with the requested ID could not be found."),
    "project_not_found": (
        404,
        "Project with the requested ID could not be found. Please check the value of the X-Appwrite-Project header.",
    ),
    "general_route_not_found": (404, "The requested route was not found. Please refer to the API docs and try again."),
    "user_already_exists": (409, "A user with the same id, email, or phone already exists in this project."),
    "user_email_already_exists": (409, "A user with the same email already exists in the current project."),
    "user_phone_already_exists": (409, "A user with the same phone already exists in the current project."),
    "user_target_already_exists": (409, "A target with the same ID already exists."),
    "general_unprocessable": (422, "The request cannot be processed."),
    "general_rate_limit_exceeded": (429, "Rate limit for the current endpoint has been exceeded. Please try again after some time."),
    "general_unknown": (500, "An unknown error has occurred. Please check the logs for more information."),
}
"""Type -> (status, message) of the error body."""
_TYPES = {
    400: "general_argument_invalid", 401: "general_unauthorized_scope", 403: "general_access_forbidden", 404: "user_not_found",
    405: "general_route_not_found", 409: "user_already_exists", 422: "general_unprocessable", 429: "general_rate_limit_exceeded",
}  # fmt: skip
_USER = "/v1/users/{user}"
_SCOPES = {"GET": "users.read"}
_BENT: Mapping[str, Callable[[list[Entry]], list[Entry]]] = {
    "duplicate": lambda users: [*users, *users[-1:]],
    "missed": lambda users: users[1:],
    "short": lambda users: [],
    "shrink": lambda users: users[: len(users) // 2],
}
"""What a listing fault does to a page. The client names where the next one begins, so what a page leaves out at its end comes later."""


class Appwrite(Emulated):
    """One project with its users, an API key with both scopes and one that only reads. ``version`` and ``keys`` may be changed."""

    project_id = "sandbox-project"
    api_key = "sandbox-appwrite-key-5a5a5a5a5a5a5a5a"
    reading_key = "sandbox-appwrite-reading-key-5b5b5b5b"

    shape = Shape(collection="users", key="$id", text="name")
    routes: Mapping[str, Mapping[str, str]] = {
        "/v1/users": {"GET": "list", "POST": "create"},
        _USER: {"GET": "fetch", "DELETE": "delete"},
        **{f"{_USER}/{path}": {method: "update"} for method, path in (one.split(" ") for one in CHANGES)},
        f"{_USER}/prefs": {"GET": "fetch", "PATCH": "update"},
        f"{_USER}/sessions": {"DELETE": "update"},
        "/v1/users/{rest:path}": {},
    }

    def __init__(self, environment: Environment, users: int = 0, seed: int = 0) -> None:
        super().__init__(environment, users, seed)
        self.version = "1.8.1"
        self.keys = {self.api_key: frozenset({"users.read", "users.write"}), self.reading_key: frozenset({"users.read"})}
        self._handlers: dict[str, Callable[[Call, Fault | None], Answer]] = {
            "list": self._list, "create": self._create, "fetch": self._fetch, "update": self._update, "delete": self._delete,
        }  # fmt: skip
        self.reset()

    def populate(self) -> None:
        self.project = Project(self._environment, self.journal, self._seeded, self._seed)

    def directories(self) -> Iterable[Directory[Any]]:
        return [self.project.directory]

    def holds(self) -> dict[str, Any]:
        """``{"users": [users]}``."""
        return {"users": list(self.project.users.values())}

    def config(self, url: str) -> str:
        return f"""\
  app:
    connector: appwrite
    base_url: {url}/v1
    project: {self.project_id}
    api_key: {self.api_key}
    write: {{}}
"""

    # ---- what the gateway asks of a provider (gateway.Provider) ----------------------------------------------------

    def answer(self, operation: str, call: Call, fault: Fault | None) -> Answer:
        if call.headers.get("x-appwrite-project") != self.project_id:
            return self._error("project_not_found")
        needed, key = _SCOPES.get(call.method, "users.write"), call.headers.get("x-appwrite-key", "")
        if needed not in self.keys.get(key, ()):
            role = "applications" if key in self.keys else "guests"
            return self._error("general_unauthorized_scope", f'User (role: {role}) missing scopes (["{needed}"])')
        try:
            return self._warned(call, self._handlers[operation](call, fault))
        except Refused as error:
            return self._error(error.type, str(error))

    def refusal(self, status: int, call: Call) -> Answer:
        if status == 400 and self.continues(call):
            return self._error("general_cursor_not_found")
        kind = _TYPES.get(status, "general_unknown")
        return self._error("general_route_not_found" if kind == "user_not_found" and not _is_user(call.path) else kind, status=status)

    def continues(self, call: Call) -> bool:
        return queries.cursor_of(call.query_text)

    def headers(self, concurrent: int) -> dict[str, str]:
        return {"X-Appwrite-Project-Id": self.project_id}

    def _error(self, type: str, message: str = "", status: int | None = None) -> Answer:
        usual, text = ERRORS[type]
        code = usual if status in (None, 405) else status
        error = {"message": message or text, "code": code, "type": type, "version": self.version}
        return Answer(code, orjson.dumps(error), headers=self._limits() if code == 429 else {})

    def _limits(self) -> dict[str, str]:
        """When to come back, as an instant; there is no Retry-After."""
        reset = math.ceil(self._environment.now().timestamp()) + 1
        return {"X-RateLimit-Limit": "60", "X-RateLimit-Remaining": "0", "X-RateLimit-Reset": str(reset)}

    def _warned(self, call: Call, answer: Answer) -> Answer:
        """A client that asks for a newer format than the server's is answered all the same."""
        wanted = call.headers.get("x-appwrite-response-format", "")
        if _numbers(wanted) > _numbers(self.version):
            text = f"The current SDK is built for Appwrite {wanted}. However, the current Appwrite server version is {self.version}."
            return replace(answer, headers=answer.headers | {"X-Appwrite-Warning": text})
        return answer

    # ---- the operations --------------------------------------------------------------------------------------------

    def _list(self, call: Call, fault: Fault | None) -> Answer:
        asked = queries.parse(call.query_text)
        if fault is not None and fault.kind == "loop":
            asked.after = None
        page, total = self.project.page(asked)
        if fault is not None:
            page = self._bent(page, asked, fault)
        counted = 0 if call.query.get("total") in ("false", "0") else min(total, COUNTED)
        return Answer(200, b'{"total":%d,"users":[' % counted + b",".join([entry.shown for entry in page.records]) + b"]}")

    def _bent(self, page: Slice[Entry], asked: queries.Asked, fault: Fault) -> Slice[Entry]:
        if fault.kind == "endless" and not page.records:
            return self.project.page(replace(asked, after=None))[0]
        rule = _BENT.get(fault.kind)
        return page if rule is None else replace(page, records=rule(list(page.records)))

    def _fetch(self, call: Call, fault: Fault | None) -> Answer:
        entry = self.project.find(call.params["user"])
        if entry is None:
            raise Refused("user_not_found")
        return Answer(200, entry.user.prefs.encode() if call.path.endswith("/prefs") else entry.shown)

    def _create(self, call: Call, fault: Fault | None) -> Answer:
        note, asked = self._asked(call, creation)
        return _shown(201, self.project.create(**asked, note=note))

    def _update(self, call: Call, fault: Fault | None) -> Answer:
        id, what = call.params["user"], call.path.split("/", 4)[4]
        if what == "sessions":
            self.project.sign_out(id, note=_note(call, {}))
            return Answer(204, media="text/plain")
        note, asked = self._asked(call, lambda sent: change(f"{call.method} {what}", sent))
        user = self.project.update(id, **asked, note=note)
        return Answer(200, user.prefs.encode()) if what == "prefs" else _shown(200, user)

    def _delete(self, call: Call, fault: Fault | None) -> Answer:
        """Without a content type the vendor's SDK for Python fails on an answer without a body."""
        self.project.delete(call.params["user"], note=_note(call, {}))
        return Answer(204, media="text/plain")

    def _asked(self, call: Call, check: Callable[[Mapping[str, Any]], dict[str, Any]]) -> tuple[Note, dict[str, Any]]:
        """What a write asks for, checked; an invalid one is written down before it is refused."""
        sent: dict[str, Any] = {}
        try:
            sent = body(call)
            return _note(call, sent), check(sent)
        except Refused:
            self.project.record(_note(call, sent), 400, call.params.get("user"))
            raise


def _is_user(path: str) -> bool:
    return re.fullmatch(r"/v1/users/[^/]+(/.*)?", path) is not None


def _numbers(version: str) -> tuple[int, ...]:
    return tuple(map(int, re.findall("[0-9]+", version)[:3]))


def _note(call: Call, sent: Mapping[str, Any]) -> Note:
    return Note(call.method, call.path, sent, "http")


def _shown(status: int, user: User) -> Answer:
    return Answer(status, Entry.of(user).shown)
