"""Why a scope answered so, as data: what `syncd explain` puts into words."""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

from syncd.core.scope import Scope
from syncd.core.variables import canonical_kind
from syncd.errors import Rejected
from syncd.model import Attributes

_LITERAL = re.compile(r"\"([^\"\\]*)\"|'([^'\\]*)'")
TRIED = 200
"""Values that are tried in the place of a person's own before the search for one that would be in scope is given up."""


@dataclass(frozen=True, slots=True)
class Scoped:
    """``values``: of the attributes that the expression reads. ``answer``: None where it has none, ``error`` says why. ``instead``:
    (attribute, value): with this one in the place of theirs they would be in scope."""

    text: str | None
    values: Attributes
    answer: bool | None
    error: str = ""
    instead: tuple[tuple[str, Any], ...] = ()


def scoped(scope: Scope, attributes: Attributes) -> Scoped:
    values = {name: attributes.get(name) for name in sorted(scope.names)}
    try:
        answer = scope.includes(attributes)
    except Rejected as error:
        return Scoped(scope.text, values, None, str(error).removeprefix("scope: "), tuple(_instead(scope, attributes)))
    return Scoped(scope.text, values, answer, instead=() if answer else tuple(_instead(scope, attributes)))


def _instead(scope: Scope, attributes: Attributes) -> Iterator[tuple[str, Any]]:
    """Of each attribute by itself the first value that would do, among those that the expression itself names."""
    tried = 0
    for name in sorted(scope.names):
        for value in _values(name, scope.text or "", attributes.get(name)):
            tried += 1
            if tried > TRIED:
                return
            if _includes(scope, {**attributes, name: value}):
                yield name, value
                break


def _values(name: str, text: str, present: Any) -> Iterator[Any]:
    literals = dict.fromkeys(double or single for double, single in _LITERAL.findall(text))
    match canonical_kind(name):
        case "boolean":
            yield from (True, False)
        case "set":
            yield from ([*(present or ()), literal] for literal in literals)
            yield from ([member for member in present if member != literal] for literal in literals if present)
        case _:
            yield from literals
            yield None


def _includes(scope: Scope, attributes: Attributes) -> bool:
    try:
        return scope.includes(attributes)
    except Rejected:
        return False
