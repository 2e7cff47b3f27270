"""Sharing a list or an object with others: which of its members are ours."""

from __future__ import annotations

from collections.abc import Container
from typing import Any

from syncd.core.globs import Globs


def shared(current: Any, ours: Any, written: Any, own: Globs | None) -> Any:
    """What a list of text or an object is to become: ``ours``, and the members of ``current`` that belong to somebody else.

    Ours to remove is what syncd wrote last (``written``) and whatever matches ``own``; a value of another type counts as empty.
    """
    before: Container[Any] = written if isinstance(written, list | dict) else ()

    def foreign(name: str) -> bool:
        return name not in before and not (own is not None and own.matches(name))

    if isinstance(ours, dict) or (ours is None and isinstance(current, dict)):
        held = current.items() if isinstance(current, dict) else ()
        return {name: value for name, value in held if foreign(name)} | (ours or {})
    kept = {name for name in current if isinstance(name, str) and name and foreign(name)} if isinstance(current, list) else set()
    return sorted(kept.union(ours or ()))
