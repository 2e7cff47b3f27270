"""Two identities that are one person, as a person says: their accounts, links and names become one's."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from syncd.engine import identify
from syncd.engine.context import Context
from syncd.errors import Rejected
from syncd.store import union, words


@dataclass(frozen=True, slots=True)
class United:
    """What became of B's links: (connection, account) that A has now, and those that are nobody's."""

    moved: Sequence[tuple[str, str]]
    released: Sequence[tuple[str, str]]


def unite(context: Context, one: str, other: str) -> United:
    """What is ``other``'s is ``one``'s from now on, in the caller's transaction; ``one`` answers to the ids of both.

    Raises Rejected where they cannot be one: two living accounts at one source, or a create of either whose outcome is unknown.
    """
    _refuse(context, one, other)
    held = union.held(context.store, one)
    moved: list[tuple[str, str]] = []
    released: list[tuple[str, str]] = []
    for row in union.links(context.store, other):
        if row.connection in held:
            words.take(context.store, row.connection, row.account_id, other, context.environment.now())
            released.append((row.connection, row.account))
        else:
            union.hand_over(context.store, row.connection, one, other)
            moved.append((row.connection, row.account))
    union.absorb(context.store, one, other)
    identify.refresh(context, [one])
    return United(moved, released)


def _refuse(context: Context, one: str, other: str) -> None:
    for name in union.shared_sources(context.store, one, other):
        raise Rejected(f"both have an account at {name}, which tells one person from another: remove one of the two there first")
    for name in union.doubts(context.store, [one, other]):
        raise Rejected(f"at {name} the outcome of a create for one of them is unknown: syncd pending shows how to settle it")
