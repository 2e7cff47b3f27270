"""A whole listing that was cut off goes on where it stood: its place is stored with the accounts up to it, whom it showed included.

::

    page 1 .. 12  stored   |  13 on its way: kill -9, SIGTERM, network
    next run      12 again |  13 ..                    12 must show somebody whom it showed before, else all begins anew at page 1

The joined listing proves as much as one in one go. Whom either half showed is seen; who is missing is asked for by itself at the end. It is
as old as its first half: `Reading.started` says so, and with it the evidence taken from it, what it can say of a create in doubt, and the
time from which a delta or the next whole listing is due. What connectors themselves remember of the pages of a listing (that no page comes
twice) starts anew with the second half, and suffices: a listing that turned back would come through the second half's first page again.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import asdict, dataclass
from datetime import timedelta

import orjson

from syncd.engine import passport
from syncd.engine.context import Connected, Context
from syncd.engine.ledger import Place as Entry
from syncd.environment import instant
from syncd.errors import Rejected
from syncd.model import Cursor, Flaw
from syncd.store import staging, stretches

EVERY = 0.1
"""Seconds between two places that are stored: what a process that dies has to read again, beside what was on its way."""
OLDEST = timedelta(hours=24)
"""No listing is older than the time after which everything is read again (`delta.FULL`)."""


@dataclass(frozen=True, slots=True)
class Place:
    """The last page of a listing that is stored: where to ask for it again, and what was behind it. ``began``: the listing; ``asked``: it
    was asked for (`--full`). ``part``: how many places were stored before. ``entry``: where the ledger stood. ``flaws``: since the place
    before."""

    cursor: Cursor
    began: str
    asked: bool
    part: int
    records: int
    pages: int
    accounts: int
    changed: int
    entry: Entry
    flaws: Sequence[tuple[str, str, str | None]] = ()


def keep(context: Context, one: Connected, place: Place, stamped: str, seen: Sequence[int]) -> None:
    """In the transaction that stores the accounts up to it. ``stamped``: the passport; ``seen``: row ids since the place before."""
    state, now = orjson.dumps(asdict(place)).decode(), context.environment.now()
    stretches.add(context.store, one.name, place.part, now, passport=stamped, state=state, seen=seen)


def find(context: Context, one: Connected, stamped: str) -> tuple[Place | None, str]:
    """Where the last whole listing was cut off, if that is good still; else, where there is such a place, why it is not.

    Who asks for everything (`--full`) is not answered with what somebody read before who did not.
    """
    row, longest = stretches.last(context.store, one.name), one.connector.capability.resumes
    if row is None or longest is None:
        return None, ""
    place = Place(**orjson.loads(row.state))
    now, left, began = context.environment.now(), instant(row.left_at), instant(place.began)
    if changed := passport.otherwise(row.passport, stamped):
        return None, f"{changed} changed since"
    if not (timedelta(0) <= now - left <= longest and now - began < OLDEST):
        return None, "that is too long ago"
    if context.full and not place.asked:
        return None, "a whole listing was asked for since"
    return place, ""


def flaws(context: Context, one: Connected) -> list[Flaw]:
    """Those of all that was read up to the last place."""
    told = [tuple(flaw) for state in stretches.states(context.store, one.name) for flaw in orjson.loads(state)["flaws"]]
    return [Flaw(*flaw) for flaw in dict.fromkeys(told)]


def shown(one: Connected, context: Context, records: Sequence[bytes]) -> list[int]:
    """Row ids of the accounts of a page that are known."""
    ids = []
    for record in records:
        try:
            ids.append(one.connector.parse(record).id)
        except Rejected:
            continue
    return list(staging.row_ids(context.store, one.name, ids).values())
