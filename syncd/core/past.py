"""What an account was before something happened to it: the journal's entries, undone one by one from now backwards."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Any

from syncd.core.paths import with_value
from syncd.model import Attributes, Kind

OBSERVED, DECIDED = "observed", "decided"
"""What a reading showed, and what a person said; anything else is about a request (`syncd.store.chain`)."""
Body = Mapping[str, Any]


@dataclass(frozen=True, slots=True)
class Held:
    """The account somebody has somewhere; ``account`` None: they have none. ``document``: None where what it was like is not known."""

    account: str | None
    document: Attributes | None = None


def undone(now: Held, what: str, body: Body) -> Held:
    """What it was before this entry."""
    if what == OBSERVED:
        return _unseen(now, body)
    if what == DECIDED:
        return _unsaid(now, body)
    return _unsent(now, body) if body.get("outcome") == "applied" else now


def moved_back(document: Attributes, moves: Mapping[str, Sequence[Any]]) -> dict[str, Any]:
    """``moves``: path -> [before, after]."""
    before = dict(document)
    for path, (was, _) in moves.items():
        before = with_value(before, path, was)
    return before


def _unseen(now: Held, body: Body) -> Held:
    if body.get("gone"):
        return Held(body.get("account"))
    if body.get("back"):
        return Held(None)
    return now if now.document is None else replace(now, document=moved_back(now.document, body.get("moved") or {}))


def _unsent(now: Held, body: Body) -> Held:
    match body.get("kind"):
        case Kind.CREATE | Kind.ADOPT:
            return Held(None)
        case Kind.DELETE:
            return Held(body.get("account"))
    return now if now.document is None else replace(now, document=moved_back(now.document, body.get("delta") or {}))


def _unsaid(now: Held, body: Body) -> Held:
    """A person's `link` gave them the account, `unlink` took it."""
    word = str(body.get("command", "")).removeprefix("syncd ").partition(" ")[0]
    return Held(None) if word == "link" else Held(body.get("account")) if word == "unlink" else now
