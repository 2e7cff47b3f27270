"""The verbs that read a provider's table: list, fetch, find, steps and perform, written once for every HTTP provider."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any, NamedTuple

from syncd.connectors.answer import Answer, NotFound
from syncd.connectors.base import Permit
from syncd.connectors.http import Http, Request
from syncd.connectors.merge import merged
from syncd.connectors.pages import PageDecoder, Slices
from syncd.connectors.records import Reader
from syncd.connectors.retry import Malformed
from syncd.connectors.tables import Call, Table, fitting
from syncd.connectors.url import segment
from syncd.environment import Environment
from syncd.errors import Incomplete, InDoubt, Quarantined, Rejected, SyncdError
from syncd.model import USER, Account, Change, Cursor, Gone, Kind, Page, Ref, Step, Unknown, Watermark


class _Place(NamedTuple):
    """Where a listing stands: pages and records behind it, and where the next page is. As a cursor: ``PAGES:RECORDS:ADDRESS``."""

    pages: int = 0
    records: int = 0
    address: str = ""

    @classmethod
    def of(cls, cursor: Cursor | None) -> _Place:
        """Raises Incomplete for a cursor of another making."""
        if cursor is None:
            return cls()
        pages, _, rest = cursor.partition(":")
        records, _, address = rest.partition(":")
        if not (pages.isdecimal() and records.isdecimal() and address):
            raise Incomplete("the stored place in the listing cannot be read: it starts again")
        return cls(int(pages), int(records), address)

    def cursor(self) -> Cursor:
        return Cursor(f"{self.pages}:{self.records}:{self.address}")


class RestConnector:
    """All of the Connector protocol but `check`. A provider gives the table and overrides what no table can say."""

    def __init__(self, http: Http, table: Table, environment: Environment) -> None:
        self.capability, self.meter = table.capability, http.meter
        self._http, self._table, self._environment = http, table, environment
        self._reader = Reader(table)
        self._pages = PageDecoder(table.listing.items, table.listing.paging.fields, table.id)
        self._empty = 0  # pages without a record, in a row
        self._walked: dict[int, int] = {}  # of one listing: hash of a page's key -> its number

    @property
    def permit(self) -> Permit:
        return self._http.permit

    @permit.setter
    def permit(self, permit: Permit) -> None:
        self._http.permit = permit

    async def aclose(self) -> None:
        await self._http.aclose()

    # ---- reading -----------------------------------------------------------------------------------------------------

    def parse(self, record: bytes, object: str = USER) -> Account:
        return self._reader.parse(record)

    async def list(self, cursor: Cursor | None, since: Watermark | None = None) -> Page:
        """Raises Incomplete when the provider refuses the page or names a next one elsewhere; Retryable, Quarantined."""
        place, listing = _Place.of(cursor), self._table.listing
        if cursor is None:
            self._walked.clear()
            self._empty = 0
            target = self._http.root.path + listing.call.path + (f"?{listing.query}" if listing.query else "")
        else:
            target = listing.paging.target(self._http.root, place.address)
        self._walked[hash(listing.paging.key(place.address))] = place.pages
        try:
            slices, address = await self._http.send(self._request(listing.call, {}, {}, target), self._page)
        except Rejected as error:
            raise Incomplete(f"the listing cannot go on: {error}") from error
        return self._as_page(place, slices, address)

    def _page(self, answer: Answer) -> tuple[Slices, str | None]:
        slices = self._pages.decode(answer.body)
        return slices, self._table.listing.paging.following(slices.rest)

    def _as_page(self, place: _Place, slices: Slices, address: str | None) -> Page:
        after = _Place(place.pages + 1, place.records + len(slices.records) + len(slices.flaws), address or "")
        self._empty = 0 if after.records > place.records else self._empty + 1
        defect = "" if address is None else self._no_way_on(after)
        following = None if defect or address is None else after.cursor()
        complete = address is None
        return Page(slices.records, place.records, following, complete=complete, defect=defect, flaws=slices.flaws)

    def _no_way_on(self, place: _Place) -> str:
        """Why the next page is not asked for; raises Incomplete when its address leaves the provider."""
        listing = self._table.listing
        listing.paging.target(self._http.root, place.address)
        if self._walked.get(hash(listing.paging.key(place.address)), place.pages) < place.pages:
            return "the provider names a page as the next one that was already read"
        endless = place.pages >= listing.pages or self._empty >= listing.empty
        return f"the listing does not end after {place.pages:,} pages and {place.records:,} records" if endless else ""

    async def fetch(self, ref: Ref) -> Account | Gone | Unknown:
        try:
            return await self._get(self._table.fetch, "id", ref.id)
        except NotFound as error:
            return Gone(self._environment.now()) if error.code in self._table.gone else Unknown(str(error))

    async def find(self, keys: Mapping[str, str]) -> Sequence[Account]:
        """By the first key the provider can look up; what it returns counts only if the value is equal to the letter."""
        for name, call in self._table.lookups.items():
            if name in keys:
                try:
                    account = await self._get(call, "value", keys[name])
                except NotFound as error:
                    if error.code in self._table.gone:
                        return []
                    raise
                return [account] if account.attributes.get(name) == keys[name] else []
        return []

    async def _get(self, call: Call, slot: str, value: str) -> Account:
        return await self._http.send(self._request(call, {slot: value}, {}), self._reader.answered)

    def _request(self, call: Call, slots: Mapping[str, str], values: Mapping[str, Any], target: str | None = None) -> Request:
        path = self._path(call, slots)
        content, kind = call.encoding(values) if call.fields or call.bodied else (None, "")
        return Request(
            method=call.method,
            target=self._http.root.path + path if target is None else target,
            label=f"{call.method} {call.path}",
            content=content,
            headers={**self.headers(call), **({"Content-Type": kind} if kind else {})},
            success=call.success,
            reads=call.reads,
            repeatable=call.repeatable,
        )

    def _path(self, call: Call, slots: Mapping[str, str]) -> str:
        """The call's path with its slots filled. Raises Rejected for what cannot stand in a path, or is no id at this provider."""
        own = self._table.ids
        if own is not None and not own.fullmatch(slots.get("id", "")) and "id" in slots:
            raise Rejected(f"{slots['id']!r} is no account id", "id")
        return call.path.format_map({name: segment(value) for name, value in slots.items()})

    def headers(self, call: Call) -> Mapping[str, str]:
        """Headers of this provider's own for one call."""
        return {}

    # ---- writing -----------------------------------------------------------------------------------------------------

    def steps(self, change: Change) -> tuple[Step, ...]:
        """One step for each call the delta needs; none where nothing is to be written. Raises Rejected for what no call can carry."""
        after = {path: value for path, (_, value) in change.delta.items()}
        match change.kind:
            case Kind.CREATE:
                return (self._step(change, 1, self._table.create, {path: value for path, value in after.items() if value is not None}),)
            case Kind.DELETE:
                return (self._step(change, 1, self._table.delete, {}),)
        parts = [(call, {path: after.pop(path) for path in list(after) if call.carries(path)}) for call in self._table.updates]
        if after:
            raise Rejected(f"{', '.join(sorted(after))}: the provider has no request that changes it", "immutable")
        return tuple(self._step(change, n, call, body) for n, (call, body) in enumerate(((c, b) for c, b in parts if b), 1))

    def _step(self, change: Change, n: int, call: Call, body: Mapping[str, Any]) -> Step:
        missing = sorted(path for path in body if call.carries(path) is None or self.capability.spec(path) is None)
        if missing:
            raise Rejected(f"{', '.join(missing)}: {call.method} {call.path} cannot set it", "unknown")
        creates = change.kind is Kind.CREATE
        path = call.path if creates else self._path(call, {"id": change.account or ""})
        named = sorted({call.fields[attribute] for attribute in map(call.carries, body) if attribute})
        return Step(change, n, call.method, path, dict(body), creates, f"{call.method} {call.path} {', '.join(named)}".rstrip())

    async def perform(self, step: Step) -> Account | None:
        account = step.change.account or ""
        match step.change.kind:
            case Kind.CREATE:
                return await self._create(step)
            case Kind.DELETE:
                await self._delete(account)
                return None
        call = next(one for one in self._table.updates if all(one.carries(path) for path in step.body))
        values = await self._values(call, account, step.body)
        answered = await self._http.send(self._request(call, {"id": account}, values), lambda answer: self._same(answer, account))
        return await self._read_back(step, account) if answered is None else answered

    async def _create(self, step: Step) -> Account:
        values = self._wire(self._table.create, merged({}, step.body))
        request = self._request(self._table.create, {}, values)
        if not self._table.answers_id:
            return await self._http.send(request, lambda answer: self._created(answer, step.body))
        id = await self._http.send(request, self._reader.named)
        try:
            return await self._read_back(step, id)
        except SyncdError as error:
            raise InDoubt(f"created account {id}, but it cannot be read back: {error}") from error

    async def _read_back(self, step: Step, id: str) -> Account:
        """The account that ``step`` wrote, of which its answer gave the id alone."""
        return await self._get(self._table.fetch, "id", id)

    def _created(self, answer: Answer, asked: Mapping[str, Any]) -> Account:
        """Raises InDoubt when something was made that is not, or cannot be shown to be, what was asked for."""
        key = self.capability.key
        try:
            account = self._reader.answered(answer)
        except (Rejected, Quarantined) as error:
            raise InDoubt(f"created, but the answer cannot be read: {error}") from error
        if key is not None and account.attributes.get(key) != asked.get(key):
            raise InDoubt(f"created account {account.id}, but with another {key} than was asked for")
        return account

    def _same(self, answer: Answer, id: str) -> Account | None:
        """None where the answer is the id alone. Raises InDoubt when it cannot be read: what was asked for is done all the same."""
        try:
            account = None if self._table.answers_id else self._reader.answered(answer)
        except (Rejected, Quarantined) as error:
            raise InDoubt(f"updated, but the answer cannot be read: {error}") from error
        if (self._reader.named(answer) if account is None else account.id) != id:
            raise Malformed("the answer speaks of another account")
        return account

    async def _delete(self, id: str) -> None:
        confirmed = (lambda answer: self._same(answer, id)) if self._table.answers_id else (lambda answer: None)
        try:
            await self._http.send(self._request(self._table.delete, {"id": id}, {}), confirmed)
        except NotFound as error:
            if error.code not in self._table.gone:
                raise

    async def _values(self, call: Call, id: str, body: Mapping[str, Any]) -> dict[str, Any]:
        """The wire values of an update. The provider replaces an object whole, so single members are merged into what it holds now."""
        members = {path for path in body if path not in call.fields}
        document: Mapping[str, Any] = {}
        if any(path.partition(".")[0] not in body for path in members):
            current = (await self._get(self._table.fetch, "id", id)).attributes
            document = {name: current.get(name) for name in {path.partition(".")[0] for path in members}}
        whole = {path: value for path, value in body.items() if path not in members}
        return self._wire(call, merged({**document, **whole}, {path: body[path] for path in members}))

    def _wire(self, call: Call, document: Mapping[str, Any]) -> dict[str, Any]:
        """Attribute values under their wire names, each checked against its limit; an object without members is ``{}``."""
        specs = self.capability.attributes
        whole = {name: {} if value is None and specs[name].kind == "object" else value for name, value in document.items()}
        return {call.fields[name]: fitting(specs[name], value) for name, value in whole.items()}
