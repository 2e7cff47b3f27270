"""Waii's listing: the organizations first, then the tenants and the users of each; it is complete only if they are the same at its end."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from hashlib import blake2b

import msgspec

from syncd.connectors.pages import Slices
from syncd.connectors.waii_door import Door
from syncd.connectors.waii_table import ORGANIZATION, TENANT
from syncd.errors import Incomplete, Rejected
from syncd.model import USER, Cursor, Page

_ORDER = (TENANT, USER)
"""What is listed of one organization."""
CHANGED = "the organizations changed while they were listed: the listing starts again"


class Place(msgspec.Struct, frozen=True):
    """Where a listing stands, as a cursor in JSON. ``digest``: of the set of organizations; next come the ``object``s of ``organization``.

    ``records``: how many are behind it.
    """

    digest: str
    organization: str
    object: str
    records: int

    @classmethod
    def of(cls, cursor: Cursor) -> Place:
        """Raises Incomplete for a cursor of another making."""
        try:
            return msgspec.json.decode(cursor, type=cls)
        except msgspec.MsgspecError:
            raise Incomplete("the stored place in the listing cannot be read: it starts again") from None

    def cursor(self) -> Cursor:
        return Cursor(msgspec.json.encode(self).decode())


class _Whose(msgspec.Struct):
    org_id: str | None = None


def digest(organizations: Iterable[str]) -> str:
    return blake2b(msgspec.json.encode(sorted(organizations)), digest_size=16).hexdigest()


class Walk:
    """The listing of one connection, a page at a time."""

    def __init__(self, door: Door) -> None:
        self._door = door
        self._existing: frozenset[str] | None = None  # as the listing in progress found them

    async def page(self, cursor: Cursor | None) -> Page:
        """Raises Incomplete when an organization does not answer, Retryable, Quarantined."""
        try:
            return await (self._first() if cursor is None else self._further(Place.of(cursor)))
        except Rejected as error:
            raise Incomplete(f"the listing cannot go on: {error}") from error

    async def _first(self) -> Page:
        await self._door.caller(again=True)
        found = await self._door.organizations()
        self._existing = frozenset(found)
        asked = self._asked(found)
        if not asked:
            return Page((), object=ORGANIZATION, defect="the key may list no organization")
        following = Place(digest(found), asked[0], _ORDER[0], len(found)).cursor()
        return Page(tuple(found.values()), next=following, object=ORGANIZATION)

    def _asked(self, existing: Iterable[str]) -> list[str]:
        """Every organization that is listed or configured: one that is not listed must have nobody in it."""
        return sorted(self._door.configured | {*existing})

    async def _further(self, place: Place) -> Page:
        existing = await self._same(place) if self._existing is None else self._existing
        asked, exists = self._asked(existing), place.organization in existing
        slices = await self._members(place, exists)
        defect = _defect(place, slices, exists)
        after = place.records + len(slices.records) + len(slices.flaws)
        steps = [(one, object) for one in asked for object in _ORDER if (one, _ORDER.index(object)) > (place.organization, _at(place))]
        if not defect and not steps:
            await self._same(place)
        following = Place(place.digest, *steps[0], after).cursor() if steps and not defect else None
        return Page(
            slices.records, place.records, following, complete=not (defect or steps), defect=defect, flaws=slices.flaws,
            object=place.object, container=place.organization,
        )  # fmt: skip

    async def _members(self, place: Place, exists: bool) -> Slices:
        try:
            return await self._door.listed(place.object, lookup_org_id=place.organization)
        except Rejected:
            if exists:
                raise
            return Slices((), {})  # a configured organization that is still to be created

    async def _same(self, place: Place) -> frozenset[str]:
        existing = await self._door.organizations()
        if digest(existing) != place.digest:
            raise Incomplete(CHANGED)
        return frozenset(existing)


def _at(place: Place) -> int:
    return _ORDER.index(place.object) if place.object in _ORDER else -1


def _defect(place: Place, slices: Slices, exists: bool) -> str:
    if not exists and (slices.records or slices.flaws):
        return f"organization {place.organization} is not listed, and yet has {place.object}s"
    theirs = next((other for other in _others(place.organization, slices.records)), None)
    return f"asked for the {place.object}s of {place.organization}, the provider shows one of {theirs}" if theirs is not None else ""


def _others(organization: str, records: Sequence[bytes]) -> Iterable[str]:
    """The organizations of records that are another's; a record that does not say, or is unreadable, is taken for this one's."""
    for record in records:
        try:
            whose = msgspec.json.decode(record, type=_Whose).org_id
        except (msgspec.MsgspecError, RecursionError):
            continue
        if whose is not None and whose != organization:
            yield whose
