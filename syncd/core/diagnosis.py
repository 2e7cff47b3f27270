"""What CEL says of a bad expression, in words for the person who wrote it."""

from __future__ import annotations

import re
from collections.abc import Sequence
from difflib import get_close_matches
from typing import NamedTuple

_ERROR = re.compile(r"ERROR: <input>:(-?\d+):(-?\d+): ([^\n]*)")
_STATUS = re.compile(r"^[A-Z_]+: | \[[A-Z_]+\]$")
_UNDECLARED = re.compile(r"undeclared reference to '([^']*)'.*")
_REWORDED = (
    (re.compile(r"Syntax error: (?:mismatched|extraneous) input '<EOF>'.*"), "the expression ends too early"),
    (re.compile(r"Syntax error: (?:mismatched|extraneous) input ('.*?') expecting.*"), r"unexpected \1"),
    (re.compile(r"Syntax error: token recognition error at: (.*)"), r"cannot read \1"),
    (re.compile(r"found no matching overload for '([^']*)' applied to '(.*)'"), r"\1 cannot be applied to \2"),
    (re.compile(r"(?:Expression|Exceeded max) recursion.*"), "more than 30 operators in a chain or levels of nesting"),
)
_OPERATOR = re.compile(r"^(\S*[^\w\s]\S*|@in)(?= cannot be applied)")


class Diagnosis(NamedTuple):
    """``line`` and ``column`` count from 1 inside the expression."""

    message: str
    line: int
    column: int


def diagnose(report: str, known: Sequence[str] = ()) -> Diagnosis:
    """The first error of a report by CEL; an unknown name is compared with the ``known`` ones."""
    place = _ERROR.search(report)
    if place is None:
        return Diagnosis(_reworded(_STATUS.sub("", report)), 1, 1)
    line, column = max(1, int(place[1])), max(1, int(place[2]))
    unknown = _UNDECLARED.match(place[3])
    return Diagnosis(_unknown(unknown[1], known) if unknown else _reworded(_STATUS.sub("", place[3])), line, column)


def _unknown(name: str, known: Sequence[str]) -> str:
    folded = {candidate.lower(): candidate for candidate in known}
    near = get_close_matches(name.lower(), folded, n=1)
    return f"unknown name '{name}'" + (f"; did you mean '{folded[near[0]]}'?" if near else "")


def _reworded(message: str) -> str:
    for pattern, words in _REWORDED:
        message = pattern.sub(words, message)
    return _OPERATOR.sub(lambda operator: operator[0].replace("_", "").lstrip("@"), message)
