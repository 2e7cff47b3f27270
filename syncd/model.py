"""Every record that crosses a boundary: frozen, standard library only, in the field's standard terms."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from enum import StrEnum
from typing import Any, NewType

Cursor = NewType("Cursor", str)
"""A place inside one listing; opaque outside its connector."""
Watermark = NewType("Watermark", str)
"""Everything before it has been seen (overlap included)."""

Attributes = Mapping[str, Any]
"""Attribute name -> JSON value. Canonical attributes carry SCIM names (RFC 7643); provider attributes the provider's own."""

USER = "user"
CANONICAL = (
    "userName", "externalId", "displayName", "givenName", "familyName", "email", "phone", "photo", "active", "title", "department",
    "organization", "tenant", "roles", "labels", "locale", "timezone", "activeFrom", "activeUntil",
)  # fmt: skip
SETS = frozenset({"roles", "labels"})


class Kind(StrEnum):
    """What a change does to one account."""

    CREATE = "create"
    ADOPT = "adopt"
    UPDATE = "update"
    DISABLE = "disable"
    DELETE = "delete"


LEAVING = frozenset({Kind.DISABLE, Kind.DELETE})


class Mutability(StrEnum):
    """When a provider attribute can be written (RFC 7643 section 7, by its own names where they fit)."""

    READ_WRITE = "readWrite"
    IMMUTABLE = "immutable"  # set by create, never afterwards (Twilio identity)
    READ_ONLY = "readOnly"
    WRITE_ONLY = "writeOnly"


# ---- what a connector declares -------------------------------------------------------------------------------------


@dataclass(frozen=True, slots=True)
class AttributeSpec:
    """One provider attribute, as its table declares it.

    ``kind``: string | boolean | number | set (unordered list) | object (members reached as ``name.member``).
    ``normalize`` maps a value to the form in which the provider stores it, so that asked and kept compare equal.
    ``limit``: longest value, in characters, or in bytes of UTF-8 JSON for an object. ``trusted``: only an administrator can write it.
    ``trusted_if``: the boolean attribute of the same account that must be true for its value to be trusted.
    ``carried``: present in list answers (False: only in fetch, and never compared).
    """

    name: str
    kind: str = "string"
    mutability: Mutability = Mutability.READ_WRITE
    normalize: Callable[[Any], Any] | None = None
    limit: int | None = None
    trusted: bool = False
    trusted_if: str | None = None
    carried: bool = True


@dataclass(frozen=True, slots=True)
class Capability:
    """What one connector can do; planner and `syncd check` read it, so nothing is planned that the wire cannot do.

    ``key``: the provider attribute that must be unique and is set only by create. ``marker``: the path that carries ``instance:id``;
    its trust is that of its attribute, and its form that attribute's normal one. ``marked_late``: a create cannot carry it, a later step
    does. ``own_ids``: ``key`` is the account's id, chosen by us: the identity's where the map says nothing. ``switch``: (attribute, live value, disabled value) of a native disable. ``gone``: a fetch
    may prove absence. ``write_defaults``: provider path <- canonical name. ``read_defaults``: canonical name <- provider path;
    a tuple names alternatives, first present wins.
    """

    attributes: Mapping[str, AttributeSpec]
    writes: bool = True
    deletes: bool = True
    delta: bool = False
    gone: bool = True
    key: str | None = None
    marker: str | None = None
    marked_late: bool = False
    own_ids: bool = False
    switch: tuple[str, Any, Any] | None = None
    write_defaults: Mapping[str, str] = field(default_factory=dict)
    read_defaults: Mapping[str, str | tuple[str, ...]] = field(default_factory=dict)

    def spec(self, path: str) -> AttributeSpec | None:
        """The declaration that governs ``path``: its own, or that of the object it is a member of; None = no such attribute."""
        own = self.attributes.get(path)
        if own is not None:
            return own
        head, dot, _ = path.partition(".")
        parent = self.attributes.get(head)
        return parent if dot and parent is not None and parent.kind == "object" else None


# ---- what a provider answers ---------------------------------------------------------------------------------------


@dataclass(frozen=True, slots=True)
class Account:
    """A user record at a connection: what the provider answered, never an echo of what was asked. An object attribute is a nested dict."""

    id: str
    attributes: Attributes
    object: str = USER
    version: str | None = None


@dataclass(frozen=True, slots=True)
class Ref:
    """Where one account is: its provider id, and the container it lives in, if any."""

    id: str
    object: str = USER
    container: str | None = None


@dataclass(frozen=True, slots=True)
class Gone:
    """A 404-like answer: the account did not exist at ``at`` (UTC)."""

    at: datetime


@dataclass(frozen=True, slots=True)
class Unknown:
    """The provider cannot say whether the account exists."""

    reason: str = ""


@dataclass(frozen=True, slots=True)
class Flaw:
    """A record that could not be read: ``where`` names its place (line 12), ``id`` is its account id when that much is known."""

    where: str
    reason: str
    id: str | None = None


@dataclass(frozen=True, slots=True)
class Page:
    """One page of a listing.

    ``records``: raw bytes of each record, as received (a file row travels as one JSON object); known bytes are never parsed.
    ``first``: ordinal of its first record in the listing. ``next``: None at the end. ``deleted``: ids a delta says are gone.
    ``flaws``: records that are no JSON object or break the framing. ``complete``: True only on the last page of a listing whose end was
    proven; ``defect`` says why a finished listing is not complete.
    """

    records: Sequence[bytes]
    first: int = 0
    next: Cursor | None = None
    deleted: Sequence[str] = ()
    watermark: Watermark | None = None
    complete: bool = False
    defect: str = ""
    flaws: Sequence[Flaw] = ()
    object: str = USER


@dataclass(frozen=True, slots=True)
class Health:
    """What `check` found: ``permissions`` by name, ``problems`` each with its cure."""

    ok: bool
    permissions: Mapping[str, bool] = field(default_factory=dict)
    problems: tuple[str, ...] = ()


@dataclass(slots=True)
class Meter:
    """Running totals of one connection's traffic: requests sent, answers that said slow down, mean seconds a request."""

    requests: int = 0
    throttled: int = 0
    seconds: float = 0.0


# ---- what a person configured --------------------------------------------------------------------------------------


@dataclass(frozen=True, slots=True)
class MapEntry:
    """One line of an attribute map: where the value of ``name`` comes from.

    ``source``: "name" (``text`` is a canonical name, column or path), "expr" (``text`` is CEL), "value" (``value`` is the typed literal),
    "first" (``text`` holds comma-separated names, the first present wins). ``where`` is the file:line:column to quote.
    """

    name: str
    source: str
    text: str = ""
    value: Any = None
    table: Mapping[str, Any] | None = None
    default: Any = None
    has_default: bool = False
    on_create: bool = False
    keep_empty: bool = False
    replace: bool = False
    own: str | None = None
    where: str = ""


@dataclass(frozen=True, slots=True)
class Limit:
    """allowed = max(least, min(maximum, floor(percent of owned accounts))) distinct accounts in 24 h; ``maximum`` None = no cap."""

    maximum: int | None
    percent: float
    least: int


@dataclass(frozen=True, slots=True)
class Deprovision:
    """What happens to an owned account at each event: disable | delete | keep. ``retain`` is the CEL or attribute that forbids deletion."""

    inactive: str = "keep"
    out_of_scope: str = "keep"
    departed: str = "keep"
    grace: timedelta = timedelta(days=7)
    retain: str | None = None


@dataclass(frozen=True, slots=True)
class Target:
    """The ``write:`` section of a connection, defaults filled in. ``attributes`` is the whole effective map."""

    attributes: tuple[MapEntry, ...]
    scope: str | None = None
    correlate: tuple[str, ...] = ("externalId", "userName", "email")
    adopt: str = "matched"
    apply: str = "auto"
    deprovision: Deprovision = Deprovision()
    disabled: Mapping[str, Any] = field(default_factory=dict)
    drift: str = "repair"
    on_key_change: str = "keep"
    limits: Mapping[str, Limit] = field(default_factory=dict)
    settle: timedelta = timedelta(seconds=10)


@dataclass(frozen=True, slots=True)
class Rate:
    """Pacing of one connection: requests per second (None = unknown) and how many at once."""

    per_second: float | None = None
    concurrency: int = 8


@dataclass(frozen=True, slots=True)
class Connection:
    """One configured instance of a connector. ``binding``: what ties its accounts to one directory (connector, root, project...).

    ``read``: the whole effective read map (canonical <- provider). ``explicit``: names the config maps itself (trusted in a file).
    ``precedence`` order is the order of the connections handed to the engine, unless an attribute names its own.
    """

    name: str
    connector: str
    binding: Mapping[str, str]
    namespace: str
    authoritative: bool = False
    read: tuple[MapEntry, ...] = ()
    explicit: frozenset[str] = frozenset()
    timezone: str = "UTC"
    write: Target | None = None
    rate: Rate = Rate()


@dataclass(frozen=True, slots=True)
class Landscape:
    """All the engine needs to know of a configuration: instance, connections in file order, precedence by attribute, ignore globs."""

    instance: str
    connections: tuple[Connection, ...]
    precedence: Mapping[str, tuple[str, ...]] = field(default_factory=dict)
    ignore: tuple[str, ...] = ()
    lease: timedelta = timedelta(seconds=10)

    def connection(self, name: str) -> Connection:
        return next(one for one in self.connections if one.name == name)


# ---- what syncd decides --------------------------------------------------------------------------------------------


@dataclass(frozen=True, slots=True)
class Change:
    """One create / adopt / update / disable / delete with its reason.

    ``delta``: provider path -> (before, after); None = no value. ``account``: the provider's id, None before creation. ``document``: the
    account's attributes when planned (None for a create): read-merge-write starts there. ``expects``: its fingerprint then.
    """

    id: str
    connection: str
    kind: Kind
    identity: str
    who: str
    account: str | None
    delta: Mapping[str, tuple[Any, Any]]
    reason: str
    document: Attributes | None = None
    expects: bytes | None = None
    object: str = USER
    replaces: str | None = None


@dataclass(frozen=True, slots=True)
class Step:
    """One unsafe request of a change. ``creates``: an ambiguous answer may have made an account. ``method``/``path``/``body`` are the
    connector's own business; ``summary`` is what the journal and the log may show (no secret, no personal value)."""

    change: Change
    n: int
    method: str
    path: str
    body: Any = None
    creates: bool = False
    summary: str = ""
