"""One listing in progress: its pages in, known bytes recognised, new records staged, and its place stored with them."""

from __future__ import annotations

from collections.abc import Collection, Mapping, Sequence
from dataclasses import replace

from syncd.connectors.base import Speaking
from syncd.engine import directory, door, passport, records, resuming
from syncd.engine.context import Connected, Context
from syncd.engine.ledger import Ledger, Seen
from syncd.engine.reading import Reading
from syncd.engine.records import Record
from syncd.engine.resuming import Place
from syncd.engine.tree import Tree
from syncd.environment import instant, stamp
from syncd.model import USER, Cursor, Effort, Page, Watermark
from syncd.store import Store, connections, staging, stretches, tombstones, waiting

BATCH = 5000
"""New records stored in one transaction."""


class Listing:
    """Of everything, or of what changed ``since``; of everything it goes on where the last one was cut off, unless it begins ``anew``.

    ``place``: where it goes on, until that is proven to be the right place (`joins`). ``broke_off``: the next one can go on.
    """

    def __init__(
        self, context: Context, one: Connected, since: Watermark | None, before: int, effort: Effort, *, anew: bool = False
    ) -> None:  # fmt: skip
        self.context, self.one, self.since, self.effort, self.before = context, one, since, effort, before
        known = connections.row(context.store, one.name)
        self.passport = passport.current(context, one, known)
        self.foreign = passport.foreign(known, self.passport)
        if since is not None and known is not None and known.language is not None and isinstance(one.connector, Speaking):
            one.connector.recall(known.language)
        self.resumable = since is None and one.connector.capability.resumes is not None
        self.broke_off = self.resumed = False
        self._begin()
        self.place, why = resuming.find(context, one, self.passport) if self.resumable and not anew else (None, "")
        if self.place is not None:
            self._go_on(self.place)
        elif why:
            self.reading.told.append(f"the listing that was cut off does not go on, for {why}: it begins anew")
        elif known is not None and one.connector.capability.delta and (changed := passport.otherwise(known.passport, self.passport)):
            self.reading.told.append(f"{changed} changed since it was last read: everything is read")

    @property
    def language(self) -> str | None:
        """What the next reading may take for granted: asked anew by whatever reads everything."""
        return self.one.connector.language if isinstance(self.one.connector, Speaking) else None

    def _begin(self) -> None:
        self.reading = Reading(
            self.one.name, self.context.environment.now(), self.since is not None, self.before, self.before if self.since else 0
        )  # fmt: skip
        self.ledger, self.seen = Ledger(self.context.store, self.one.name), Seen()
        self.fresh: list[Record] = []
        self.columns: Sequence[str] = ()
        self.watermark: Watermark | None = None
        self.tree = Tree()
        self.placed = self._part = self._told = 0
        self._recent: list[int] = []
        self._at: Place | None = None
        self._marked = self.context.environment.monotonic()

    def _go_on(self, place: Place) -> None:
        """As if the pages before had just been read."""
        reading = self.reading
        reading.started, reading.pages, reading.accounts, reading.changed = instant(place.began), place.pages, place.accounts, place.changed
        reading.flaws = resuming.flaws(self.context, self.one)
        self.placed, self._part, self._told = place.records, place.part + 1, len(reading.flaws)
        self.ledger = Ledger(self.context.store, self.one.name, (place.entry[0], place.entry[1]))
        for rows in stretches.seen(self.context.store, self.one.name):
            for row in rows:
                self.seen.add(row)

    def joins(self, page: Page) -> bool:
        """Whether this is the page at which the last listing was cut off: it shows somebody again whom that showed. Then it goes on."""
        assert self.place is not None
        self.resumed = any(row in self.seen for row in resuming.shown(self.one, self.context, page.records))
        if self.resumed:
            self.reading.told.append(f"the listing that began {_when(self.place)} was cut off: it goes on at page {self.place.pages + 1}")
        return self.resumed

    def start_over(self, why: str) -> None:
        """The place is not good any more: as if there had been none."""
        assert self.place is not None
        began = _when(self.place)
        self.place = None
        stretches.forget(self.context.store, self.one.name)
        self._begin()
        self.reading.told.append(f"the listing that began {began} was cut off, and cannot go on there ({why}): it begins anew")

    def take(self, page: Page, at: Cursor | None) -> None:
        """Recognise what is known, keep the rest for the next batch. ``at``: by which cursor the page was asked for."""
        self._stand(at)
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
        self._recognise(page)
        self.placed += len(page.records)
        self.effort.done, self.effort.pages = self.placed, self.reading.pages
        if not self.since:
            self.reading.accounts += len(page.records) + len(page.flaws)
        if len(self.fresh) >= BATCH or self._due():
            self.stage()

    def _recognise(self, page: Page) -> None:
        digests = self.ledger.digests(page.records)
        known = [None] * len(digests) if self.since else self.ledger.recognise(digests)
        for place, row in enumerate(known):
            if row is None:
                self.fresh.append(Record(self.placed + place, page.records[place], digests[place], self.reading.pages))
            else:
                self.seen.add(row)
        if self.resumable:
            self._recent.extend(row for row in known if row is not None)

    def stage(self) -> None:
        """One transaction: accounts, their keys, the identities they make, what must be projected again, and how far the listing is.
        Nothing of another directory."""
        if not self.fresh and self._at is None:
            return
        fresh, self.fresh, at, self._at = self.fresh, [], self._at, None  # what fails here is behind no place
        parsed = records.parse(self.context, self.one, fresh)
        directory.recognise(self.context, self.one, parsed.told)
        self.reading.flaws.extend(parsed.flaws)
        staged = self._without_ghosts(parsed.staged)
        if self.since:
            staged = [replace(account, ordinal=None) for account in staged]
        with self.context.store.transaction(durable=False):
            rows = self._store(staged)
            self._mark(at, rows.values())
        for row in rows.values():
            self.seen.add(row)
        if self.resumable and at is None:
            self._recent.extend(rows.values())
        self.context.environment.reached("after_cursor")

    def _stand(self, at: Cursor | None) -> None:
        """Before a page is taken: where it can be asked for again."""
        if self.resumable and at is not None:
            self._at = Place(
                at, stamp(self.reading.started), self.context.full, self._part, self.placed, self.reading.pages, self.reading.accounts,
                self.reading.changed, self.ledger.place,
            )  # fmt: skip

    def _due(self) -> bool:
        return self._at is not None and self.context.environment.monotonic() - self._marked >= resuming.EVERY

    def _mark(self, at: Place | None, rows: Collection[int]) -> None:
        """In the transaction that stores the last page taken, and whatever of those before was not."""
        if at is None:
            return
        new = [(flaw.where, flaw.reason, flaw.id) for flaw in self.reading.flaws[self._told :]]
        place = replace(at, part=self._part, changed=self.reading.changed, entry=self.ledger.place, flaws=new)
        resuming.keep(self.context, self.one, place, self.passport, [*self._recent, *rows])
        self._recent, self._told = [], len(self.reading.flaws)
        self._part += 1
        self._marked = self.context.environment.monotonic()

    def _store(self, staged: Sequence[staging.Staged]) -> Mapping[str, int]:
        if not staged:
            return {}
        store, one = self.context.store, self.one
        same = _same_bytes(store, one, staged)
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
        ghosts = tombstones.recent(self.context.store, self.one.name, [one.account for one in staged], since)
        return [one for one in staged if one.account not in ghosts]


def _same_bytes(store: Store, one: Connected, staged: Sequence[staging.Staged]) -> dict[str, int]:
    """Records whose bytes are known after all: only their place in the listing had moved too far."""
    known = staging.known_digests(store, one.name, [account.account for account in staged])
    return {account.account: known[account.account][0] for account in staged if known.get(account.account, (0, b""))[1] == account.digest}


def _when(place: Place) -> str:
    return f"{instant(place.began):%Y-%m-%d %H:%M} UTC"
