"""Secrets masked by value: wherever the value turns up, as it is or in a usual encoding, `***` stands instead."""

from __future__ import annotations

import base64
import json
import re
from collections.abc import Callable, Iterable
from urllib.parse import quote, quote_plus

_SHORTEST = 4  # a shorter secret would mask ordinary words


def _forms(secret: str) -> set[str]:
    raw = secret.encode("utf-8", "surrogatepass")
    encoded = {base64.b64encode(raw).decode(), base64.urlsafe_b64encode(raw).decode()}
    return {
        secret,
        quote(raw, safe=""),
        quote_plus(raw),
        json.dumps(secret)[1:-1],
        raw.hex(),
        *encoded,
        *(form.rstrip("=") for form in encoded),
    }


def redactor(secrets: Iterable[str]) -> Callable[[str], str]:
    """A function that masks every registered secret in a text, url-encoded, base64, hex and JSON forms included."""
    forms = {form for secret in secrets if len(secret) >= _SHORTEST for form in _forms(secret)}
    if not forms:
        return lambda text: text
    pattern = re.compile("|".join(re.escape(form) for form in sorted(forms, key=len, reverse=True)), re.IGNORECASE)
    return lambda text: pattern.sub("***", text)
