"""Read one connection: its pages in, known bytes recognised, new records staged; then the proof that the listing was complete."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Collection, Mapping, Sequence
from dataclasses import replace

from syncd.engine import columns, directory, door, fading, identify, observing, records
from syncd.engine.absence import absent
from syncd.engine.context import Connected, Context
from syncd.engine.ledger import Ledger, Seen
from syncd.engine.reading import Reading
from syncd.engine.records import Record
from syncd.engine.tree import Tree
from syncd.errors import Incomplete, Quarantined, Rejected, Retryable
from syncd.model import USER, Cursor, Effort, Page, Watermark
from syncd.store import identities, staging, waiting, whose

BATCH = 5000
"""New records stored in one transaction."""


class _Listing:
    """The state of one listing in progress."""

    def __init__(self, context: Context, one: Connected, since: Watermark | None, before: int, effort: Effort) -> None:
        self.context, self.one, self.since, self.effort = context, one, since, effort
        self.reading = Reading(one.name, context.environment.now(), since is not None, before, before if since else 0)
        self.ledger, self.seen = Ledger(context.store, one.name), Seen()
        self.fresh: list[Record] = []
        self.columns: Sequence[str] = ()
        self.watermark: Watermark | None = None
        self.tree = Tree()
        self.placed = 0

    def take(self, page: Page) -> None:
        """Recognise what is known, keep the rest for the next batch."""
        self.reading.pages += 1
        self.columns, self.watermark = page.columns, page.watermark
        if page.object != USER:
            self.tree.take(self.one.connector, page)
            return
        if containers := self.one.connector.capability.containers:
            self.tree.count(containers, page.records)
            self.tree.blind = self.tree.blind or bool(page.flaws)
        if page.container is not None:
            self.seen.containers.add(page.container)
        self.reading.flaws.extend(page.flaws)
        digests = self.ledger.digests(page.records)
        known = [None] * len(digests) if self.since else self.ledger.recognise(digests)
        for place, row in enumerate(known):
            if row is None:
                self.fresh.append(Record(self.placed + place, page.records[place], digests[place], self.reading.pages))
            else:
                self.seen.add(row)
        self.placed += len(page.records)
        self.effort.done, self.effort.pages = self.placed, self.reading.pages
        if not self.since:
            self.reading.accounts += len(page.records) + len(page.flaws)
        if len(self.fresh) >= BATCH:
            self.stage()

    def stage(self) -> None:
        """One transaction: accounts, their keys, the identities they make, what must be projected again. Nothing of another directory."""
        parsed = records.parse(self.context, self.one, self.fresh)
        self.fresh = []
        directory.recognise(self.context, self.one, parsed.told)
        self.reading.flaws.extend(parsed.flaws)
        staged = self._without_ghosts(parsed.staged)
        if self.since:
            staged = [replace(account, ordinal=None) for account in staged]
        with self.context.store.transaction(durable=False):
            rows = self._store(staged)
        for row in rows.values():
            self.seen.add(row)
        self.context.environment.reached("after_cursor")

    def _store(self, staged: Sequence[staging.Staged]) -> Mapping[str, int]:
        store, one = self.context.store, self.one
        same = _same_bytes(self.context, one, staged)
        moved = [(same[each.account], each.ordinal) for each in staged if each.account in same and each.ordinal is not None]
        staging.moved(store, moved)
        changed = [account for account in staged if account.account not in same]
        self.reading.changed += len(changed)
        waiting.mended(store, one.name, [account.account for account in staged])
        return {**door.enter(self.context, one, changed, known=self.reading.before > 0), **same}

    def _without_ghosts(self, staged: Sequence[staging.Staged]) -> list[staging.Staged]:
        """A lagging list may still show what syncd has just deleted."""
        if self.one.connection.write is None:
            return list(staged)
        since = self.reading.started - self.one.connection.write.settle
        ghosts = staging.recent_tombstones(self.context.store, self.one.name, [one.account for one in staged], since)
        return [one for one in staged if one.account not in ghosts]


async def read(context: Context, one: Connected, since: Watermark | None = None) -> Reading:
    """The whole listing of one connection, or what changed ``since``. Never raises for what a provider does: the Reading says what it
    proves."""
    before, started = staging.last_count(context.store, one.name), context.environment.monotonic()
    unit, of = ("changed accounts", None) if since is not None else ("accounts", before or None)
    with one.work.stretch("reading", unit, of, started, rough=True) as effort:
        return await _read(context, one, _Listing(context, one, since, before, effort), started)


async def _read(context: Context, one: Connected, listing: _Listing, started: float) -> Reading:
    reading = listing.reading
    staging.begin(context.store, one.name, reading.started, delta=reading.delta)
    columns.expect(context, one)
    await _note(reading, _pages(context, one, listing))
    _stage_rest(listing)
    _account_for_flaws(context, one, listing)
    fading.returned(context, one, listing.seen)
    if reading.complete and not reading.delta:
        await _note(reading, _conclude(context, one, listing))
    now = context.environment.now()
    staging.finish(
        context.store, one.name, now, defect=reading.defect, accounts=reading.accounts, pages=reading.pages, watermark=listing.watermark,
        delta=reading.delta,
    )  # fmt: skip
    _plant(context, one, listing)
    reading.seconds = context.environment.monotonic() - started
    context.seen[one.name] = now
    if not reading.delta:
        context.sealed[one.name] = now
    return reading


def _plant(context: Context, one: Connected, listing: _Listing) -> None:
    """The containers as this listing showed them; in the place of a whole tree only another whole one."""
    listing.tree.whole = listing.reading.whole
    if one.connector.capability.containers and (listing.tree.whole or one.name not in context.trees):
        context.trees[one.name] = listing.tree


def _stage_rest(listing: _Listing) -> None:
    """What arrived before the listing ended, however it ended; records whose format has changed stop the connection."""
    try:
        listing.stage()
    except Quarantined as error:
        listing.reading.failed(error)


async def _note(reading: Reading, work: Awaitable[str]) -> None:
    """The defect that ``work`` returns, or with which it fails."""
    try:
        reading.defect = await work
    except (Incomplete, Retryable, Rejected, Quarantined) as error:
        reading.failed(error)


async def _pages(context: Context, one: Connected, listing: _Listing) -> str:
    """Follow the cursors, the next page on its way while this one is staged. Returns the listing's defect, or nothing."""
    turning: asyncio.Task[Page] | None = asyncio.create_task(one.connector.list(None, listing.since))
    visited: set[Cursor] = set()
    try:
        while turning is not None:
            page = await turning
            turning = None
            if page.next is not None:
                context.go_on()
                if page.next in visited:
                    return "its cursor came round again"
                visited.add(page.next)
                turning = asyncio.create_task(one.connector.list(page.next))
                await asyncio.sleep(0)
            listing.take(page)
        return page.defect or ("" if page.complete else "it ended without proof of its end")
    finally:
        if turning is not None:
            await _abandon(turning)


async def _abandon(turning: asyncio.Task[Page]) -> None:
    """A page nobody waits for any more is still received to its end: a cancelled request would cost its connection."""
    await asyncio.gather(turning, return_exceptions=True)


def _account_for_flaws(context: Context, one: Connected, listing: _Listing) -> None:
    """A flawed record with a known id counts as seen; one without an id makes the listing incomplete.

    No watermark is left behind a record that this listing is the first to find unreadable: what it says now would go unread.
    """
    reading = listing.reading
    ids = [flaw.id for flaw in reading.flaws if flaw.id]
    known = staging.row_ids(context.store, one.name, ids)
    _return_unread(context, one, ids)
    for flaw in reading.flaws:
        if flaw.id in known:
            listing.seen.add(known[flaw.id])
        elif flaw.id is None and not reading.defect:
            reading.defect = f"{flaw.where}: {flaw.reason}"
    if {flaw.id or flaw.where for flaw in reading.flaws} - waiting.unreadable(context.store, one.name).keys():
        listing.watermark = listing.since  # it may be readable the next time it is asked for
    with context.store.transaction():
        rows = [{"where": flaw.where, "reason": flaw.reason, "id": flaw.id} for flaw in reading.flaws[:1000]]
        waiting.flaw(context.store, context.run, one.name, rows, context.environment.now())


def _return_unread(context: Context, one: Connected, ids: Sequence[str]) -> None:
    """Who was gone and whose record is back, though it cannot be read, is no leaver any more: frozen until it can."""
    with context.store.transaction():
        back = staging.back_unread(context.store, one.name, ids)
        observing.back(context, one, whose.names(context.store, back))
        if one.connection.authoritative:
            identify.refresh(context, identities.owners(context.store, back).values())


async def _conclude(context: Context, one: Connected, listing: _Listing) -> str:
    """Who is missing is proven gone, or the listing is proven incomplete: returns its defect, or nothing.

    Of a connection that is no source any more, nothing is read as the absence of a person.
    """
    proof = await absent(context, one, listing.seen)
    if proof.defect:
        return proof.defect
    owners = identities.owners(context.store, proof.gone)
    gone = [row for row in proof.gone if one.connection.authoritative or row not in owners]
    _house_missing(context, one, listing, {*proof.missing} - {*proof.gone})
    listing.reading.vanished = len(gone)
    with context.store.transaction():
        observing.gone(context, one, whose.names(context.store, gone))
        staging.gone(context.store, gone, context.environment.now())
        identify.refresh(context, owners.values())
        columns.keep(context, one, listing.columns)
    return ""


def _house_missing(context: Context, one: Connected, listing: _Listing, rows: Collection[int]) -> None:
    """Who is not listed, and not gone for certain either, still lives where they were last seen."""
    if containers := one.connector.capability.containers:
        documents = (staging.document(context.store, row) for row in rows)
        listing.tree.count(containers, [one for one in documents if one is not None])


def _same_bytes(context: Context, one: Connected, staged: Sequence[staging.Staged]) -> dict[str, int]:
    """Records whose bytes are known after all: only their place in the listing had moved too far."""
    known = staging.known_digests(context.store, one.name, [account.account for account in staged])
    return {account.account: known[account.account][0] for account in staged if known.get(account.account, (0, b""))[1] == account.digest}
