"""Mutants of the reading half: listings, records, fetch, find, check."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import replace
from datetime import datetime
from typing import Any

import orjson

from syncd.connectors.memory import MemoryConnector
from syncd.connectors.twilio import TwilioConnector
from syncd.errors import Incomplete, Quarantined, SyncdError
from syncd.model import Account, Cursor, Gone, Health, Kind, Page, Ref, Unknown, Watermark
from tests.conformance.mutants import caught_by


class Listing(MemoryConnector):
    """Its pages are not as they should be."""

    async def list(self, cursor: Cursor | None, since: Watermark | None = None) -> Page:
        return self.bent(await super().list(cursor, since))

    def bent(self, page: Page) -> Page:
        return page


class Parsing(MemoryConnector):
    """Its accounts are not as they should be."""

    def parse(self, record: bytes) -> Account:
        return self.bent(super().parse(record), orjson.loads(record))

    def bent(self, account: Account, document: Mapping[str, Any]) -> Account:
        return account


@caught_by("capability_holds_together")
class UndeclaredKey(MemoryConnector):
    def __init__(self, *arguments: Any, **options: Any) -> None:
        super().__init__(*arguments, **options)
        self.capability = replace(self.capability, key="login")


@caught_by("everyone_is_handed_out_once")
class Dropping(Listing):
    def bent(self, page: Page) -> Page:
        return replace(page, records=page.records[:-1])


@caught_by("everyone_is_handed_out_once")
class Repeating(Listing):
    def bent(self, page: Page) -> Page:
        return replace(page, records=[*page.records, *page.records[-1:]])


@caught_by("everyone_is_handed_out_once")
class CompleteTooEarly(Listing):
    def bent(self, page: Page) -> Page:
        return replace(page, complete=True)


@caught_by("everyone_is_handed_out_once")
class Uncounted(Listing):
    def bent(self, page: Page) -> Page:
        return replace(page, first=0)


@caught_by("everyone_is_handed_out_once")
class Endless(Listing):
    def bent(self, page: Page) -> Page:
        return replace(page, next=page.next or Cursor("0:"), complete=False)


@caught_by("an_empty_directory_is_complete")
class AfraidOfNobody(Listing):
    def bent(self, page: Page) -> Page:
        return page if page.records else replace(page, complete=False, defect="nobody is there")


@caught_by("a_broken_page_is_no_end")
class ShortIsComplete(Listing):
    def bent(self, page: Page) -> Page:
        return replace(page, complete=page.next is None, defect="")


@caught_by("a_cursor_holds_in_another_process")
class Forgetful(MemoryConnector):
    """Knows only the cursors that it gave itself."""

    async def list(self, cursor: Cursor | None, since: Watermark | None = None) -> Page:
        if cursor is not None and cursor != self.__dict__.get("given"):
            return Page((), complete=True)
        page = await super().list(cursor, since)
        self.__dict__["given"] = page.next
        return page


@caught_by("a_cursor_holds_when_those_before_it_are_gone")
class Offset(MemoryConnector):
    """Counts from the start, so that who leaves moves everybody behind."""

    async def list(self, cursor: Cursor | None, since: Watermark | None = None) -> Page:
        first = int(cursor or "0")
        everyone = self.directory.listed(0.0)
        page = [orjson.dumps({**one, "id": id}) for id, one in everyone[first : first + 3]]
        last = first + 3 >= len(everyone)
        return Page(page, first, None if last else Cursor(str(first + 3)), complete=last)


@caught_by("a_cursor_of_another_making_is_refused")
class Credulous(MemoryConnector):
    async def list(self, cursor: Cursor | None, since: Watermark | None = None) -> Page:
        try:
            return await super().list(cursor, since)
        except Incomplete:
            return await super().list(None, since)


@caught_by("a_delta_hands_out_who_changed")
class Watermarked(MemoryConnector):
    """Says it cannot read changes by themselves, and leaves a watermark."""

    def __init__(self, *arguments: Any, **options: Any) -> None:
        super().__init__(*arguments, **options)
        self.capability = replace(self.capability, delta=False)


@caught_by("a_delta_hands_out_who_changed")
class NothingChanged(MemoryConnector):
    async def list(self, cursor: Cursor | None, since: Watermark | None = None) -> Page:
        return Page((), complete=True, watermark=since) if since else await super().list(cursor)


@caught_by("a_delta_hands_out_who_changed")
class LeavesNoWatermark(Listing):
    def bent(self, page: Page) -> Page:
        return replace(page, watermark=None)


@caught_by("a_bad_record_costs_no_other")
class PageForARecord(TwilioConnector):
    async def list(self, cursor: Cursor | None, since: Watermark | None = None) -> Page:
        page = await super().list(cursor, since)
        return replace(page, records=()) if page.flaws else page


@caught_by("listings_say_what_fetch_says")
class Stripped(Listing):
    def bent(self, page: Page) -> Page:
        return replace(page, records=[_without(record, "title") for record in page.records])


@caught_by("listings_say_what_fetch_says")
class Outdated(Listing):
    def bent(self, page: Page) -> Page:
        return replace(page, records=[record.replace(b"two", b"one") for record in page.records])


def _without(record: bytes, name: str) -> bytes:
    return orjson.dumps({member: value for member, value in orjson.loads(record).items() if member != name})


@caught_by("what_is_not_declared_is_dropped")
class Hoarding(Parsing):
    def bent(self, account: Account, document: Mapping[str, Any]) -> Account:
        return replace(account, attributes=document)


@caught_by("what_is_no_record_is_refused")
class Brittle(MemoryConnector):
    def parse(self, record: bytes) -> Account:
        orjson.loads(record)
        return super().parse(record)


@caught_by("a_record_without_an_id_is_refused")
class AnyId(MemoryConnector):
    def parse(self, record: bytes) -> Account:
        return super().parse(orjson.dumps({**(document := orjson.loads(record)), "id": str(document.get("id"))}))


@caught_by("null_is_told_from_absent")
class AbsentIsNull(Parsing):
    def bent(self, account: Account, document: Mapping[str, Any]) -> Account:
        return replace(account, attributes={**dict.fromkeys(self.capability.attributes), **account.attributes})


@caught_by("null_is_told_from_absent")
class NullIsAbsent(Parsing):
    def bent(self, account: Account, document: Mapping[str, Any]) -> Account:
        return replace(account, attributes={name: value for name, value in account.attributes.items() if value is not None})


@caught_by("who_is_there_is_answered")
class Anybody(MemoryConnector):
    async def fetch(self, ref: Ref) -> Account | Gone | Unknown:
        return Account("somebody", {"displayName": "Somebody"})


@caught_by("who_is_there_is_answered")
class AnotherForm(MemoryConnector):
    async def fetch(self, ref: Ref) -> Account | Gone | Unknown:
        found = await super().fetch(ref)
        return replace(found, attributes={**found.attributes, "displayName": "Seeded"}) if isinstance(found, Account) else found


@caught_by("who_is_gone_is_gone")
class Undecided(MemoryConnector):
    async def fetch(self, ref: Ref) -> Account | Gone | Unknown:
        found = await super().fetch(ref)
        return Unknown("who knows") if isinstance(found, Gone) else found


@caught_by("who_is_gone_is_gone")
class LocalTime(MemoryConnector):
    async def fetch(self, ref: Ref) -> Account | Gone | Unknown:
        found = await super().fetch(ref)
        return Gone(datetime(2026, 1, 1)) if isinstance(found, Gone) else found


@caught_by("who_is_gone_is_gone")
class Overconfident(MemoryConnector):
    """Says that it cannot prove absence, and does."""

    def __init__(self, *arguments: Any, **options: Any) -> None:
        super().__init__(*arguments, **options)
        self.capability = replace(self.capability, gone=False)


@caught_by("who_a_listing_leaves_out_is_not_gone")
class TrustsListings(MemoryConnector):
    """Asks its last listing who is there."""

    async def list(self, cursor: Cursor | None, since: Watermark | None = None) -> Page:
        page = await super().list(cursor, since)
        self.__dict__.setdefault("shown", set()).update(self.parse(record).id for record in page.records)
        return page

    async def fetch(self, ref: Ref) -> Account | Gone | Unknown:
        return await super().fetch(ref) if ref.id in self.__dict__["shown"] else Gone(self._environment.now())


@caught_by("no_failure_is_absence")
class ForbiddenIsGone(MemoryConnector):
    async def fetch(self, ref: Ref) -> Account | Gone | Unknown:
        try:
            return await super().fetch(ref)
        except Quarantined:
            return Gone(self._environment.now())


@caught_by("no_failure_is_absence")
class ForbiddenIsUnknown(MemoryConnector):
    async def fetch(self, ref: Ref) -> Account | Gone | Unknown:
        try:
            return await super().fetch(ref)
        except Quarantined as error:
            return Unknown(str(error))


@caught_by("the_one_asked_for_is_found")
class Blind(MemoryConnector):
    async def find(self, keys: Mapping[str, str]) -> Sequence[Account]:
        return []


@caught_by("nobody_else_is_found")
class IgnoresTheKey(MemoryConnector):
    async def find(self, keys: Mapping[str, str]) -> Sequence[Account]:
        return [self._account(id) for id in self.directory.accounts]


@caught_by("nobody_else_is_found")
class AnyCase(MemoryConnector):
    async def find(self, keys: Mapping[str, str]) -> Sequence[Account]:
        return await super().find({path: value.lower() for path, value in keys.items()})


@caught_by("a_sound_provider_is_healthy")
class Hypochondriac(MemoryConnector):
    async def check(self) -> Health:
        return Health(False, {}, ("everything hurts",))


@caught_by("a_sound_provider_is_healthy")
class Meddling(MemoryConnector):
    async def check(self) -> Health:
        from syncd.model import Change

        for step in self.steps(Change("c", "app", Kind.CREATE, "i", "who", None, {"userName": (None, "probe")}, "check")):
            await self.perform(step)
        return await super().check()


@caught_by("a_sick_provider_is_told")
class AllIsWell(MemoryConnector):
    async def check(self) -> Health:
        try:
            return await super().check()
        except SyncdError:
            return Health(True)
