"""Read one connection: page by page into its listing; then the proof that the listing was complete."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Collection, Sequence
from datetime import datetime

from syncd.engine import columns, fading, identify, observing
from syncd.engine.absence import absent
from syncd.engine.context import Connected, Context
from syncd.engine.listing import Listing
from syncd.engine.reading import Reading
from syncd.errors import Incomplete, Quarantined, Rejected, Retryable
from syncd.model import Cursor, Page, Watermark
from syncd.store import identities, staging, stretches, tombstones, waiting, whose

UNSHOWN = (
    "of {n:,} accounts that other credentials, or another configuration, showed nothing is seen any more: they count as gone when three"
    " complete listings over 24 hours did not show them"
)
EARLY, PROMPT = 100, 0.01
"""So many are stored already when the next page takes longer than so many seconds: fewer would cost more than they save."""


async def read(context: Context, one: Connected, since: Watermark | None = None, *, anew: bool = False) -> Reading:
    """The whole listing of one connection, or what changed ``since``. Never raises for what a provider does: the Reading says what it
    proves. ``anew``: from the beginning, whatever was read of it before."""
    before, started = staging.last_count(context.store, one.name), context.environment.monotonic()
    unit, of = ("changed accounts", None) if since is not None else ("accounts", before or None)
    with one.work.stretch("reading", unit, of, started, rough=True) as effort:
        return await _read(context, one, Listing(context, one, since, before, effort, anew=anew), started)


async def _read(context: Context, one: Connected, listing: Listing, started: float) -> Reading:
    with context.store.transaction(durable=False):
        staging.begin(context.store, one.name, context.environment.now(), delta=listing.reading.delta)
        if listing.place is None:
            stretches.forget(context.store, one.name)
    columns.expect(context, one)
    await _note(listing, _pages(context, one, listing))
    reading = listing.reading
    _stage_rest(listing)
    _account_for_flaws(context, one, listing)
    fading.returned(context, one, listing.seen)
    if reading.complete and not reading.delta:
        await _note(listing, _conclude(context, one, listing))
    as_of = _finish(context, one, listing)
    _plant(context, one, listing)
    reading.seconds = context.environment.monotonic() - started
    context.seen[one.name] = as_of
    if not reading.delta:
        context.sealed[one.name] = as_of
    return reading


def _finish(context: Context, one: Connected, listing: Listing) -> datetime:
    """Put down what was proven, and from where on to read next time; returns from when it is. A delta that broke off is asked for again."""
    reading = listing.reading
    as_of = reading.started if listing.resumed and reading.complete else context.environment.now()
    left = listing.watermark if reading.complete else listing.since if listing.broke_off else None
    with context.store.transaction(durable=False):
        staging.finish(
            context.store, one.name, as_of, defect=reading.defect, accounts=reading.accounts, pages=reading.pages, watermark=left,
            passport=listing.passport, language=listing.language, delta=reading.delta,
        )  # fmt: skip
        if not listing.broke_off:
            stretches.forget(context.store, one.name)
    return as_of


def _plant(context: Context, one: Connected, listing: Listing) -> None:
    """The containers as this listing showed them; in the place of a whole tree only another whole one."""
    listing.tree.whole = listing.reading.whole
    if one.connector.capability.containers and (listing.tree.whole or one.name not in context.trees):
        context.trees[one.name] = listing.tree


def _stage_rest(listing: Listing) -> None:
    """What arrived before the listing ended, however it ended; records whose format has changed stop the connection."""
    try:
        listing.stage()
    except Quarantined as error:
        listing.reading.failed(error)
        listing.broke_off = False


async def _note(listing: Listing, work: Awaitable[str]) -> None:
    """The defect that ``work`` returns, or with which it fails: not for ever, unless the listing itself is at fault."""
    try:
        listing.reading.defect = await work
    except (Incomplete, Retryable, Rejected, Quarantined) as error:
        listing.reading.failed(error)
        listing.broke_off = isinstance(error, Retryable | Quarantined)


async def _pages(context: Context, one: Connected, listing: Listing) -> str:
    """Follow the cursors, the next page on its way while this one is staged. Returns the listing's defect, or nothing."""
    page, at = await _first(one, listing)
    visited: set[Cursor | None] = {at}
    while page.next is not None:
        if page.next in visited:
            listing.take(page, at)
            return "its cursor came round again"
        visited.add(page.next)
        turning = None if context.environment.ending else asyncio.create_task(one.connector.list(page.next))
        try:
            await asyncio.sleep(0)
            listing.take(page, at)
            context.go_on()
            await _meanwhile(listing, turning)
        except BaseException:
            if turning is not None:
                await _abandon(turning)
            raise
        assert turning is not None
        page, at = await turning, page.next
    listing.take(page, at)
    return page.defect or ("" if page.complete else "it ended without proof of its end")


async def _first(one: Connected, listing: Listing) -> tuple[Page, Cursor | None]:
    """Where the last listing was cut off the page there, if that is still what it was; else the first one. And its cursor."""
    if listing.place is not None:
        why = "nobody stands there who stood there before"
        try:
            page = await one.connector.list(listing.place.cursor)
            if listing.joins(page):
                return page, listing.place.cursor
        except (Incomplete, Rejected) as error:
            why = str(error)
        listing.start_over(why)
    return await one.connector.list(None, listing.since), None


async def _meanwhile(listing: Listing, turning: asyncio.Task[Page] | None) -> None:
    """Where the next page is long in coming, what is there already is stored in the time that would be waited."""
    if turning is not None and len(listing.fresh) >= EARLY and not (await asyncio.wait({turning}, timeout=PROMPT))[0]:
        listing.stage()


async def _abandon(turning: asyncio.Task[Page]) -> None:
    """A page nobody waits for any more is still received to its end: a cancelled request would cost its connection."""
    await asyncio.gather(turning, return_exceptions=True)


def _account_for_flaws(context: Context, one: Connected, listing: Listing) -> None:
    """A flawed record with a known id counts as seen; one without an id makes the listing incomplete.

    No watermark is left behind a record that this listing is the first to find unreadable: what it says now would go unread.
    """
    reading = listing.reading
    if not reading.flaws:
        return
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
    with context.store.transaction(durable=False):
        rows = [{"where": flaw.where, "reason": flaw.reason, "id": flaw.id} for flaw in reading.flaws[:1000]]
        waiting.flaw(context.store, context.run, one.name, rows, context.environment.now())


def _return_unread(context: Context, one: Connected, ids: Sequence[str]) -> None:
    """Who was gone and whose record is back, though it cannot be read, is no leaver any more: frozen until it can."""
    with context.store.transaction(durable=False):
        back = tombstones.back_unread(context.store, one.name, ids)
        observing.back(context, one, whose.names(context.store, back))
        if one.connection.authoritative:
            identify.refresh(context, identities.owners(context.store, back).values())


async def _conclude(context: Context, one: Connected, listing: Listing) -> str:
    """Who is missing is proven gone, or the listing is proven incomplete: returns its defect, or nothing.

    Of a connection that is no source any more, nothing is read as the absence of a person.
    """
    proof = await absent(context, one, listing.seen, listing.reading.started, foreign=listing.foreign)
    if proof.defect:
        return proof.defect
    if proof.unanswered and one.connector.capability.fading is None:
        listing.reading.told.append(UNSHOWN.format(n=len(proof.unanswered)))
    owners = identities.owners(context.store, proof.gone)
    gone = [row for row in proof.gone if one.connection.authoritative or row not in owners]
    _house_missing(context, one, listing, {*proof.missing} - {*proof.gone})
    listing.reading.vanished = len(gone)
    with context.store.transaction(durable=False):
        if gone or owners:
            observing.gone(context, one, whose.names(context.store, gone))
            staging.gone(context.store, gone, context.environment.now())
            identify.refresh(context, owners.values())
        columns.keep(context, one, listing.columns)
    return ""


def _house_missing(context: Context, one: Connected, listing: Listing, rows: Collection[int]) -> None:
    """Who is not listed, and not gone for certain either, still lives where they were last seen."""
    if containers := one.connector.capability.containers:
        documents = (staging.document(context.store, row) for row in rows)
        listing.tree.count(containers, [one for one in documents if one is not None])
