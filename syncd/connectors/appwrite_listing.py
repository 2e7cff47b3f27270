"""Appwrite's listings: everyone behind the last user seen, or who changed since an instant; queries are JSON texts in the address.

::

    full    default order, cursorAfter(last user)          ends with an empty page; a short one may be a provider's cap
    delta   $updatedAt >= last seen, in its order          ends with a page shorter than the limit
            a whole page of one instant: $updatedAt = it, default order, cursorAfter(last user), then $updatedAt > it

A cursor is looked up by the server as that user is NOW. In the default order only its deletion matters, and then the user before it will
do; in the order of ``$updatedAt`` a user that changes meanwhile would carry the listing past others, so there values lead, not users.
"""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Iterator, Mapping, Sequence
from datetime import UTC, datetime, timedelta
from typing import Any, NamedTuple
from urllib.parse import urlencode

import msgspec
import orjson
from msgspec.structs import replace

from syncd.connectors.pages import Slices
from syncd.connectors.retry import http_date
from syncd.errors import Incomplete, Rejected
from syncd.model import Cursor, Page, Watermark

OVERLAP = timedelta(minutes=10)
"""How far before its watermark a delta begins: writes become visible out of the order of their instants, and clocks differ."""
TAIL = 20
"""So many of the last users of a page are remembered, to go on from when the very last ones are deleted meanwhile."""
PAGES = 200_000
"""More pages are no directory but a fault."""
CHANGED = "$updatedAt"


class Got(NamedTuple):
    """One page as answered; ``date``: its Date header."""

    slices: Slices
    date: str | None


Ask = Callable[[Sequence[str]], Awaitable[Got]]
"""Sends queries; raises Rejected with the provider's code."""


class Mark(msgspec.Struct, frozen=True, rename={"id": "$id", "updated": "$updatedAt"}):
    """The two members of a record that paging reads."""

    id: str
    updated: str


class Place(msgspec.Struct, frozen=True, omit_defaults=True):
    """Where a listing stands, as a cursor in JSON. ``tail``: the last users of the page before, oldest first.

    ``watermark``: what the listing will leave. ``least``: of a delta, the instant from which it goes on; ``above`` excludes that instant,
    ``within`` excludes all others.
    """

    pages: int = 0
    records: int = 0
    tail: tuple[str, ...] = ()
    watermark: str = ""
    least: str = ""
    above: bool = False
    within: bool = False

    @classmethod
    def of(cls, cursor: Cursor | None, since: Watermark | None) -> Place:
        """Raises Incomplete for a cursor or watermark of another making."""
        try:
            if cursor is not None:
                return msgspec.json.decode(cursor, type=cls)
            if since is None:
                return cls()
            return cls(watermark=since, least=stamp(datetime.fromisoformat(since) - OVERLAP))
        except ValueError:
            raise Incomplete("the stored place in the listing cannot be read: it starts again") from None

    def cursor(self) -> Cursor:
        return Cursor(msgspec.json.encode(self).decode())


def stamp(when: datetime) -> str:
    """As the API writes an instant: ``2020-10-15T06:38:00.000+00:00``, of fixed width, so that text order is time order."""
    return when.astimezone(UTC).isoformat(timespec="milliseconds")


def query(method: str, *values: Any, attribute: str | None = None) -> str:
    """One query as the vendor's SDKs write it since 1.5."""
    named = {} if attribute is None else {"attribute": attribute}
    return orjson.dumps({"method": method, **named, **({"values": values} if values else {})}).decode()


def addressed(path: str, queries: Sequence[str], parameters: Mapping[str, str]) -> str:
    """The request target."""
    return f"{path}?{urlencode([*((f'queries[{n}]', text) for n, text in enumerate(queries)), *parameters.items()])}"


class Walk:
    """Both listings of one connection, a page at a time. ``size``: the limit."""

    def __init__(self, ask: Ask, size: int) -> None:
        self._ask, self._size = ask, size
        self._ends: dict[int, int] = {}  # of one full listing: hash of a page's last user -> the page's number
        self._edge: frozenset[Mark] = frozenset()  # of a delta: who was read at the instant from which it goes on

    async def page(self, cursor: Cursor | None, since: Watermark | None) -> Page:
        """Raises Incomplete when the provider refuses the page."""
        place = Place.of(cursor, since)
        if cursor is None:
            self._ends.clear()
            self._edge = frozenset()
        return await (self._changed(place) if place.least else self._everyone(place))

    async def _everyone(self, place: Place) -> Page:
        slices, date = await self._behind(place.tail, [])
        watermark = place.watermark or _instant(date)
        if not (slices.records or slices.flaws):
            return Page((), place.records, complete=True, watermark=Watermark(watermark) if watermark else None)
        fresh = [*_unless_in(place.tail, slices.records[:TAIL]), *slices.records[TAIL:]]
        tail = [mark.id for mark in map(_mark, slices.records[-TAIL:]) if mark] or [flaw.id for flaw in slices.flaws[-TAIL:] if flaw.id]
        after = Place(place.pages + 1, place.records + len(fresh) + len(slices.flaws), tuple(tail), watermark)
        defect = self._no_way_on(after)
        return Page(fresh, place.records, None if defect else after.cursor(), defect=defect, flaws=slices.flaws)

    def _no_way_on(self, after: Place) -> str:
        if not after.tail:
            return "no record of the page says its id, so nothing says where the next one begins"
        if self._ends.setdefault(hash(after.tail[-1]), after.pages) < after.pages:
            return "the provider shows a page that was already read"
        return f"the listing does not end after {after.pages:,} pages and {after.records:,} records" if after.pages >= PAGES else ""

    async def _behind(self, tail: Sequence[str], queries: Sequence[str]) -> Got:
        """The page behind the last user of ``tail`` that is still there; the first one where there is no tail."""
        queries = [*queries, query("limit", self._size)]
        places = [[query("cursorAfter", last)] for last in reversed(tail)] or [[]]
        for place in places:
            try:
                return await self._ask([*queries, *place])
            except Rejected as error:
                if error.code != "general_cursor_not_found":
                    raise Incomplete(f"the listing cannot go on: {error}") from error
        raise Incomplete(f"the last {len(tail)} users of a page are gone, behind whom the listing was to go on: it starts again")

    async def _changed(self, place: Place) -> Page:
        method = "equal" if place.within else "greaterThan" if place.above else "greaterThanEqual"
        order = [] if place.within else [query("orderAsc", attribute=CHANGED)]
        slices, _ = await self._behind(place.tail, [query(method, place.least, attribute=CHANGED), *order])
        marks = [_mark(record) for record in slices.records]
        known = [mark for mark in marks if mark is not None]
        fresh = [record for record, mark in zip(slices.records, marks, strict=True) if mark is None or mark not in self._edge]
        full = _count(slices) >= self._size
        defect = _disorder(place, known) if known or not full else "no record of the page says when it changed"
        last = known[-1].updated if known else place.least
        watermark = max(last, place.watermark)
        after = Place(place.pages + 1, place.records + len(fresh) + len(slices.flaws), (), watermark, last)
        if defect or not (full or place.within):
            left = None if defect else Watermark(watermark)
            return Page(fresh, place.records, complete=not defect, defect=defect, watermark=left, flaws=slices.flaws)
        self._edge = frozenset(mark for mark in known if mark.updated == last)
        if not full:
            after = replace(after, least=place.least, above=True)
        elif known[0].updated == last:
            after = replace(after, tail=tuple(mark.id for mark in known[-TAIL:]), within=True)
        return Page(fresh, place.records, after.cursor(), flaws=slices.flaws)


def _disorder(place: Place, marks: Sequence[Mark]) -> str:
    """Why these are not the users that were asked for: without that check, a server that knows no such order would be believed."""
    instants = [mark.updated for mark in marks]
    inside = all(one == place.least if place.within else one > place.least or (one == place.least and not place.above) for one in instants)
    return "" if inside and instants == sorted(instants) else "the provider does not list users in the order of their changes"


def _unless_in(tail: Sequence[str], records: Sequence[bytes]) -> Iterator[bytes]:
    """Users of the page before come again behind one of them, where the server lost sight of a user for a moment only."""
    for record in records:
        mark = _mark(record) if tail else None
        if mark is None or mark.id not in tail:
            yield record


def _count(slices: Slices) -> int:
    return len(slices.records) + len(slices.flaws)


_MARKS = msgspec.json.Decoder(Mark)


def _mark(record: bytes) -> Mark | None:
    try:
        return _MARKS.decode(record)
    except (msgspec.MsgspecError, RecursionError):
        return None


def _instant(date: str | None) -> str:
    """A Date header (RFC 9110 section 6.6.1) as the API writes instants."""
    when = http_date(date) if date else None
    return stamp(when) if when else ""
