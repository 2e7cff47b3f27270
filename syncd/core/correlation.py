"""Which account is whose: normalised keys, ignore globs, identity ids and the markers that carry them."""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping
from functools import lru_cache
from hashlib import sha1
from typing import Any
from unicodedata import normalize
from uuid import UUID

import orjson

from syncd.core.globs import Globs
from syncd.core.values import clean, tidy
from syncd.errors import Rejected

_NAMESPACE = UUID(
    "e7135f14-235c-5143-a56c-0da15ed76cf7"
)  # uuid5(NAMESPACE_URL, "urn:syncd:identity"); fixed for ever, identity ids hang on it
_MARKER = re.compile(r"(.+):([0-9a-f]{8}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{12})", re.DOTALL)
_PUNCTUATION = {"phone": dict.fromkeys(map(ord, " \t\u00a0\u202f-\u2010\u2011\u2013()./"))}
"""What people write differently in the same value of one attribute."""


def fold(text: str) -> str:
    """Equal for texts that differ in case, in composition (NFC, NFD) or in white space around them: Unicode's canonical caseless match."""
    if text.isascii():
        return text.lower().strip()
    return normalize("NFC", normalize("NFD", text).casefold()).strip()


def key(attribute: str, value: Any) -> str | None:
    """The correlation key of a scalar value; None for no value, and for a list, an object or text that cannot be stored."""
    try:
        scalar = clean(value)
    except Rejected:
        return None
    if scalar is None or isinstance(scalar, bool | list | dict):
        return None
    text = str(scalar)
    return fold(text.translate(_PUNCTUATION[attribute]) if attribute in _PUNCTUATION else text) or None


def keys(attributes: Mapping[str, Any], names: Iterable[str]) -> dict[str, str]:
    """Attribute name -> key, for those of ``names`` that have one."""
    found = ((name, key(name, attributes.get(name))) for name in names)
    return {name: value for name, value in found if value is not None}


class Ignore:
    """The globs of ``ignore``, compared without regard to case and composition."""

    def __init__(self, patterns: Iterable[str]) -> None:
        self._globs = Globs(folded for folded in map(fold, patterns) if folded)

    def matches(self, *values: str | None) -> bool:
        """Whether any of the values (account id, userName, e-mail) is to be left alone."""
        return bool(self._globs) and any(self._globs.matches(fold(value)) for value in values if value is not None)


@lru_cache(maxsize=10_000)
def identity_id(instance: str, namespace: str, account_id: str) -> str:
    """uuid5 over the JSON text ``["instance","namespace","account id"]``: compact, UTF-8, so that no separator can shift between the parts.

    Raises Rejected for an id that cannot be stored.
    """
    digest = sha1(_NAMESPACE.bytes + orjson.dumps(tidy([instance, namespace, account_id])), usedforsecurity=False).hexdigest()
    variant = "89ab"[int(digest[16], 16) & 3]  # RFC 9562 section 5.5; the standard library's UUID takes ten times as long
    return f"{digest[:8]}-{digest[8:12]}-5{digest[13:16]}-{variant}{digest[17:20]}-{digest[20:32]}"


def marker(instance: str, identity_id: str) -> str:
    """What a provider keeps for us to know our account by: ``instance:id``."""
    return f"{instance}:{identity_id}"


def parse_marker(text: Any) -> tuple[str, str] | None:
    """(instance, identity id), or None for anything that `marker` did not make."""
    parts = _MARKER.fullmatch(text) if isinstance(text, str) else None
    return (parts[1], parts[2]) if parts else None
