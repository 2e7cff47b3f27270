"""Ids that look made by a server, and are a function of an ordinal and back."""

from __future__ import annotations

import hashlib
import re


class Ids:
    """Ordinals as ``prefix`` and hexadecimal digits: an affine map modulo 16 ** ``digits``, another one for each salt."""

    def __init__(self, salt: str, prefix: str = "", digits: int = 20) -> None:
        digest = hashlib.blake2b(salt.encode(), digest_size=digits).digest()
        self._prefix, self._digits, self._modulus = prefix, digits, 1 << 4 * digits
        self._factor, self._offset = int.from_bytes(digest[: digits // 2]) | 1, int.from_bytes(digest[digits // 2 :])
        self._inverse = pow(self._factor, -1, self._modulus)
        self._pattern = re.compile(f"{re.escape(prefix)}([0-9a-f]{{{digits}}})")

    def of(self, n: int) -> str:
        return f"{self._prefix}{(n * self._factor + self._offset) % self._modulus:0{self._digits}x}"

    def ordinal(self, id: str) -> int | None:
        """None where ``id`` is not shaped like one; the ordinal of a foreign id is some number nobody has."""
        match = self._pattern.fullmatch(id)
        return None if match is None else (int(match[1], 16) - self._offset) * self._inverse % self._modulus
