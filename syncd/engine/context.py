"""What one run carries along: the environment, the store, the landscape, and each connection with its connector and compiled rules."""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from functools import cached_property

from syncd.connectors.base import Connector
from syncd.core.correlation import Ignore
from syncd.core.fingerprint import fingerprint
from syncd.core.mapping import ReadMap
from syncd.core.opinions import Opinions
from syncd.core.policy import Policy
from syncd.engine.tree import Tree
from syncd.environment import Environment
from syncd.errors import Ending, Lost
from syncd.model import CANONICAL, Connection, Landscape, MapEntry, Work
from syncd.store import Store, lease

Asking = Callable[[bytes], Mapping[str, str]]
"""Who asks for listings, and how, as digests keyed with the key given (`syncd.connectors.base.Options.passport`)."""


def anybody(key: bytes) -> Mapping[str, str]:
    """Where nobody says who asks."""
    return {}


class Connected:
    """One configured connection, ready to use. ``policy`` is None where syncd only reads. ``carried``: the attributes that its answers
    should hold; ``needed``: those without which an account at a target cannot be compared. ``opinions``: what a target's accounts say of
    people themselves. ``work``: what is being done to it right now.
    """

    def __init__(
        self, connection: Connection, connector: Connector, instance: str, canonical: Sequence[str], asking: Asking = anybody
    ) -> None:  # fmt: skip
        self.connection, self.connector, self.asking = connection, connector, asking
        self.name = connection.name
        self.work = Work()
        self.columns = connection.connector == "file"
        self.read_map = ReadMap(connection.read, connector.capability, columns=self.columns)
        self.policy = Policy(connection, connector.capability, instance, canonical) if connection.write else None
        self.opinions = Opinions(connection.contributes, connector.capability)
        self.carried = connector.capability.carried
        self.needed = self.carried & self.policy.managed if self.policy else frozenset()

    @cached_property
    def reading(self) -> bytes:
        """Changes whenever the same bytes could be read differently, or something else of them kept."""
        entries = [_plain(entry) for entry in self.connection.read]
        roles = {"source": self.connection.authoritative, "target": self.connection.write is not None}
        own = {name: list(paths) if isinstance(paths, tuple) else paths for name, paths in self.connector.capability.read_defaults.items()}
        return fingerprint({"read": entries, "own": own, "zone": self.connection.timezone, "write": _correlate(self.connection), **roles})


@dataclass(slots=True)
class Context:
    """One run. ``tokens``: the fencing token of each leased connection; ``held_at``: the last moment (monotonic) all were known to be held.

    ``contributing``: targets whose accounts have a say in what people are like. ``several``: two accounts of sources can be one person's.
    ``changed_rules``: targets whose map, scope or sources are not those of the last whole cycle.
    ``seen``: when each connection was last read to the end of what it shows, ``sealed``: of all it shows; ``planned_at``: when planning
    began; ``began``: when the run began; ``notes``: what a person should know of it. ``full``: everything is to be read. ``narrowed``:
    only some people's changes are provisioned, and so many of others are ``left``. ``saved``: a plan that was saved earlier is applied:
    nothing is listed but files, and each account asked for by itself. ``rules``: those by which this run projects each target; ``apart``:
    people are free for other runs while this one sends. ``turn``: shared by the runs of one process, held while a run has the leases of
    all sources (``in_turn``): the others of it queue. ``trees``: the containers of each connection that was read and has
    any. ``offline``: no provider is asked anything.
    """

    environment: Environment
    store: Store
    landscape: Landscape
    connected: Mapping[str, Connected]
    selected: Sequence[str]
    full: bool = False
    narrowed: bool = False
    offline: bool = False
    left: int = 0
    saved: bool = False
    trees: dict[str, Tree] = field(default_factory=dict)
    run: int = 0
    tokens: dict[str, int] = field(default_factory=dict)
    changed_rules: set[str] = field(default_factory=set)
    rules: dict[str, str] = field(default_factory=dict)
    apart: bool = False
    turn: asyncio.Lock = field(default_factory=asyncio.Lock)
    in_turn: bool = False
    held_at: float = 0.0
    seen: dict[str, datetime] = field(default_factory=dict)
    sealed: dict[str, datetime] = field(default_factory=dict)
    planned_at: datetime | None = None
    renewal: asyncio.Lock = field(default_factory=asyncio.Lock)
    notes: list[str] = field(default_factory=list)
    began: datetime = field(init=False)
    ignore: Ignore = field(init=False)
    authoritative: list[str] = field(init=False)
    targets: list[str] = field(init=False)
    contributing: list[str] = field(init=False)
    several: bool = field(init=False)
    namespaces: Mapping[str, str] = field(init=False)
    _ticks: float = field(init=False)

    def __post_init__(self) -> None:
        self.ignore = Ignore(self.landscape.ignore)
        self.authoritative = [one.name for one in self.landscape.connections if one.authoritative]
        self.targets = [one.name for one in self.landscape.connections if one.write is not None]
        self.contributing = [one.name for one in self.landscape.connections if one.contributes]
        sources = [one for one in self.landscape.connections if one.authoritative]
        self.several = len(sources) > 1 or any("externalId" in one.explicit for one in sources)
        self.namespaces = {one.name: one.namespace for one in self.landscape.connections}
        self.began, self._ticks = self.environment.now(), self.environment.monotonic()

    def now(self) -> datetime:
        """The time by which this run judges people: it passes as durations do, also while the clock jumps."""
        return self.began + timedelta(seconds=self.environment.monotonic() - self._ticks)

    async def breathe(self) -> None:
        """Let others run between two blocks of local work, and hold on to the leases meanwhile. Raises Ending."""
        self.go_on()
        self.hold_on()
        await self.environment.sleep(0)

    def hold_on(self) -> None:
        """Renew the leases of this run. Raises Fatal when the store cannot be written, Busy when another process keeps it locked."""
        began = self.environment.monotonic()
        lease.renew(self.store, self.tokens, self.environment.now(), self.landscape.lease)
        self.held_at = began

    def go_on(self) -> None:
        """Raise Ending when this process is asked to end: asked before anything that can be left to the next run."""
        if self.environment.ending:
            raise Ending

    def permit(self, connection: str) -> None:
        """Raise Lost unless the lease is known to be held: not when this process stood still, or could not renew it, for so long
        that another run may hold it by now; Paused where a person wants nothing written, or this process is asked to end. Asked before
        each unsafe request."""
        self.go_on()
        if self.environment.monotonic() - self.held_at >= self.landscape.lease.total_seconds():
            raise Lost(f"{connection}: this run did not renew its lease in time, nothing more is sent from here")
        lease.fence(self.store, connection, self.token(connection), self.environment.now())

    def token(self, connection: str) -> int:
        """The fencing token of a lease of this run; where it was given up, one that is none."""
        return self.tokens.get(connection, 0)

    def holds(self, connection: str) -> bool:
        """Whether it is this run still that works there."""
        try:
            lease.alone(self.store, connection, self.token(connection), self.environment.now())
        except Lost:
            return False
        return True

    def chosen(self, names: Sequence[str]) -> list[Connected]:
        """Those of ``names`` that this run works on, in order."""
        return [self.connected[name] for name in names if name in self.selected]


def canonical_names(landscape: Landscape) -> tuple[str, ...]:
    """The canonical attributes of this landscape: SCIM's, and every further name a read map defines."""
    further = {entry.name for one in landscape.connections for entry in one.read}
    return (*CANONICAL, *sorted(further - set(CANONICAL)))


def _plain(entry: MapEntry) -> list[object]:
    return [entry.name, entry.source, entry.text, entry.value, dict(entry.table or {}), entry.default, entry.has_default]


def _correlate(connection: Connection) -> list[str]:
    return list(connection.write.correlate) if connection.write else []
