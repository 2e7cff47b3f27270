"""Rota, a made-up planner of shifts: its API, as its emulation for the README's connector."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any

import orjson

from syncd.environment import Environment
from syncd.sandbox.faults import Fault
from syncd.sandbox.journal import Journal, Note
from syncd.sandbox.message import Answer, Call, Shape

CODES = {401: "who_are_you", 404: "no_such_address", 409: "login_taken", 429: "slow_down"}
ATTRIBUTES = ("login", "name", "email", "on_shift", "extra")


class Rota:
    """``people``: id -> record, in the order in which listings show them."""

    token = "rota-token-5a5a5a5a"
    page = 4
    routes: Mapping[str, Mapping[str, str]] = {
        "/people": {"GET": "list", "POST": "create"},
        "/people/{id}": {"GET": "fetch", "PATCH": "update", "DELETE": "delete"},
        "/logins/{login}": {"GET": "fetch"},
    }
    shape = Shape(collection="people", key="login", text="name")

    def __init__(self, environment: Environment) -> None:
        self._environment, self._made = environment, 0
        self.journal = Journal()
        self.people: dict[str, dict[str, Any]] = {}

    def add(self, given: Mapping[str, Any]) -> str:
        self._made += 1
        id = f"p-{self._made:04}"
        self.people[id] = {"id": id, "pin": "0000", **dict.fromkeys(ATTRIBUTES), "on_shift": True, "extra": {}}
        self._change(id, given)
        return id

    # ---- what the gateway asks of a provider -------------------------------------------------------------------------

    def answer(self, operation: str, call: Call, fault: Fault | None) -> Answer:
        if call.headers.get("authorization") != f"Bearer {self.token}":
            return self.refusal(401, call)
        does: dict[str, Callable[[Call, Fault | None], Answer]] = {
            "list": self._list, "fetch": self._fetch, "create": self._create, "update": self._update, "delete": self._delete,
        }  # fmt: skip
        return does[operation](call, fault)

    def refusal(self, status: int, call: Call, code: str = "") -> Answer:
        return Answer(status, orjson.dumps({"code": code or CODES.get(status, "no"), "message": "Rota says no"}))

    def continues(self, call: Call) -> bool:
        return "after" in call.query

    def headers(self, concurrent: int) -> dict[str, str]:
        return {}

    # ---- the operations ----------------------------------------------------------------------------------------------

    def _list(self, call: Call, fault: Fault | None) -> Answer:
        kind, after = "" if fault is None else fault.kind, call.query.get("after", "")
        rest = [one for id, one in self.people.items() if id > after]
        shown = rest[: self.page]
        place = after if kind == "loop" else shown[-1]["id"] if shown else after
        base = fault.params["url"] if fault is not None and kind == "foreign" else call.base
        further = len(rest) > self.page or kind == "endless"
        following = f"{base}/people?after={place}" if further else None
        return Answer(200, orjson.dumps({"people": shown, "page": {"next": following}}))

    def _fetch(self, call: Call, fault: Fault | None) -> Answer:
        found = [one for id, one in self.people.items() if id == call.params.get("id") or one["login"] == call.params.get("login", 0)]
        return Answer(200, orjson.dumps(found[0])) if found else self._nobody(call)

    def _create(self, call: Call, fault: Fault | None) -> Answer:
        given = orjson.loads(call.body)
        if any(one["login"] == given["login"] for one in self.people.values()):
            return self.refusal(409, call)
        id = self.add(given)
        return self._written(call, 201, id)

    def _update(self, call: Call, fault: Fault | None) -> Answer:
        id = call.params["id"]
        if id not in self.people:
            return self._nobody(call)
        self._change(id, orjson.loads(call.body))
        return self._written(call, 200, id)

    def _delete(self, call: Call, fault: Fault | None) -> Answer:
        if self.people.pop(call.params["id"], None) is None:
            return self._nobody(call)
        self.journal.write(Note(call.method, call.path, {}, "http"), self._environment.now(), 204, call.params["id"], None)
        return Answer(204)

    def _nobody(self, call: Call) -> Answer:
        return self.refusal(404, call, "no_such_person")

    def _change(self, id: str, given: Mapping[str, Any]) -> None:
        """An object is replaced whole, an e-mail address kept in lower case."""
        email = given.get("email")
        self.people[id] |= {**given, **({"email": email.lower()} if email else {})}

    def _written(self, call: Call, status: int, id: str) -> Answer:
        note = Note(call.method, call.path, orjson.loads(call.body), "http")
        self.journal.write(note, self._environment.now(), status, id, self.people[id]["login"])
        return Answer(status, orjson.dumps(self.people[id]))
