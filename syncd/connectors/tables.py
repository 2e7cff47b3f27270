"""The words in which a provider's API is declared: its attributes, its calls, its listing."""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import Any, Protocol
from urllib.parse import parse_qsl, urlencode, urlsplit

from syncd.connectors import strict
from syncd.connectors.retry import Malformed
from syncd.connectors.url import Root
from syncd.errors import Incomplete, Rejected
from syncd.model import AttributeSpec, Capability

Encoding = Callable[[Mapping[str, Any]], tuple[bytes, str]]
"""Wire name -> value, to a request body and its content type."""


def _text(value: Any) -> str:
    match value:
        case None:
            return ""
        case str():
            return value
        case _:
            return strict.dumps(value)


def form(values: Mapping[str, Any]) -> tuple[bytes, str]:
    """``application/x-www-form-urlencoded``: an object travels as JSON text, no value as the empty text."""
    pairs = {name: _text(value) for name, value in values.items()}
    return urlencode(pairs).encode("ascii"), "application/x-www-form-urlencoded"


def json_body(values: Mapping[str, Any]) -> tuple[bytes, str]:
    """``application/json``: no value travels as null."""
    return strict.dumps(values).encode(), "application/json"


@dataclass(frozen=True, slots=True)
class Call:
    """One documented request. ``path``: template below the API root, with ``{id}`` (or ``{value}`` of a look-up) where one belongs.

    ``fields``: attribute -> wire name, what it can carry; ``bodied``: a body leaves although there are none. ``repeatable``: sending it
    twice ends as sending it once.
    """

    method: str
    path: str
    fields: Mapping[str, str] = field(default_factory=dict)
    encoding: Encoding = form
    success: frozenset[int] = frozenset({200})
    reads: bool = False
    repeatable: bool = False
    bodied: bool = False

    def carries(self, path: str) -> str | None:
        """The attribute under which this call can write ``path``: itself, or the object it is a member of."""
        if path in self.fields:
            return path
        head, dot, _ = path.partition(".")
        return head if dot and head in self.fields else None


class Paging(Protocol):
    """How a listing goes on. ``fields``: the members of a page that it needs, all required."""

    @property
    def fields(self) -> tuple[str, ...]: ...

    def following(self, rest: Mapping[str, Any]) -> str | None:
        """Where the next page is; None at the proven end. Raises Malformed when the page does not say."""
        ...

    def target(self, root: Root, place: str) -> str:
        """The request target of that place. Raises Incomplete when it may not be asked."""
        ...

    def key(self, place: str) -> str:
        """What tells this place from every other: two places with one key are the same page."""
        ...


@dataclass(frozen=True, slots=True)
class NextUrl:
    """Each page names the address of the next one in ``envelope.member``; followed to the letter, but never to another host.

    ``token``: the query parameter that says where the page begins; others, such as its number, may change while the place does not.
    """

    envelope: str
    member: str
    token: str

    @property
    def fields(self) -> tuple[str, ...]:
        return (self.envelope,)

    def following(self, rest: Mapping[str, Any]) -> str | None:
        envelope = rest[self.envelope]
        address = envelope.get(self.member) if isinstance(envelope, dict) else 0
        if address is None or (isinstance(address, str) and address):
            return address
        raise Malformed(f"the page's {self.envelope}.{self.member} is no address")

    def target(self, root: Root, place: str) -> str:
        return root.local(place)

    def key(self, place: str) -> str:
        return next((value for name, value in parse_qsl(urlsplit(place).query) if name == self.token), place)


@dataclass(frozen=True, slots=True)
class OwnWalk:
    """A page says nothing of the next one, and the connector walks by itself."""

    fields: tuple[str, ...] = ()

    def following(self, rest: Mapping[str, Any]) -> str | None:
        return None

    def target(self, root: Root, place: str) -> str:
        raise Incomplete(f"{place} is no place in this listing")

    def key(self, place: str) -> str:
        return place


@dataclass(frozen=True, slots=True)
class Listing:
    """``query``: of the first page, as it leaves. More than ``pages``, or ``empty`` ones in a row, are no directory but a fault."""

    call: Call
    items: str
    paging: Paging
    query: str = ""
    pages: int = 200_000
    empty: int = 10


@dataclass(frozen=True, slots=True)
class Table:
    """One provider's users. ``id``, ``version``: record members. ``json_text``: objects that arrive as JSON text.

    ``lookups``: attribute -> call that fetches the account whose attribute has that value. ``gone``: codes of a 404 that speak of the
    account; any other 404 may speak of the address. ``updates``: each carries its own fields; a change becomes one step for each it needs.
    ``ids``: what an account's id looks like; anything else is refused before it is sent. ``answers_id``: writes answer the account's id
    alone, so that it is read back.
    """

    capability: Capability
    id: str
    listing: Listing
    fetch: Call
    create: Call
    updates: tuple[Call, ...]
    delete: Call
    lookups: Mapping[str, Call] = field(default_factory=dict)
    gone: frozenset[str] = frozenset({"404"})
    version: str | None = None
    json_text: frozenset[str] = frozenset()
    ids: re.Pattern[str] | None = None
    answers_id: bool = False


def fitting(spec: AttributeSpec, value: Any) -> Any:
    """The value as the provider stores it. Raises Rejected with its length when it is over the limit: nothing is ever cut."""
    if spec.normalize is not None:
        value = spec.normalize(value)
    try:
        size, unit = _size(spec, value)
    except (UnicodeEncodeError, ValueError) as error:
        raise Rejected(f"{spec.name}: {error}") from None
    if spec.limit is not None and size > spec.limit:
        raise Rejected(f"{spec.name} would have {size:,} {unit}, the provider keeps at most {spec.limit:,}", "too_long")
    return value


def _size(spec: AttributeSpec, value: Any) -> tuple[int, str]:
    """Raises for what UTF-8 or JSON cannot carry."""
    if spec.kind == "object":
        return len(strict.dumps(value).encode()), "bytes"
    return spec.length(value) if isinstance(value, str) else (0, "characters")
