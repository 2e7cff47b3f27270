"""What a provider answers: accounts, pages, proof of absence."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime

from syncd.model.words import USER, Attributes, Cursor, Watermark


@dataclass(frozen=True, slots=True)
class Account:
    """A user record at a connection: what the provider answered, never an echo of what was asked. An object attribute is a nested dict.

    ``container``: the id of the outermost container it lives in. ``protected``: our own account at the provider, or one with more rights
    than it: neither linked nor written.
    """

    id: str
    attributes: Attributes
    object: str = USER
    version: str | None = None
    container: str | None = None
    protected: bool = False


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
    proven; ``defect`` says why a finished listing is not complete. ``columns``: on the last page of a file, the columns (or members) that
    any of its records has. ``container``: in which all these accounts live, if in any.
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
    columns: Sequence[str] = ()
    container: str | None = None


@dataclass(frozen=True, slots=True)
class Health:
    """What `check` found: ``permissions`` by name, ``problems`` each with its cure."""

    ok: bool
    permissions: Mapping[str, bool] = field(default_factory=dict)
    problems: tuple[str, ...] = ()


@dataclass(slots=True)
class Meter:
    """Running totals of one connection's traffic: requests sent, answers that said slow down, mean seconds a request.

    ``statuses``: how many requests ended with each HTTP status, "none" without one.
    """

    requests: int = 0
    throttled: int = 0
    seconds: float = 0.0
    statuses: dict[str, int] = field(default_factory=dict)
