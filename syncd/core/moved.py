"""What moved between two views of one account: paths with what they held before and hold now."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from typing import Any

from syncd.core.fingerprint import canonical
from syncd.core.values import legible

Form = Callable[[str, Any], Any]
"""(name, value) -> the one form in which two values of an attribute are compared."""
Moves = dict[str, list[Any]]


def moved(before: Mapping[str, Any], after: Mapping[str, Any], form: Form = lambda _, value: value) -> Moves:
    """Path -> [before, after], None = no value; of objects only the members that moved."""
    names = sorted(name for name in {*before, *after} if not _same(before.get(name), after.get(name)))
    return dict(pair for name in names for pair in _moves(name, form(name, before.get(name)), form(name, after.get(name))))


def _same(before: Any, after: Any) -> bool:
    """Surely the same, down to the types: nearly every attribute of an account that moved, found out without bringing it into its form."""
    if type(before) is not type(after):
        return False
    if isinstance(before, dict):
        return before.keys() == after.keys() and all(_same(value, after[name]) for name, value in before.items())
    if isinstance(before, list):
        return len(before) == len(after) and all(map(_same, before, after))
    return bool(before == after)


def _moves(path: str, before: Any, after: Any) -> Iterator[tuple[str, list[Any]]]:
    if canonical(before) == canonical(after):
        return
    if not (isinstance(before, Mapping) or isinstance(after, Mapping)) or _scalar(before) or _scalar(after):
        yield path, [legible(before), legible(after)]
        return
    held, holds = before or {}, after or {}
    for name in sorted({*held, *holds}):
        yield from _moves(f"{path}.{name}", held.get(name), holds.get(name))


def _scalar(value: Any) -> bool:
    """Something that is no object, and is there."""
    return bool(not isinstance(value, Mapping) and legible(value) is not None)
