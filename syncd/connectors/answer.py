"""What came back: one answer, and the translation of a refusal into the error that names the caller's next move."""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import NamedTuple

import orjson

from syncd.connectors.retry import Ambiguous, Malformed, http_date, retry_after
from syncd.errors import Quarantined, Rejected, Retryable, SyncdError, Unauthorized

_LONGEST_MESSAGE = 300
_UNPRINTABLE = re.compile(r"[\x00-\x1f\x7f-\x9f]+")


class NotFound(Rejected):
    """404 or 410: the provider does not know this account (or this address: see the code)."""


class Conflict(Rejected):
    """409: it exists already, or somebody else changed it meanwhile. This request made nothing."""


@dataclass(frozen=True, slots=True)
class Answer:
    """Status, headers (names in lower case) and decoded body."""

    status: int
    headers: Mapping[str, str]
    body: bytes

    @property
    def json_type(self) -> bool:
        """Whether the content type announces JSON (RFC 8259, and RFC 6839's ``+json``)."""
        kind = self.headers.get("content-type", "").partition(";")[0].strip().lower()
        return kind == "application/json" or (kind.startswith("application/") and kind.endswith("+json"))


class Problem(NamedTuple):
    """The provider's own code, and its message. ``final``: of a 429, that no waiting cures it (a quota, not a pace)."""

    code: str | None
    message: str
    final: bool = False


def problem(answer: Answer) -> Problem:
    """Code and message of an error body: ``{code, message}``, RFC 9457 ``{title, detail, code}``, ``{detail}`` or ``{error}``."""
    try:
        body = orjson.loads(answer.body)
    except ValueError:
        body = None
    if not isinstance(body, dict):
        return Problem(None, "")
    code = body.get("code")
    message = next((text for key in ("message", "detail", "title", "error") if isinstance(text := body.get(key), str) and text), "")
    return Problem(str(code) if isinstance(code, str | int) else None, message)


def refusal(label: str, answer: Answer, explain: Callable[[Answer], Problem], redact: Callable[[str], str], now: datetime) -> SyncdError:
    """The error for an answer that is no success. 429 was not processed (RFC 6585); a 5xx or 408 may have been, in part or whole."""
    code, message, final = explain(answer)
    text = _UNPRINTABLE.sub(" ", redact(message))[:_LONGEST_MESSAGE]
    said = f"{label}: {answer.status}" + (f" (code {code})" if code else "") + (f" {text}" if text else "")
    theirs = http_date(answer.headers.get("date", "")) or now  # a wish given as a date is meant by the provider's own clock
    status, after = answer.status, retry_after(answer.headers.get("retry-after"), theirs)
    if status == 429 and not final:
        return Retryable(said, after)
    if status >= 500 or status == 408:
        return Ambiguous(said, after)
    if status < 300:
        return Ambiguous(f"{said} is not the answer the provider documents", after)
    if status < 400:
        return Ambiguous(f"{said} is a redirect, which is never followed: base_url must be the API root itself", after)
    if status in (401, 403):
        return (Unauthorized if status == 401 else Quarantined)(f"{said}: the credentials are refused or lack a permission")
    kind = {404: NotFound, 410: NotFound, 409: Conflict}.get(status, Rejected)
    return kind(said, code or str(status))


def check_json(answer: Answer) -> None:
    """Raises Malformed when an answer that should hold JSON announces something else (a maintenance page, a captive portal)."""
    if answer.status != 204 and not answer.json_type:
        kind = _UNPRINTABLE.sub(" ", answer.headers.get("content-type", "no content type"))[:60]
        raise Malformed(f"{answer.status} with {kind} instead of JSON")
