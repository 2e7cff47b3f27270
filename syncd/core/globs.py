"""Globs with two wildcards: ``*`` for any text, ``?`` for one character; everything else, brackets too, stands for itself."""

from __future__ import annotations

import re
from collections.abc import Iterable
from fnmatch import translate


class Globs:
    """Several globs tried at once; plain ones cost one look-up however many there are."""

    def __init__(self, patterns: Iterable[str]) -> None:
        every = set(patterns)
        self._plain = frozenset(pattern for pattern in every if not {"*", "?"} & set(pattern))
        wild = sorted(every - self._plain)
        self._wild = re.compile("|".join(translate(pattern.replace("[", "[[]")) for pattern in wild)) if wild else None

    def __bool__(self) -> bool:
        """Whether there are any."""
        return bool(self._plain) or self._wild is not None

    def matches(self, text: str) -> bool:
        """Whether one of them matches the whole of ``text``, case and all."""
        return text in self._plain or (self._wild is not None and self._wild.match(text) is not None)
