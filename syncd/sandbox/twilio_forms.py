"""What the emulated Twilio accepts: fields of a form, places of a listing, credentials; what it does not accept is Invalid, a 400."""

from __future__ import annotations

import re
import zlib
from collections.abc import Callable, Mapping
from typing import Any
from urllib.parse import parse_qsl, quote

import orjson

from syncd.sandbox.message import Call

LONGEST_NAME = 256
LONGEST_ATTRIBUTES = 4096
PAGE_SIZE = 50
_FORM = "application/x-www-form-urlencoded"
_ROLE = re.compile("RL[0-9a-fA-F]{32}")


class Invalid(ValueError):
    """The message is for the client."""


def form(call: Call) -> dict[str, str]:
    """The fields of a form-encoded body, as sent; a field sent twice counts once, the last."""
    if not call.body:
        return {}
    if call.headers.get("content-type", "").partition(";")[0].strip().lower() != _FORM:
        raise Invalid(f"The request body must be {_FORM}")
    try:
        return dict(parse_qsl(call.body.decode("utf-8"), keep_blank_values=True, errors="strict"))
    except UnicodeDecodeError as error:
        raise Invalid("The request body is not valid UTF-8") from error


def _identity(text: str) -> str:
    if not 0 < len(text) <= LONGEST_NAME:
        raise Invalid(f"Identity must have 1 to {LONGEST_NAME} characters")
    return text


def _friendly_name(text: str) -> str | None:
    if len(text) > LONGEST_NAME:
        raise Invalid(f"FriendlyName must have at most {LONGEST_NAME} characters")
    return text or None


def _attributes(text: str) -> str:
    if len(text.encode()) > LONGEST_ATTRIBUTES:
        raise Invalid(f"Attributes must have at most {LONGEST_ATTRIBUTES} bytes")
    try:
        value = orjson.loads(text)
    except orjson.JSONDecodeError as error:
        raise Invalid("Attributes must be valid JSON") from error
    if not isinstance(value, dict):
        raise Invalid("Attributes must be a JSON object")
    return text


def _role_sid(text: str) -> str:
    if not _ROLE.fullmatch(text):
        raise Invalid("RoleSid must be RL and 32 hexadecimal digits")
    return text


_CHANGEABLE: Mapping[str, tuple[str, Callable[[str], Any]]] = {
    "FriendlyName": ("friendly_name", _friendly_name),
    "Attributes": ("attributes", _attributes),
    "RoleSid": ("role_sid", _role_sid),
}


def changes(sent: Mapping[str, str]) -> dict[str, Any]:
    """The fields an update may set, by their names in answers. Anything else that was sent is ignored, Identity too."""
    return {name: check(sent[wire]) for wire, (name, check) in _CHANGEABLE.items() if wire in sent}


def creation(sent: Mapping[str, str]) -> dict[str, Any]:
    if "Identity" not in sent:
        raise Invalid("Missing required parameter Identity in the post body")
    return {"identity": _identity(sent["Identity"])} | changes(sent)


class Tokens:
    """Places in a listing as opaque page tokens. They hold ``+``, ``:`` and ``=``: a client that rebuilds URLs carelessly breaks them."""

    def __init__(self, salt: str) -> None:
        self._salt = salt.encode()

    def of(self, n: int) -> str:
        check = zlib.crc32(self._salt + b"%d" % n)
        return f"PT:{n:x}+{check:08x}="

    def place(self, token: str) -> int:
        """The inverse of `of`; Invalid for a token not made here."""
        match = re.fullmatch(r"PT:([0-9a-f]{1,15})\+[0-9a-f]{8}=", token)
        n = int(match[1], 16) if match else 0
        if match is None or self.of(n) != token:
            raise Invalid("The PageToken is not valid")
        return n


def paging(query: Mapping[str, str], tokens: Tokens) -> tuple[int, int, int]:
    """(page size, page number, place). More than 50 a page is cut to 50; a page beyond the first is reached only by its token."""
    size, page = _whole(query, "PageSize", PAGE_SIZE, 1), _whole(query, "Page", 0, 0)
    token = query.get("PageToken")
    if token is None and page:
        raise Invalid("PageToken is required for paging.")
    return min(size, PAGE_SIZE), page, tokens.place(token) if token is not None else 0


def _whole(query: Mapping[str, str], name: str, default: int, least: int) -> int:
    text = query.get(name)
    if text is None:
        return default
    if not re.fullmatch("[0-9]{1,9}", text) or int(text) < least:
        raise Invalid(f"{name} must be a whole number from {least} up")
    return int(text)


def page_url(collection: str, size: int, page: int, token: str | None = None) -> str:
    url = f"{collection}?PageSize={size}&Page={page}"
    return url if token is None else f"{url}&PageToken={quote(token, safe=':')}"
