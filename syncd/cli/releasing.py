"""`syncd held release` and `held reject`: which changes a person's word moves, and what is said about it."""

from __future__ import annotations

import shlex
from collections import Counter
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import Any

from syncd.cli import cures, people
from syncd.cli.documents import document
from syncd.cli.exits import Failed
from syncd.cli.printer import CYAN, GREEN, Styled
from syncd.cli.text import count, listed
from syncd.model import Hold, Kind
from syncd.store import Store

SHOWN = 5
_CONTACT = (Hold.FIRST_CONTACT, Hold.REVIEW)


@dataclass(frozen=True, slots=True)
class Meant:
    """The options that narrow a release or a no; an empty one narrows nothing."""

    connections: Sequence[str] = ()
    only: Sequence[str] = ()
    kinds: Sequence[Kind] = ()
    excepted: Sequence[str] = ()

    @property
    def typed(self) -> str:
        """As it was typed, behind the run."""
        given = {"-c": self.connections, "--only": self.only, "--kind": self.kinds, "--except": self.excepted}
        return "".join(f" {option} {shlex.quote(value)}" for option, values in given.items() for value in values)


def chosen(store: Store, rows: Sequence[Any], meant: Meant) -> list[Any]:
    """Those of the held changes that are meant. Raises Failed for somebody unknown, and when none is left."""
    wanted, spared = people.resolved(store, meant.only), people.resolved(store, meant.excepted)
    left = [row for row in rows if (not meant.only or row.identity in wanted) and row.identity not in spared]
    left = [row for row in left if not meant.kinds or row.kind in meant.kinds]
    left = [row for row in left if not meant.connections or row.connection in meant.connections]
    if not left:
        raise Failed(f"none of the {count(len(rows), 'change')} that run {rows[0].run} holds is meant")
    return left


def divided(rows: Sequence[Any]) -> tuple[list[Any], list[Any]]:
    """(what the release lets go, what stays held). At a first contact only what the contact itself, or a review, holds can go."""
    first = {row.connection for row in rows if row.hold == Hold.FIRST_CONTACT}
    going = [row for row in rows if cures.releasable(row) and (row.hold in _CONTACT or row.connection not in first)]
    gone = {row.id for row in going}
    return going, [row for row in rows if row.id not in gone]


def released(run: int, going: Sequence[Any], staying: Sequence[Any]) -> dict[str, Any]:
    return document(
        "release", run=run, released=len(going),
        held=[{"id": row.id, "connection": row.connection, "change": row.change, "who": row.who, "reason": _why(row)} for row in staying],
    )  # fmt: skip


def released_lines(going: Sequence[Any], staying: Sequence[Any]) -> Iterator[str | Styled]:
    if going:
        yield from _counted(going)
        yield f"{len(going):,} released; the next `syncd sync` sends {'it' if len(going) == 1 else 'them'} (valid 24 h).", GREEN
    reasons: dict[str, list[str]] = {}
    for row in staying:
        reasons.setdefault(_why(row), []).append(f"{row.kind} {row.who}")
    for why, names in reasons.items():
        yield f"{count(len(names), 'change stays', 'changes stay')} held: {why}", CYAN
        yield f"  {listed(names[:SHOWN], len(names) - SHOWN)}"


def _counted(rows: Sequence[Any]) -> Iterator[str]:
    """What goes where, and why it was held, where that is not one thing."""
    counts = Counter((row.connection, row.kind, row.reason) for row in rows)
    if len(counts) > 1:
        yield from (f"{connection}: {number:,} to {kind}: {reason}" for (connection, kind, reason), number in counts.items())


def rejected(run: int, rows: Sequence[Any]) -> dict[str, Any]:
    return document("reject", run=run, rejected=len(rows))


def rejected_lines(run: int, rows: Sequence[Any]) -> Iterator[str | Styled]:
    yield f"{len(rows):,} rejected: kept by you, until either side moves.", GREEN
    yield f"  to take it back: syncd held release {run}"


def _why(row: Any) -> str:
    if row.hold in cures.WORDS:
        return f"{row.reason}. A release cannot help: {cures.WORDS[row.hold]}"
    if row.hold == Hold.FIRST_CONTACT:
        return cures.WAIT
    return f"{row.reason}. Not with the first contact: release it when that is over"
