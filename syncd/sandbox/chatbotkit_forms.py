"""What the emulated ChatBotKit accepts: JSON bodies, each member with its rule, and queries of lists; the rest is Refused."""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping
from typing import Any, NamedTuple
from urllib.parse import parse_qsl

import orjson

from syncd.sandbox.message import Call

LONGEST = 191
"""Bytes of a name; characters of an image's column, which nothing checks before the database does."""
MOST = 100
"""Items of a page."""
_EMAIL = re.compile(r"[a-zA-Z0-9.!#$%&'*+/=?^_`{|}~-]{1,64}@[a-zA-Z0-9-]+(\.[a-zA-Z0-9-]+)+")
_ALIAS = re.compile(r"[a-z0-9_-]{0,128}")
_LIMITS: Mapping[str, Any] = {
    "tokens": None, "conversations": None, "messages": None,
    "database": dict.fromkeys(("datasets", "records", "skillsets", "abilities", "files")),
}  # fmt: skip
_UPDATE = "$update"


ERRORS: Mapping[str, tuple[int, str]] = {
    "BAD_REQUEST": (400, "Bad request"),
    "NOT_AUTHENTICATED": (401, "Not authenticated"),
    "NO_SUBSCRIPTION": (402, "No subscription"),
    "NOT_AUTHORIZED": (403, "Not authorized"),
    "NOT_FOUND": (404, "Not found"),
    "METHOD_NOT_ALLOWED": (405, "Method not allowed"),
    "TIMEOUT": (408, "Timeout"),
    "CONFLICT": (409, "Unique constraint violation"),
    "UNPROCESSABLE_ENTITY": (422, "Unprocessable entity"),
    "LIMITS_REACHED": (429, "You have exceeded your allocated rate limits: rate/poll"),
    "GENERIC_ERROR": (500, "Something went wrong"),
    "BAD_GATEWAY": (502, "Bad gateway"),
    "SERVICE_UNAVAILABLE": (503, "Service unavailable"),
    "GATEWAY_TIMEOUT": (504, "Gateway timeout"),
}
"""Code -> (status, message) of the error body."""


class Refused(ValueError):
    """An error of the API; ``code`` is its own name for it, the message is for the client."""

    def __init__(self, code: str, message: str = "") -> None:
        super().__init__(message)
        self.code = code


def invalid(message: str) -> Refused:
    return Refused("BAD_REQUEST", message)


def body(call: Call) -> dict[str, Any]:
    """The members of a JSON body; none for an empty one."""
    if not call.body:
        return {}
    try:
        sent = orjson.loads(call.body)
    except ValueError as error:
        raise invalid("The request body is no JSON") from error
    if not isinstance(sent, dict):
        raise invalid('"value" must be of type object')
    return sent


def _text(name: str, value: Any) -> str | None:
    if value is not None and not isinstance(value, str):
        raise invalid(f'"{name}" must be a string')
    return value or None


def _name(name: str, value: Any) -> str | None:
    text = _text(name, value)
    if text is not None and len(text.encode()) > LONGEST:
        raise invalid(f'"{name}" length must be less than or equal to {LONGEST} bytes')
    return text


def _image(name: str, value: Any) -> str | None:
    text = _text(name, value)
    if text is not None and len(text) > LONGEST:
        raise Refused("GENERIC_ERROR", "Something went wrong")
    return text


def _email(name: str, value: Any) -> str | None:
    text = _text(name, value)
    if text is not None and not _EMAIL.fullmatch(text):
        raise invalid(f'"{name}" must be a valid email')
    return text


def _alias(name: str, value: Any) -> str | None:
    """The empty text is a value here."""
    if value is not None and not (isinstance(value, str) and _ALIAS.fullmatch(value)):
        raise invalid(f'"{name}" with value fails to match the required pattern: /^[a-z0-9_-]*$/')
    return value


def _limits(name: str, value: Any) -> str | None:
    if value in (None, ""):
        return None
    _check_limits(name, value, _LIMITS)
    return orjson.dumps(value).decode()


def _check_limits(name: str, value: Any, known: Mapping[str, Any]) -> None:
    if not isinstance(value, dict):
        raise invalid(f'"{name}" must be of type object')
    for member, number in value.items():
        if member not in known:
            raise invalid(f'"{name}.{member}" is not allowed')
        if known[member] is not None:
            _check_limits(f"{name}.{member}", number, known[member])
        elif isinstance(number, bool) or not isinstance(number, int | float):
            raise invalid(f'"{name}.{member}" must be a number')


def meta(name: str, value: Any) -> dict[str, Any] | None:
    if value is not None and not isinstance(value, dict):
        raise invalid(f'"{name}" must be of type object')
    for member in value or {}:
        if member.startswith("_"):
            raise invalid(f'"{name}.{member}" is not allowed')
    return value


_RULES: Mapping[str, Callable[[str, Any], Any]] = {
    "name": _name, "description": _text, "image": _image, "email": _email, "alias": _alias, "limits": _limits, "meta": meta,
}  # fmt: skip


def _checked(sent: Mapping[str, Any]) -> dict[str, Any]:
    for name in sent:
        if name not in _RULES:
            raise invalid(f'"{name}" is not allowed')
    return {name: _RULES[name](name, value) for name, value in sent.items()}


def creation(sent: Mapping[str, Any]) -> dict[str, Any]:
    """By the names of `User`."""
    asked = _checked(sent)
    return asked if asked.get("meta") is None else {**asked, "meta": _dumped(asked["meta"])}


def change(sent: Mapping[str, Any], now: str | None) -> dict[str, Any]:
    """The same for an update of a user whose meta is ``now``: replaced, or merged by ``$update``. An alias that is not said is none."""
    asked = {"alias": None, **_checked(sent)}
    given = asked.get("meta")
    if given is None:
        return asked
    if _UPDATE in given:
        added = meta(f"meta.{_UPDATE}", given[_UPDATE]) or {}
        return {**asked, "meta": _dumped({**orjson.loads(now or "{}"), **_known(added)})}
    return {**asked, "meta": _dumped(_known(given))}


def _known(given: Mapping[str, Any]) -> dict[str, Any]:
    """Members that begin with no word character of ASCII are silently dropped by an update."""
    return {name: value for name, value in given.items() if re.match("[A-Za-z0-9_]", name)}


def _dumped(value: Mapping[str, Any]) -> str:
    return orjson.dumps(value).decode()


def token(sent: Mapping[str, Any]) -> dict[str, Any]:
    """The members of a user's token."""
    rules: Mapping[str, Callable[[str, Any], Any]] = {"name": _text, "description": _text, "config": meta, "meta": meta}
    for name in sent:
        if name not in rules:
            raise invalid(f'"{name}" is not allowed')
    return {name: rules[name](name, value) for name, value in sent.items()}


class Asked(NamedTuple):
    """A list's query. ``filters``: path in meta -> wanted text or boolean. ``take`` None: not said."""

    cursor: str | None = None
    ascending: bool = False
    take: int | None = None
    email: str | None = None
    filters: tuple[tuple[str, str | bool], ...] = ()

    @property
    def size(self) -> int:
        return MOST if self.take is None else min(self.take, MOST)

    @property
    def plain(self) -> bool:
        return self.ascending and self.email is None and not self.filters


def query(text: str) -> Asked:
    """``meta.PATH=v`` and ``meta[PATH]=v`` filter alike; any take will do."""
    said = dict(parse_qsl(text, keep_blank_values=True))
    if said.get("order", "desc") not in ("asc", "desc"):
        raise invalid('"order" must be one of [asc, desc]')
    paths = ((re.fullmatch(r"meta(?:\.(.+)|\[(.+)\])", name), value) for name, value in said.items())
    filters = tuple((match[1] or match[2], {"true": True, "false": False}.get(value, value)) for match, value in paths if match)
    return Asked(said.get("cursor") or None, said.get("order") == "asc", _take(said.get("take")), said.get("email"), filters)


def _take(text: str | None) -> int | None:
    """Nothing, zero and what is no number are the default, a negative one is 1."""
    number = int(text) if text is not None and re.fullmatch("-?[0-9]{1,9}", text) else 0
    return max(number, 1) if number else None
