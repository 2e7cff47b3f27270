"""The emulated Twilio Conversations users API: ten operations on two levels, as its OpenAPI document and its error pages describe them."""

from __future__ import annotations

from base64 import b64encode
from collections.abc import Callable, Iterable, Mapping
from itertools import count
from typing import Any

import orjson

from syncd.environment import Environment
from syncd.sandbox.directory import Directory, Slice
from syncd.sandbox.emulated import Emulated
from syncd.sandbox.faults import Fault
from syncd.sandbox.journal import Note
from syncd.sandbox.message import Answer, Call, Shape
from syncd.sandbox.spoil import ELSEWHERE, bend
from syncd.sandbox.twilio_forms import Invalid, Tokens, changes, creation, form, page_url, paging
from syncd.sandbox.twilio_service import Absent, Conflict, Service
from syncd.sandbox.twilio_users import PLACE, Entry, User

ERRORS = {
    400: (20001, "Invalid parameter"),
    401: (20003, "Authenticate"),
    403: (20403, "Forbidden"),
    404: (20404, "The requested resource {path} was not found"),
    405: (20004, "Method not allowed"),
    409: (50201, "User already exists"),
    422: (20422, "Invalid parameter"),
    429: (20429, "Too Many Requests"),
    500: (20500, "Internal Server Error"),
    502: (20502, "Bad Gateway"),
    503: (20503, "Service Unavailable"),
    504: (20504, "Gateway Timeout"),
}
"""Status -> (code, message) of the error body."""


class Twilio(Emulated):
    """One account with two services: the default one (`/v1/Users`), which the seeded users are in, and a named one, empty at first."""

    account_sid = "AC" + "5a" * 16
    auth_token = "sandbox-auth-token-5a5a5a5a5a5a5a"
    api_key_sid = "SK" + "5b" * 16
    api_key_secret = "sandbox-api-key-secret-5b5b5b5b5b"
    default_service_sid = "IS" + "50" * 16
    service_sid = "IS" + "51" * 16
    role_sid = "RL" + "5c" * 16

    shape = Shape(collection="users", key="identity", text="friendly_name")
    routes: Mapping[str, Mapping[str, str]] = {
        f"/v1{level}/Users{member}": operations
        for level in ("", "/Services/{service}")
        for member, operations in (
            ("", {"GET": "list", "POST": "create"}),
            ("/{sid}", {"GET": "fetch", "POST": "update", "DELETE": "delete"}),
        )
    }

    def __init__(self, environment: Environment, users: int = 0, seed: int = 0) -> None:
        super().__init__(environment, users, seed)
        pairs = ((self.account_sid, self.auth_token), (self.api_key_sid, self.api_key_secret))
        self._accepted = {b64encode(f"{name}:{secret}".encode()).decode() for name, secret in pairs}
        self._tokens = Tokens(f"twilio/{seed}")
        self._numbers = count(1)
        self._handlers: dict[str, Callable[[Service, Call, Fault | None], Answer]] = {
            "list": self._list,
            "create": self._create,
            "fetch": self._fetch,
            "update": self._update,
            "delete": self._delete,
        }
        self.reset()

    def populate(self) -> None:
        sizes = {self.default_service_sid: self._seeded, self.service_sid: 0}
        self.services = {
            sid: Service(sid, self.account_sid, self.role_sid, self._environment, self.journal, users, self._seed)
            for sid, users in sizes.items()
        }

    def directories(self) -> Iterable[Directory[Any]]:
        return [service.directory for service in self.services.values()]

    def service(self, sid: str | None = None) -> Service:
        """The default service, or the one called ``sid``; KeyError for any other."""
        return self.services[sid or self.default_service_sid]

    def holds(self) -> dict[str, Any]:
        """``{"services": {sid: [users]}}``."""
        return {"services": {sid: list(service.users.values()) for sid, service in self.services.items()}}

    def config(self, url: str) -> str:
        return f"""\
  chat:
    connector: twilio
    base_url: {url}
    account_sid: {self.account_sid}
    auth_token: {self.auth_token}
    write: {{}}
"""

    # ---- what the gateway asks of a provider (gateway.Provider) ----------------------------------------------------

    def answer(self, operation: str, call: Call, fault: Fault | None) -> Answer:
        scheme, _, credentials = call.headers.get("authorization", "").partition(" ")
        if scheme.lower() != "basic" or credentials.strip() not in self._accepted:
            return self.refusal(401, call)
        service = self.services.get(call.params.get("service", self.default_service_sid))
        if service is None:
            return self.refusal(404, call)
        try:
            return self._handlers[operation](service, call, fault)
        except Invalid as error:
            return self.refusal(400, call, str(error))
        except Conflict:
            return self.refusal(409, call)
        except Absent:
            return self.refusal(404, call)

    def refusal(self, status: int, call: Call, message: str | None = None) -> Answer:
        code, usual = ERRORS[status]
        text = message or usual.format(path=call.path.removeprefix("/v1"))
        more = f"https://www.twilio.com/docs/errors/{code}"
        headers = {"WWW-Authenticate": 'Basic realm="Twilio API"'} if status == 401 else {}
        return Answer(status, orjson.dumps({"code": code, "message": text, "more_info": more, "status": status}), headers=headers)

    def continues(self, call: Call) -> bool:
        return "PageToken" in call.query

    def headers(self, concurrent: int) -> dict[str, str]:
        return {"Twilio-Concurrent-Requests": str(concurrent), "Twilio-Request-Id": f"RQ{next(self._numbers):032x}"}

    # ---- the operations --------------------------------------------------------------------------------------------

    def _list(self, service: Service, call: Call, fault: Fault | None) -> Answer:
        size, number, after = paging(call.query, self._tokens)
        page = service.page(after, size)
        page = bend(page, fault) if fault else page
        links = _links(_collection(call), page, size, number, self._tokens, fault)
        meta = orjson.dumps({"page": number, "page_size": size, **links, "key": "users"})
        users = b",".join([entry.listed for entry in page.records]).replace(PLACE, _place(call))
        return Answer(200, b'{"meta":' + meta + b',"users":[' + users + b"]}")

    def _fetch(self, service: Service, call: Call, fault: Fault | None) -> Answer:
        user = service.find(call.params["sid"])
        if user is None:
            raise Absent(call.params["sid"])
        return _shown(200, user, call)

    def _create(self, service: Service, call: Call, fault: Fault | None) -> Answer:
        note, asked = self._asked(service, call, creation)
        return _shown(201, User(**service.create(**asked, note=note)), call)

    def _update(self, service: Service, call: Call, fault: Fault | None) -> Answer:
        note, asked = self._asked(service, call, changes)
        return _shown(200, User(**service.update(call.params["sid"], **asked, note=note)), call)

    def _delete(self, service: Service, call: Call, fault: Fault | None) -> Answer:
        service.delete(call.params["sid"], note=_note(call, {}))
        return Answer(204, media="text/plain")

    def _asked(self, service: Service, call: Call, check: Callable[[Mapping[str, str]], dict[str, Any]]) -> tuple[Note, dict[str, Any]]:
        """What a write asks for, checked; an invalid one is written down before it is refused."""
        sent: dict[str, str] = {}
        try:
            sent = form(call)
            return _note(call, sent), check(sent)
        except Invalid:
            service.record(_note(call, sent), 400, call.params.get("sid"), sent.get("Identity"))
            raise


def _note(call: Call, sent: Mapping[str, str]) -> Note:
    return Note(call.method, call.path, sent, "http", call.headers.get("x-twilio-webhook-enabled"))


def _collection(call: Call) -> str:
    """The URL of the users this call is about, by the host and the level it came in at."""
    service = call.params.get("service")
    return f"{call.base}/v1/Users" if service is None else f"{call.base}/v1/Services/{service}/Users"


def _place(call: Call) -> bytes:
    return orjson.dumps(_collection(call))[1:-1]


def _shown(status: int, user: User, call: Call) -> Answer:
    return Answer(status, user.render().replace(PLACE, _place(call)))


def _links(collection: str, page: Slice[Entry], size: int, number: int, tokens: Tokens, fault: Fault | None) -> dict[str, str | None]:
    """The URLs of a page's ``meta``; a fault may send the client elsewhere for the next one."""
    onward = collection
    if fault is not None and fault.kind == "foreign":
        onward = fault.params.get("url", ELSEWHERE) + "/" + collection.split("/", 3)[3]
    before, after = page.previous, page.next
    return {
        "first_page_url": page_url(collection, size, 0),
        "previous_page_url": None if before is None else page_url(collection, size, max(number - 1, 0), tokens.of(before)),
        "url": page_url(collection, size, number, tokens.of(page.after) if page.after else None),
        "next_page_url": None if after is None else page_url(onward, size, number + 1, tokens.of(after)),
    }
