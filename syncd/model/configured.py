"""What a person configured, as the engine gets it: frozen and resolved."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import timedelta
from typing import Any


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
    revoke: bool = True
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
    ``precedence`` order is the order of the connections handed to the engine, unless an attribute names its own. ``contributes``: of a
    target, where its accounts say what precedence asks of it.
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
    contributes: tuple[MapEntry, ...] = ()


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
