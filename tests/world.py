"""A whole syncd in one test: a people file, a target, a store and a clock that only the test moves."""

from __future__ import annotations

import csv
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

from pydantic import SecretStr

from syncd.connectors.base import Connector
from syncd.connectors.file import FileConnector, FileOptions
from syncd.connectors.memory import MemoryConnector, MemoryOptions
from syncd.connectors.memory_directory import MemoryDirectory
from syncd.core.opinions import contributed
from syncd.engine.context import Connected, Context, anybody, canonical_names
from syncd.engine.cycle import cycle
from syncd.engine.leasing import WAIT
from syncd.engine.narrowing import WHOLE, Narrowing
from syncd.engine.planning import Plan
from syncd.engine.report import Report
from syncd.engine.saved import Saved
from syncd.engine.verify import verify
from syncd.environment import Environment
from syncd.model import Capability, Connection, Deprovision, Landscape, Limit, MapEntry, Rate, Target
from syncd.store import Store, chain, waiting
from tests import stores

LIMITS = {
    "delete": Limit(20, 5, 1), "create": Limit(500, 20, 10), "update": Limit(None, 50, 10), "clear": Limit(None, 5, 1),
}  # fmt: skip
NO_LIMITS: dict[str, Limit] = {}
DELETE = Deprovision(inactive="disable", out_of_scope="delete", departed="delete", grace=timedelta(0))


class Clock(Environment):
    """Time that passes only when a test, or a sleep, says so."""

    def __init__(self, at: datetime = datetime(2026, 1, 1, tzinfo=UTC)) -> None:
        super().__init__(seed=1)
        self.at = at
        self.elapsed = 0.0

    def now(self) -> datetime:
        return self.at

    def monotonic(self) -> float:
        return self.elapsed

    async def sleep(self, seconds: float) -> None:
        """Some time passes, however short the sleep: whoever waits for an instant must get there."""
        self.pass_time(max(timedelta(seconds=seconds), timedelta.resolution if seconds > 0 else timedelta()))
        await super().sleep(0)

    def pass_time(self, duration: timedelta) -> None:
        self.at += duration
        self.elapsed += duration.total_seconds()


def entries(mapping: Mapping[str, Any]) -> tuple[MapEntry, ...]:
    """name -> source: a plain name, a tuple of alternatives, or a MapEntry."""
    made = []
    for name, value in mapping.items():
        if isinstance(value, MapEntry):
            made.append(replace(value, name=name))
        elif isinstance(value, tuple):
            made.append(MapEntry(name, "first", ",".join(value)))
        else:
            made.append(MapEntry(name, "name", value))
    return tuple(made)


def columns(defaults: Mapping[str, str | tuple[str, ...]]) -> tuple[MapEntry, ...]:
    """The default columns of a people file: each may be absent."""
    return entries({name: value if isinstance(value, tuple) else (value,) for name, value in defaults.items()})


class Guarded(MemoryOptions):
    """A directory that asks who one is."""

    secret: SecretStr


@dataclass
class World:
    """``switch``: whether the target disables natively, ``delta``: whether it tells what changed, ``resumes``: whether its listing goes on
    where it was cut off; ``page``: accounts of a page, ``secret``: with which it is asked; ``memory``: how it behaves. ``read``: what the
    configuration itself maps of the people file (trusted keys). ``extra``: further connections, behind people and app. ``adapt``: wraps
    each connector of a run.

    All fields may be changed between runs.
    """

    root: Path
    clock: Clock = field(default_factory=Clock)
    target: Target | None = None
    limits: Mapping[str, Limit] = field(default_factory=dict)
    switch: bool = True
    delta: bool = False
    resumes: bool = False
    page: int = 100
    secret: str = "first secret"
    ignore: tuple[str, ...] = ()
    extra: Sequence[tuple[Connection, Connector]] = ()
    read: Mapping[str, Any] = field(default_factory=dict)
    timezone: str = "UTC"
    precedence: Mapping[str, tuple[str, ...]] = field(default_factory=dict)
    lease: timedelta = timedelta(seconds=10)
    concurrency: int = 4
    memory: type[MemoryConnector] = MemoryConnector
    adapt: Callable[[Connector], Connector] = lambda connector: connector

    def __post_init__(self) -> None:
        self.rows: list[dict[str, str]] = []
        self.directory = MemoryDirectory.named(str(self.root))
        self.open()
        self.columns = ["employeeNumber", "email", "name", "phone", "title", "department", "active", "activeFrom", "activeUntil", "login"]

    def open(self) -> None:
        """Open the store in the root: at the start, after it was lost, or as the next process after a crash."""
        self.store = Store(stores.url(self.root))

    def close(self) -> None:
        self.store.close()

    @property
    def people_file(self) -> Path:
        return self.root / "people.csv"

    def write(self, rows: Sequence[Mapping[str, str]]) -> None:
        """Replace the people file."""
        with self.people_file.open("w", newline="", encoding="utf-8") as file:
            writer = csv.DictWriter(file, self.columns, restval="", extrasaction="ignore")
            writer.writeheader()
            writer.writerows(rows)

    def landscape(self) -> Landscape:
        options = FileOptions(path=str(self.people_file), id="employeeNumber")
        read = {entry.name: entry for entry in (*columns(options.capability().read_defaults), *entries(self.read))}
        source = Connection(
            "people", "file", options.binding(), "people", authoritative=True, read=tuple(read.values()), explicit=frozenset(self.read),
            timezone=self.timezone,
        )  # fmt: skip
        memory = self.options()
        capability = memory.capability()
        target = self.target or Target(attributes=())
        mapped = {**{entry.name: entry for entry in entries(capability.write_defaults)}, **{e.name: e for e in target.attributes}}
        target = replace(target, attributes=tuple(mapped.values()), limits=self.limits)
        app = Connection(
            "app",
            "memory",
            memory.binding(),
            "app",
            read=entries(capability.read_defaults),
            write=target,
            rate=Rate(concurrency=self.concurrency),
        )
        capabilities = {"app": capability, **{one.name: connector.capability for one, connector in self.extra}}
        connections = [asked(one, self.precedence, capabilities.get(one.name)) for one in (source, app, *(one for one, _ in self.extra))]
        return Landscape("default", tuple(connections), self.precedence, ignore=self.ignore, lease=self.lease)

    def options(self) -> Guarded:
        how = {"switch": self.switch, "delta": self.delta, "resumes": self.resumes, "page": self.page}
        return Guarded(directory=str(self.root), secret=SecretStr(self.secret), **how)

    def connected(self, landscape: Landscape, *, writable: bool) -> dict[str, Connected]:
        options = FileOptions(path=str(self.people_file), id="employeeNumber")
        memory = self.options()
        connectors: dict[str, Connector] = {
            "people": FileConnector(options, environment=self.clock, rate=Rate(), writable=writable),
            "app": self.memory(memory, environment=self.clock, rate=Rate(), writable=writable),
            **{one.name: connector for one, connector in self.extra},
        }
        names = canonical_names(landscape)
        asking = {"app": memory.passport}
        return {
            one.name: Connected(one, self.adapt(connectors[one.name]), landscape.instance, names, asking.get(one.name, anybody))
            for one in landscape.connections
        }

    async def run(
        self, mode: str = "delta", *, yes: bool = True, selection: Sequence[str] | None = None, wait: float = WAIT,
        meanwhile: Callable[[], object] = lambda: None, full: bool = False, narrowing: Narrowing = WHOLE,
        plan_file: Saved | None = None,
    ) -> tuple[Report, Plan]:  # fmt: skip
        """One cycle; ``yes`` is the person at the prompt, ``meanwhile`` what happens while it waits there. ``plan_file``: what is applied
        (mode "apply")."""

        async def approve(plan: Plan) -> bool:
            meanwhile()
            return yes

        landscape = self.landscape()
        connected = self.connected(landscape, writable=mode != "plan")
        chosen = selection or [one.name for one in landscape.connections]
        return await cycle(
            self.clock, landscape, connected, self.store, mode=mode, selection=chosen, approve=None if mode == "plan" else approve,
            wait=wait, full=full, narrowing=narrowing, plan_file=plan_file,
        )  # fmt: skip

    def verify(self) -> list[str]:
        """What `syncd verify` finds wrong."""
        landscape = self.landscape()
        names = [one.name for one in landscape.connections]
        context = Context(self.clock, self.store, landscape, self.connected(landscape, writable=False), names)
        return [*chain.broken(self.store), *verify(context)]

    def account(self, who: str) -> dict[str, Any]:
        """The only account at the target with this userName."""
        (found,) = (one for one in self.directory.accounts.values() if one.get("userName") == who)
        return found

    def pending(self) -> list[tuple[str, str, str]]:
        """(state, code of the hold, who) of all that waits for a person, releases apart."""
        return [(row.state, row.hold, row.who) for row in waiting.listing(self.store) if row.released_at is None]

    def release(self, *who: str) -> None:
        """`held release`: everything that is held, or only these people's."""
        rows = [row.id for row in waiting.listing(self.store, state="held") if not who or row.who in who]
        waiting.release(self.store, rows, self.clock.now())

    def reject(self, *who: str) -> None:
        """`held reject`."""
        waiting.refuse(self.store, [row.id for row in waiting.listing(self.store, state="held") if not who or row.who in who])

    def take_back(self) -> None:
        """`held release` of everything that was rejected and can be released."""
        rows = self.store.rows("SELECT id FROM pending WHERE state = 'kept'")
        waiting.release(self.store, [row.id for row in rows], self.clock.now())


def asked(one: Connection, precedence: Mapping[str, Sequence[str]], capability: Capability | None) -> Connection:
    """A target is asked for what ``precedence`` names it for."""
    if one.write is None or capability is None:
        return one
    names = [attribute for attribute, order in precedence.items() if one.name in order]
    return replace(one, contributes=tuple(contributed(name, one, capability) for name in names))


def planned(plan: Plan) -> list[tuple[str, str, str]]:
    """(kind, who, code of the hold) of every change of a plan, in no particular order."""
    return sorted((row.kind, row.who, row.hold) for row in plan.changes())


def person(number: int, **more: str) -> dict[str, str]:
    """A made-up row of the people file."""
    return {"employeeNumber": f"e{number}", "email": f"p{number}@corp.example", "name": f"Person {number}", **more}
