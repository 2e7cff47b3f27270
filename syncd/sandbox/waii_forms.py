"""Bodies of the emulated Waii: what is sent, checked the way FastAPI checks it."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any

import orjson

from syncd.sandbox.message import Call

DETAILS = {
    400: "Bad request", 401: "Incorrect API key", 403: "Permission denied", 404: "Not Found", 405: "Method Not Allowed",
    409: "Conflict", 422: "Unprocessable Entity", 429: "Too Many Requests", 500: "Internal Server Error", 502: "Bad Gateway",
    503: "Service Unavailable", 504: "Gateway Timeout",
}  # fmt: skip
BENT: Mapping[str, Callable[[list[Any]], list[Any]]] = {
    "duplicate": lambda records: [*records, *records[-1:]],
    "missed": lambda records: records[:-1],
    "short": lambda records: [],
    "shrink": lambda records: records[: len(records) // 2],
}
"""What a listing fault does to the one page there is."""


class Refused(Exception):
    """An error as the API answers it: ``{"detail": ...}``."""

    def __init__(self, status: int, detail: Any) -> None:
        super().__init__(f"{status} {detail}")
        self.status, self.detail = status, detail


_TEXT: tuple[type, ...] = (str, type(None))
_OBJECTS: Mapping[str, Mapping[str, tuple[type, ...]]] = {
    "user": {
        "id": (str,), "name": _TEXT, "tenant_id": _TEXT, "org_id": _TEXT, "variables": (dict, type(None)), "roles": (list, type(None)),
    },
    "tenant": {"id": (str,), "name": (str,), "org_id": _TEXT, "variables": (dict, type(None))},
    "organization": {"id": (str,), "name": (str,), "variables": (dict, type(None))},
}  # fmt: skip
"""Object -> field -> what it may be; one that may not be null is required. Unknown fields are ignored."""


def body(call: Call) -> dict[str, Any]:
    try:
        sent = orjson.loads(call.body)
    except ValueError:
        raise invalid("field required", "value_error.missing") from None
    if not isinstance(sent, dict):
        raise invalid("value is not a valid dict", "type_error.dict")
    return sent


def invalid(message: str, kind: str, *place: str) -> Refused:
    return Refused(422, [{"loc": ["body", *place], "msg": message, "type": kind}])


def given(sent: Mapping[str, Any], object: str) -> dict[str, Any]:
    """The object in a body, every field of it: those that are not sent are null."""
    asked = sent.get(object)
    if not isinstance(asked, dict):
        raise invalid("field required", "value_error.missing", object)
    found = {}
    for name, types in _OBJECTS[object].items():
        value = asked.get(name)
        if type(value) not in types:
            kind = "value_error.missing" if value is None else "type_error"
            raise invalid("field required" if value is None else "wrong type", kind, object, name)
        found[name] = value
    if not found["id"]:
        raise invalid("ensure this value has at least 1 characters", "value_error", object, "id")
    return found


def text(sent: Mapping[str, Any], name: str) -> str:
    """A required text."""
    value = sent.get(name)
    if not isinstance(value, str):
        raise invalid("field required", "value_error.missing", name)
    return value


def narrowed(sent: Mapping[str, Any], name: str) -> str:
    """A parameter of a listing; "" where it is absent, null or empty, which all mean none."""
    value = sent.get(name)
    return value if isinstance(value, str) else ""
