"""One page of a listing as raw record slices; a page that cannot be decoded whole is taken apart record by record."""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Any

import msgspec

from syncd.connectors import strict
from syncd.connectors.retry import Malformed
from syncd.model import Flaw

_TOKEN = re.compile(rb'"(?:[^"\\]++|\\.)*+"?|[\[\]{},]', re.DOTALL)  # possessive: linear on any input
_MEMBER = re.compile(rb'\s*("(?:[^"\\]++|\\.)*+")\s*:\s*', re.DOTALL)


@dataclass(frozen=True, slots=True)
class Slices:
    """``records``: each as received. ``rest``: the members of the envelope that paging reads. ``flaws``: elements that are no record."""

    records: tuple[bytes, ...]
    rest: Mapping[str, Any]
    flaws: tuple[Flaw, ...] = ()


class PageDecoder:
    """Decodes ``{items: [record...], field...: ...}``; compiled once a listing. ``id``: the record member that names its account."""

    def __init__(self, items: str, fields: tuple[str, ...], id: str) -> None:
        self._items, self._fields, self._id = items, fields, id
        members = [("records", list[msgspec.Raw]), *((name, msgspec.Raw) for name in fields)]
        self._decoder = msgspec.json.Decoder(msgspec.defstruct("Envelope", members, rename={"records": items}))

    def decode(self, body: bytes) -> Slices:
        """Raises Malformed when the envelope itself is not what it should be (an error body, a truncated page)."""
        try:
            page: Any = self._decoder.decode(body)
        except (msgspec.MsgspecError, RecursionError):
            return self._taken_apart(body)
        records = tuple(map(bytes, page.records))
        rest = self._rest({name: bytes(getattr(page, name)) for name in self._fields})
        if all(record.startswith(b"{") for record in records):
            return Slices(records, rest)
        return self._sorted_out(records, rest)

    def _taken_apart(self, body: bytes) -> Slices:
        """msgspec gives up on a page for one bad record; here only that record is lost."""
        page = _members(body.strip())
        if not all(name in page for name in (self._items, *self._fields)):
            raise Malformed(f"the answer is no page with {self._items!r}")
        return self._sorted_out(tuple(_elements(page[self._items], b"[]")), self._rest(page))

    def _rest(self, page: Mapping[str, bytes]) -> dict[str, Any]:
        try:
            return {name: strict.loads(page[name]) for name in self._fields}
        except ValueError as error:
            raise Malformed(f"the page cannot be read: {error}") from None

    def _sorted_out(self, records: tuple[bytes, ...], rest: Mapping[str, Any]) -> Slices:
        good, flaws = [], []
        for n, record in enumerate(records, 1):
            reason = _complaint(record)
            if reason:
                flaws.append(Flaw(f"record {n} of its page", reason, recovered_id(record, self._id)))
            else:
                good.append(record)
        return Slices(tuple(good), rest, tuple(flaws))


def recovered_id(record: bytes, name: str) -> str | None:
    """The account id of a record that cannot be decoded, when its outer shape still shows it."""
    try:
        value = strict.loads(_members(record).get(name, b"null"))
    except (Malformed, ValueError):
        return None
    return value if isinstance(value, str) and value else None


def _complaint(record: bytes) -> str:
    try:
        return "" if isinstance(strict.loads(record), dict) else "it is no JSON object"
    except ValueError as error:
        return str(error)


def _members(raw: bytes) -> dict[str, bytes]:
    """The members of one JSON object by name, their values untouched. Raises Malformed unless its brackets balance."""
    found = {}
    for element in _elements(raw, b"{}"):
        match = _MEMBER.match(element)
        if not match:
            raise Malformed("the answer is no JSON object")
        try:
            found[strict.loads(match[1])] = element[match.end() :]
        except ValueError:
            continue  # a member whose very name is unreadable: none of ours
    return found


def _elements(raw: bytes, brackets: bytes) -> Iterator[bytes]:
    """The comma-separated parts between one pair of outer brackets, whatever is inside them. Raises Malformed unless brackets balance."""
    if len(raw) < 2 or raw[:1] + raw[-1:] != brackets:
        raise Malformed("the answer is cut short or no JSON")
    depth, start = 0, 1
    for token in _TOKEN.finditer(raw):
        kind = token[0][:1]
        if kind in b"[{":
            depth += 1
        elif kind in b"]}":
            depth -= 1
            if depth == 0 and token.end() != len(raw):
                raise Malformed("the answer goes on after its end")
        elif kind == b"," and depth == 1:
            yield raw[start : token.start()].strip()
            start = token.end()
    if depth:
        raise Malformed("the answer's brackets do not balance")
    last = raw[start:-1].strip()
    if last:
        yield last
