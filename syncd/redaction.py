"""Secrets masked by value: wherever one turns up, as it is or in a usual encoding, `***` stands instead."""

from __future__ import annotations

import base64
import json
import re
from collections.abc import Iterable, Mapping
from typing import Any
from urllib.parse import quote, quote_plus

MASK = "***"
SHORTEST = 4
"""Characters; a shorter value would mask ordinary words."""
SHORTEST_PIECE = 6
"""Characters of Base64 that are recognised inside a longer text."""


class Redactor:
    """Masks registered values wherever they stand: plain, URL-encoded, Base64 (also inside a longer text), hex, escaped in JSON or repr."""

    def __init__(self, secrets: Iterable[str] = ()) -> None:
        forms = {form for secret in secrets if len(secret) >= SHORTEST for form in _forms(secret)}
        longest_first = sorted(forms, key=len, reverse=True)
        self._pattern = re.compile("|".join(map(re.escape, longest_first))) if forms else None

    def __call__(self, text: str) -> str:
        return self._pattern.sub(MASK, text) if self._pattern else text

    def value(self, value: Any) -> Any:
        """Any value of a log event; what is no text, number, list or mapping becomes its masked text."""
        if isinstance(value, bytes):
            value = value.decode("utf-8", "backslashreplace")
        if isinstance(value, str):
            return self(value)
        if isinstance(value, Mapping):
            return {self(str(key)): self.value(inner) for key, inner in value.items()}
        if isinstance(value, list | tuple | set | frozenset):
            return [self.value(inner) for inner in value]
        if value is None or isinstance(value, bool):
            return value
        masked = self(str(value))
        return value if isinstance(value, int | float) and masked == str(value) else masked


def _forms(secret: str) -> set[str]:
    raw = secret.encode("utf-8", "surrogatepass")
    quoted = {quote(raw, safe=""), quote(raw), quote_plus(raw)}
    lowered = {re.sub("%[0-9A-F]{2}", lambda code: code[0].lower(), form) for form in quoted}
    both_quotes = repr("'\"" + secret)[4:-1]
    escaped = {
        *_json(secret),
        *(twice for once in _json(secret) for twice in _json(once)),
        repr(secret)[1:-1],
        both_quotes,
        repr(raw)[2:-1],
    }
    return {secret, *quoted, *lowered, *escaped, raw.hex(), raw.hex().upper(), *_base64(raw)}


def _json(text: str) -> set[str]:
    return {json.dumps(text)[1:-1], json.dumps(text, ensure_ascii=False)[1:-1]}


def _base64(raw: bytes) -> set[str]:
    """Base64 of the value, and the part of it that stays the same wherever it stands in a longer text (three alignments)."""
    forms = set()
    for before in range(3):
        padded = b"\0" * before + raw
        whole = len(padded) * 8 // 6
        for encode in (base64.b64encode, base64.urlsafe_b64encode):
            piece = encode(padded).decode()[(0, 2, 3)[before] : whole]
            forms |= {piece} if len(piece) >= SHORTEST_PIECE else set()
    full = {base64.b64encode(raw).decode(), base64.urlsafe_b64encode(raw).decode()}
    return forms | full | {form.rstrip("=") for form in full}
