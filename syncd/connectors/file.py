"""People files (CSV, JSON Lines, JSON) as a source of accounts: read as a stream, never written."""

from __future__ import annotations

import contextlib
import os
from collections.abc import Collection, Iterator, Mapping, Sequence
from pathlib import Path
from typing import ClassVar, Literal

import orjson
from pydantic import Field

from syncd.connectors.base import Options, Permit, granted
from syncd.connectors.file_listing import READERS, Listing
from syncd.connectors.file_rows import BrokenOff, Row, identify, unidentified
from syncd.environment import Environment
from syncd.errors import Incomplete, Refused, Rejected
from syncd.model import CANONICAL, USER, Account, Capability, Change, Cursor, Health, Meter, Page, Rate, Ref, Step, Unknown, Watermark


class FileOptions(Options):
    """``path`` of a .csv, .jsonl or .json file in UTF-8; ``id``: the column (or member) that is the account's id."""

    path: str
    id: str
    delimiter: Literal[",", ";", "\t", "|"] = Field(default=",", description='what separates the cells of a .csv; a tab is "\\t"')

    def binding(self) -> dict[str, str]:
        return {"root": os.path.abspath(self.path)}

    def capability(self) -> Capability:
        """Columns are open, so none is declared; a default column that the file lacks is no value."""
        own: dict[str, str | tuple[str, ...]] = {name: name for name in CANONICAL}
        own |= {"externalId": self.id, "userName": ("userName", "email", self.id), "displayName": ("displayName", "name")}
        return Capability(attributes={}, writes=False, deletes=False, gone=False, read_defaults=own)


class FileConnector:
    """One people file. Who is missing from it is proven by a complete listing alone: `fetch` never says Gone.

    A page is read in the caller's thread (about 3 ms). An open listing is kept between the calls of `list`; `aclose` closes it.
    """

    name: ClassVar[str] = "file"
    summary: ClassVar[str] = "people in a CSV, JSON Lines or JSON file (read-only)"
    options: ClassVar[type[Options]] = FileOptions

    def __init__(self, options: FileOptions, *, environment: Environment, rate: Rate, writable: bool) -> None:
        """Raises Refused for a file name that tells no format. ``environment``, ``rate`` and ``writable`` have nothing to govern here."""
        self.capability = options.capability()
        self.meter = Meter()
        self.permit: Permit = granted
        self._path = Path(os.path.abspath(options.path))
        self._id, self._delimiter = options.id, options.delimiter
        self._required: dict[str, str] = {}
        self._remembered: dict[str, str] = {}
        self._listing: Listing | None = None
        if self._path.suffix.lower() not in READERS:
            raise Refused(options.path, "not a people file by its name", f"name it {', '.join(READERS)}, after what is in it")

    def require(self, columns: Collection[str]) -> None:
        """From now on a file that lacks one of ``columns`` (those the configuration maps by name) is refused as a whole."""
        self._required = dict.fromkeys(columns, "")

    def remember(self, columns: Mapping[str, str]) -> None:
        """So is one that lacks a column which it had before (column -> what to do about it)."""
        self._remembered = dict(columns)

    def parse(self, record: bytes, object: str = USER) -> Account:
        try:
            row = orjson.loads(record)
        except ValueError as error:
            raise Rejected(f"not a JSON object: {error}") from None
        id = identify(row.get(self._id)) if isinstance(row, dict) else None
        if id is None:
            raise Rejected(unidentified(self._id, row.get(self._id)) if isinstance(row, dict) else "not a JSON object")
        return Account(id, row)

    def steps(self, change: Change) -> tuple[Step, ...]:
        return ()

    async def check(self) -> Health:
        """Opens the file and reads as far as its columns."""
        try:
            with self._open() as listing:
                next(iter(listing), None)
        except Incomplete as problem:
            return Health(False, {"read": False}, (str(problem),))
        return Health(True, {"read": True})

    async def list(self, cursor: Cursor | None, since: Watermark | None = None) -> Page:
        """The next page; a cursor of an earlier process is honoured as long as the file is the same.

        Raises Incomplete for a file that cannot be opened, lacks a column, or has changed since the cursor was given.
        """
        try:
            page = self._resume(cursor).page()
        except Incomplete:
            await self.aclose()
            raise
        if page.next is None:
            await self.aclose()
        return page

    async def fetch(self, ref: Ref) -> Account | Unknown:
        """Reads the file anew. Unknown: absent, rejected, or standing there twice."""
        found: list[Row] = []
        try:
            with self._open() as listing:
                found += (row for row in listing if row.id == ref.id)
        except Incomplete as problem:
            return Unknown(str(problem))
        if len(found) != 1:
            return Unknown(f"{self._id} {ref.id!r} stands {len(found)} times in {self._path.name}")
        return Unknown(found[0].flaw) if found[0].flaw else self.parse(found[0].record)

    async def find(self, keys: Mapping[str, str]) -> Sequence[Account]:
        """Accounts of which some column in ``keys`` holds just that text. Raises Incomplete for a file that cannot be read."""
        found: list[Account] = []
        with self._open() as listing, contextlib.suppress(BrokenOff):
            accounts = (self.parse(row.record) for row in listing if row.record)
            found += (one for one in accounts if any(one.attributes.get(column) == value for column, value in keys.items()))
        return found

    async def perform(self, step: Step) -> Account | None:
        raise Rejected("file connections are read-only")

    async def aclose(self) -> None:
        if self._listing is not None:
            self._listing.close()
            self._listing = None

    def _resume(self, cursor: Cursor | None) -> Listing:
        """The open listing if it stands at ``cursor``, else a new one brought there by reading the same pages again."""
        if self._listing is not None and self._listing.cursor == cursor:
            return self._listing
        if self._listing is not None:
            self._listing.close()
        self._listing = listing = Listing(self._path, self._id, {**self._remembered, **self._required}, self._delimiter)
        while cursor is not None and listing.cursor != cursor:
            if listing.page().next is None:
                raise Incomplete(f"{self._path.name} has changed since its listing began: it starts again in the next run")
        return listing

    @contextlib.contextmanager
    def _open(self) -> Iterator[Listing]:
        with contextlib.closing(Listing(self._path, self._id, {**self._remembered, **self._required}, self._delimiter)) as listing:
            yield listing
