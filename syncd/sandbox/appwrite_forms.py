"""What the emulated Appwrite accepts in a body: JSON parameters, each with its validator; what it does not accept is Refused."""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping
from typing import Any

import orjson

from syncd.sandbox.message import Call

_ID = re.compile(r"[a-zA-Z0-9][a-zA-Z0-9._-]{0,35}")
_EMAIL = re.compile(r"[a-zA-Z0-9.!#$%&'*+/=?^_`{|}~-]{1,64}@[a-zA-Z0-9-]+(\.[a-zA-Z0-9-]+)+")
_PHONE = re.compile(r"\+[1-9][0-9]{0,14}")
_LABEL = re.compile("[a-zA-Z0-9]{1,36}")
_LOWER = str.maketrans("ABCDEFGHIJKLMNOPQRSTUVWXYZ", "abcdefghijklmnopqrstuvwxyz")
LONGEST_NAME = 128
LONGEST_PREFS = 65_535
MOST_LABELS = 1000


class Refused(ValueError):
    """An error of the API; ``type`` is its own name for it, the message is for the client."""

    def __init__(self, type: str, message: str = "") -> None:
        super().__init__(message)
        self.type = type


def invalid(parameter: str, reason: str) -> Refused:
    return Refused("general_argument_invalid", f"Invalid `{parameter}` param: {reason}")


def body(call: Call) -> dict[str, Any]:
    """The parameters of a JSON body; none for an empty one."""
    if not call.body:
        return {}
    if call.headers.get("content-type", "").partition(";")[0].strip().lower() != "application/json":
        return {}
    try:
        sent = orjson.loads(call.body)
    except ValueError as error:
        raise Refused("general_bad_request", "The request body is no JSON") from error
    if not isinstance(sent, dict):
        raise Refused("general_bad_request", "The request body is no object")
    return sent


def user_id(value: Any) -> str:
    if not isinstance(value, str) or not (value == "unique()" or _ID.fullmatch(value)):
        raise invalid(
            "userId",
            "Parameter must contain at most 36 chars. Valid chars are a-z, A-Z, 0-9, period, hyphen, and underscore. "
            "Can't start with a special char",
        )
    return value


def _email(value: Any) -> str:
    if not isinstance(value, str) or not (value == "" or _EMAIL.fullmatch(value)):
        raise invalid("email", "Value must be a valid email address")
    return value.translate(_LOWER)


def _phone(value: Any, parameter: str = "number") -> str:
    if not isinstance(value, str) or not (value == "" or _PHONE.fullmatch(value)):
        raise invalid(parameter, "Phone number must start with a '+' can have a maximum of fifteen digits.")
    return value


def _name(value: Any) -> str:
    if not isinstance(value, str) or len(value) > LONGEST_NAME:
        raise invalid("name", f"Value must be a valid string and no longer than {LONGEST_NAME} chars")
    return value


def _password(value: Any) -> str:
    if not isinstance(value, str) or not (value == "" or 8 <= len(value) <= 256):
        raise invalid(
            "password", "Password must be between 8 and 265 characters long, and should not be one of the commonly used password."
        )
    return value


def _boolean(parameter: str) -> Callable[[Any], bool]:
    def check(value: Any) -> bool:
        if not isinstance(value, bool):
            raise invalid(parameter, "Value must be a valid boolean")
        return value

    return check


def _labels(value: Any) -> tuple[str, ...]:
    """Deduplicated, in the order given."""
    valid = isinstance(value, list) and len(value) <= MOST_LABELS
    if not valid or not all(isinstance(one, str) and _LABEL.fullmatch(one) for one in value):
        raise invalid("labels", f"Value must a valid array no longer than {MOST_LABELS} items of 36 alphanumeric characters")
    return tuple(dict.fromkeys(value))


def _prefs(value: Any) -> str:
    """An empty array is PHP's empty object."""
    if not isinstance(value, dict) and value != []:
        raise invalid("prefs", "Value must be a valid object.")
    text = orjson.dumps(value or {}).decode()
    if len(text) > LONGEST_PREFS:
        raise invalid("prefs", f"Value must be a valid object and no longer than {LONGEST_PREFS} chars")
    return text


CHANGES: Mapping[str, tuple[str, str, Callable[[Any], Any]]] = {
    "PATCH name": ("name", "name", _name),
    "PATCH email": ("email", "email", _email),
    "PATCH phone": ("number", "phone", _phone),
    "PATCH password": ("password", "password", _password),
    "PATCH status": ("status", "status", _boolean("status")),
    "PATCH verification": ("emailVerification", "emailVerification", _boolean("emailVerification")),
    "PATCH verification/phone": ("phoneVerification", "phoneVerification", _boolean("phoneVerification")),
    "PATCH prefs": ("prefs", "prefs", _prefs),
    "PATCH mfa": ("mfa", "mfa", _boolean("mfa")),
    "PUT labels": ("labels", "labels", _labels),
}
"""Method and what stands behind a user's address -> (parameter, field, validator)."""


def change(operation: str, sent: Mapping[str, Any]) -> dict[str, Any]:
    """The one field that a request to ``operation`` (a key of `CHANGES`) sets."""
    parameter, name, check = CHANGES[operation]
    if sent.get(parameter) is None:
        raise Refused("general_argument_invalid", f'Param "{parameter}" is not optional.')
    return {name: check(sent[parameter])}


def creation(sent: Mapping[str, Any]) -> dict[str, Any]:
    """id, and email, phone, password and name where given; an e-mail or phone may not be empty here."""
    if sent.get("userId") is None:
        raise Refused("general_argument_invalid", 'Param "userId" is not optional.')
    asked: dict[str, Any] = {"id": user_id(sent["userId"])}
    for name, check in (("email", _email), ("phone", lambda value: _phone(value, "phone")), ("password", _password), ("name", _name)):
        value = sent.get(name)
        if value is not None:
            asked[name] = check(value)
    for name in ("email", "phone"):
        if asked.get(name) == "":
            raise invalid(name, "Value must not be empty")
    return asked
