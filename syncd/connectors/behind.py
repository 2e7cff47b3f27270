"""A listing without addresses: each page is asked for behind the last account seen, and goes on though that one is deleted meanwhile.

::

    full    behind nobody, then behind the last account of each page        ends with a page that shows nobody new
    delta   behind the oldest of the last accounts of the listing before    ends with a page shorter than asked for

Behind an account that is gone a provider may show nobody, or fail. So an end, like a failure, is believed only while the account that led
there answers by itself; else the account before it leads. A delta shows newcomers only, and its watermark is the last accounts it saw: what
it might miss it shows next time.
"""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Sequence
from typing import Any

import msgspec

from syncd.connectors.pages import Slices
from syncd.errors import Incomplete, Rejected, Retryable
from syncd.model import Cursor, Page, Watermark

TAIL = 20
"""So many of the last accounts are remembered, to go on from when the very last ones are deleted."""
PAGES = 200_000
"""More pages are no directory but a fault."""

Ask = Callable[[str | None], Awaitable[Slices]]
"""The page behind this account; the first one for None. Raises Rejected or Retryable."""
There = Callable[[str], Awaitable[bool]]
"""Whether this account exists, asked for by itself."""


class Place(msgspec.Struct, frozen=True, omit_defaults=True):
    """Where a listing stands, as a cursor in JSON. ``tail``: the last accounts seen, oldest first. ``begins``: a delta's first page."""

    pages: int = 0
    records: int = 0
    tail: tuple[str, ...] = ()
    delta: bool = False
    begins: bool = False

    @classmethod
    def of(cls, cursor: Cursor | None, since: Watermark | None) -> Place:
        """Raises Incomplete for a cursor or watermark of another making."""
        try:
            if cursor is not None:
                return msgspec.json.decode(cursor, type=cls)
            if since is None:
                return cls()
            return cls(tail=msgspec.json.decode(since, type=tuple[str, ...]), delta=True, begins=True)
        except ValueError:
            raise Incomplete("the stored place in the listing cannot be read: it starts again") from None

    @property
    def leads(self) -> Sequence[str | None]:
        """Behind whom to ask, best first: the last, or where a delta begins the first, so that the last ones are looked at once more."""
        return (self.tail if self.begins else self.tail[::-1]) or (None,)

    def cursor(self) -> Cursor:
        return Cursor(msgspec.json.encode(self).decode())

    def watermark(self) -> Watermark:
        return Watermark(msgspec.json.encode(self.tail).decode())


class Behind:
    """Both listings of one connection, a page at a time. ``id``: the record member that names an account; ``size``: of a whole page."""

    def __init__(self, ask: Ask, there: There, id: str, size: int) -> None:
        self._ask, self._there, self._size = ask, there, size
        self._marks = msgspec.json.Decoder(msgspec.defstruct("Mark", [("id", str)], rename={"id": id}))
        self._ends: dict[int, int] = {}  # of one listing: hash of a page's last account -> the page's number

    async def page(self, cursor: Cursor | None, since: Watermark | None) -> Page:
        """Raises Incomplete when the provider refuses the page, or all who could lead to it are gone."""
        place = Place.of(cursor, since)
        if cursor is None:
            self._ends.clear()
        shown, full = await self._behind(place)
        ids = [id for id in map(self._id, shown.records[-TAIL:]) if id] or [flaw.id for flaw in shown.flaws[-TAIL:] if flaw.id]
        seen = [] if place.begins and full else [one for one in place.tail if one not in ids]  # the others may come again, behind these
        after = Place(place.pages + 1, place.records + _count(shown), (*seen, *ids)[-TAIL:], place.delta)
        if not _count(shown) or (place.delta and not full):
            return Page(shown.records, place.records, complete=True, watermark=after.watermark(), flaws=shown.flaws)
        defect = self._no_way_on(after)
        return Page(shown.records, place.records, None if defect else after.cursor(), defect=defect, flaws=shown.flaws)

    async def _behind(self, place: Place) -> tuple[Slices, bool]:
        """Who stands behind the best lead that is still there, and whether the page was a whole one."""
        for lead in place.leads:
            try:
                page = await self._ask(lead)
            except (Rejected, Retryable) as error:
                if lead is not None and not await self._there(lead):
                    continue
                if isinstance(error, Retryable):
                    raise
                raise Incomplete(f"the listing cannot go on: {error}") from error
            shown = page if place.begins else self._unseen(page, place.tail)
            if _count(shown) or lead is None or await self._there(lead):
                return shown, _count(page) >= self._size
        raise Incomplete(f"the last {len(place.tail)} accounts seen are gone, behind whom the listing was to go on: it starts again")

    def _unseen(self, page: Slices, tail: Sequence[str]) -> Slices:
        """Accounts of the page before come again behind one that stood before them."""
        near = page.records[:TAIL]
        kept = [record for record in near if self._id(record) not in tail] if tail else near
        return Slices((*kept, *page.records[TAIL:]), page.rest, tuple(flaw for flaw in page.flaws if flaw.id not in tail))

    def _no_way_on(self, after: Place) -> str:
        if not after.tail:
            return "no record of the page says its id, so nothing says where the next one begins"
        if self._ends.setdefault(hash(after.tail[-1]), after.pages) < after.pages:
            return "the provider shows a page that was already read"
        return f"the listing does not end after {after.pages:,} pages and {after.records:,} records" if after.pages >= PAGES else ""

    def _id(self, record: bytes) -> str | None:
        try:
            mark: Any = self._marks.decode(record)
        except (msgspec.MsgspecError, RecursionError):
            return None
        return str(mark.id)


def _count(page: Slices) -> int:
    return len(page.records) + len(page.flaws)
