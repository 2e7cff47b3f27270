"""What is wrong with a configuration: gathered with its place and its cure, raised together."""

from __future__ import annotations

import difflib
from collections.abc import Iterable
from dataclasses import dataclass

from syncd.errors import Refused

Keys = tuple[str | int, ...]
"""The way to one value: mapping keys and list positions from the top of the configuration."""


@dataclass(frozen=True, order=True)
class Place:
    """Where a value was written: a file with line and column (1-based), or, with line 0, an environment variable, flag or secret file."""

    source: str
    line: int = 0
    column: int = 0

    def __str__(self) -> str:
        return f"{self.source}:{self.line}:{self.column}" if self.line else self.source


@dataclass(frozen=True, order=True)
class Problem:
    place: Place
    message: str
    cure: str = ""

    def refused(self) -> Refused:
        return Refused(str(self.place), self.message, self.cure)


class Problems:
    """Collects every problem of one configuration; values put into ``secrets`` are hidden from the messages."""

    def __init__(self) -> None:
        self.found: list[Problem] = []
        self.secrets: set[str] = set()

    def add(self, place: Place, message: str, cure: str = "") -> None:
        self.found.append(Problem(place, self._hide(message), self._hide(cure)))

    def raise_any(self) -> None:
        """Raises one Refused that names every problem, in the order of the file, when there is any."""
        if self.found:
            raise joined(sorted(set(self.found)))

    def _hide(self, text: str) -> str:
        for secret in sorted(self.secrets, key=len, reverse=True):
            text = text.replace(secret, "***")
        return text


def joined(problems: list[Problem]) -> Refused:
    """One Refused whose text is that of all of them, one after the other; a single problem keeps its own cure."""
    first, *rest = problems
    if not rest:
        return first.refused()
    where = str(first.place)
    text = "\n".join(str(problem.refused()) for problem in problems)
    return Refused(where, text.removeprefix(f"{where}: "))


def nearest(word: str, known: Iterable[str], cutoff: float = 0.6) -> str | None:
    """The known word that looks most like this one, letter case apart."""
    by_fold = {name.casefold(): name for name in known}
    close = difflib.get_close_matches(word.casefold(), by_fold, n=1, cutoff=cutoff)
    return by_fold[close[0]] if close else None


def did_you_mean(word: str, known: Iterable[str]) -> str:
    """The nearest known word as a question, or the list of what is known; ``""`` when nothing is."""
    names = sorted(set(known))
    close = nearest(word, names)
    if close is not None:
        return f'did you mean "{close}"?'
    return f"known here: {', '.join(names)}" if names else ""


def dotted(keys: Keys) -> str:
    """``connections.chat.ignore[0]``: keys as a person reads them."""
    text = ""
    for key in keys:
        text += f"[{key}]" if isinstance(key, int) else f".{key}"
    return text.removeprefix(".")
