"""The memory connector with tenants in organizations: accounts live in those that exist, and nothing is deleted in which somebody lives."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from typing import Any, ClassVar

import orjson

from syncd.connectors.memory import MemoryConnector, MemoryOptions
from syncd.core.containers import bears
from syncd.core.correlation import identity_id, marker
from syncd.core.paths import with_value
from syncd.environment import Environment
from syncd.errors import Rejected
from syncd.model import (
    USER,
    Account,
    AttributeSpec,
    Capability,
    Change,
    Container,
    Cursor,
    Fading,
    Flaw,
    Gone,
    Kind,
    Mutability,
    Page,
    Rate,
    Ref,
    Step,
    Unknown,
    Watermark,
)
from syncd.store import waiting
from tests.engine.worlds import MakeWorld, established, people, target
from tests.world import World

ORGANIZATION, TENANT = "organization", "tenant"
Place = tuple[str, str]


def _capability(*own: AttributeSpec) -> Capability:
    id = AttributeSpec("id", mutability=Mutability.IMMUTABLE, trusted=True)
    specs = (id, AttributeSpec("name"), *own, AttributeSpec("meta", "object"))
    return Capability(attributes={spec.name: spec for spec in specs}, key="id", marker="meta.syncd")


KINDS = {
    ORGANIZATION: Container(_capability(), ORGANIZATION, open=False),
    TENANT: Container(_capability(AttributeSpec(ORGANIZATION, mutability=Mutability.IMMUTABLE)), TENANT, within=ORGANIZATION),
}


@dataclass
class Town:
    """``found``: the containers there are. ``named``: kind -> id -> what the configuration gives it. ``stubborn``: keeps its containers'
    names. ``broken``: kinds whose listing shows a record that cannot be read; ``flawed``: the flaws of the listing of users. ``vague``: a
    fetch proves presence alone. ``refused``: userNames of whom no account is made."""

    found: dict[Place, dict[str, Any]] = field(default_factory=dict)
    named: dict[str, dict[str, dict[str, Any]]] = field(default_factory=dict)
    stubborn: bool = False
    broken: set[str] = field(default_factory=set)
    flawed: list[Flaw] = field(default_factory=list)
    vague: bool = False
    refused: set[str] = field(default_factory=set)
    known: ClassVar[dict[str, Town]] = {}

    @classmethod
    def of(cls, name: str) -> Town:
        return cls.known.setdefault(name, cls())

    def add(self, object: str, id: str, **attributes: Any) -> None:
        """As if it had always been there."""
        self.found[object, id] = attributes

    def ids(self, object: str) -> set[str]:
        return {id for kind, id in self.found if kind == object}


class TownConnector(MemoryConnector):
    """Organizations are listed first, then tenants, then users."""

    def __init__(self, options: MemoryOptions, *, environment: Environment, rate: Rate, writable: bool) -> None:
        super().__init__(options, environment=environment, rate=rate, writable=writable)
        self.town = Town.of(options.directory)
        kinds = {kind: replace(one, named=self.town.named.get(kind, {})) for kind, one in KINDS.items()}
        fading = {"gone": False, "fading": Fading()} if self.town.vague else {}
        self.capability = replace(self.capability, containers=kinds, **fading)

    def parse(self, record: bytes, object: str = USER) -> Account:
        if object == USER:
            return super().parse(record)
        try:
            document = orjson.loads(record)
        except orjson.JSONDecodeError as error:
            raise Rejected("cut off") from error
        return Account(document["id"], document, object=object)

    async def list(self, cursor: Cursor | None, since: Watermark | None = None) -> Page:
        if cursor is not None and cursor not in KINDS:
            page = await super().list(None if cursor == USER else cursor)
            return replace(page, flaws=tuple(self.town.flawed))
        object = ORGANIZATION if cursor is None else str(cursor)
        records = [orjson.dumps({**one, "id": id}) for (kind, id), one in sorted(self.town.found.items()) if kind == object]
        following = Cursor({ORGANIZATION: TENANT, TENANT: USER}[object])
        return Page((*records, b"{") if object in self.town.broken else records, next=following, object=object)

    async def fetch(self, ref: Ref) -> Account | Gone | Unknown:
        if ref.object != USER:
            with self.directory.doing("visit"):
                found = self.town.found.get((ref.object, ref.id))
            return Unknown("not shown") if found is None else Account(ref.id, {**found, "id": ref.id}, object=ref.object)
        answer = await super().fetch(ref)
        return Unknown("nothing proves it") if self.town.vague and isinstance(answer, Gone) else answer

    def steps(self, change: Change) -> tuple[Step, ...]:
        if change.who.startswith("!"):
            raise Rejected(f"{change.who} is no id")
        if change.object == USER:
            return super().steps(change)
        body = {path: after for path, (_, after) in change.delta.items()}
        return (Step(change, 1, change.kind.value, change.object, body, creates=change.kind is Kind.CREATE),)

    async def perform(self, step: Step) -> Account | None:
        if step.change.object == USER:
            self._check_home(step)
            return await super().perform(step)
        self.permit()
        with self.directory.doing(step.method):
            self.directory.log.append(step)
            return self._contain(step)

    def _check_home(self, step: Step) -> None:
        if step.change.who in self.town.refused:
            raise Rejected("not them")
        for kind in KINDS:
            id = (step.body or {}).get(kind)
            if id is not None and (kind, id) not in self.town.found:
                raise Rejected(f"there is no {kind} {id}")

    def _contain(self, step: Step) -> Account | None:
        place = (step.change.object, step.change.who)
        if step.change.kind is Kind.DELETE:
            if any(one.get(place[0]) == place[1] for one in self.directory.accounts.values()):
                raise Rejected(f"{place[1]} is not empty", "not_empty")
            self.town.found.pop(place, None)
            return None
        after: Mapping[str, Any] = self.town.found.get(place, {})
        for path, value in step.body.items():
            if not (path == "name" and self.town.stubborn and place in self.town.found):
                after = with_value(after, path, value)
        self.town.found[place] = dict(after)
        return Account(place[1], {**after, "id": place[1]}, object=place[0])


def town(world: World) -> Town:
    return Town.of(str(world.root))


def ours(world: World, object: str, id: str) -> bool:
    """Whether it bears the marker of this instance."""
    mark = marker("default", identity_id("default", f"memory/{object}", id))
    return bears(KINDS[object], town(world).found[object, id], mark)


def make(world: MakeWorld, **options: Any) -> World:
    """A world with the town's connector, in which the organization ``acme`` exists; leavers are deleted."""
    made = world(**{"target": target("delete"), "memory": TownConnector, **options})
    made.columns += [ORGANIZATION, TENANT]
    town(made).add(ORGANIZATION, "acme")
    return made


async def settled(world: MakeWorld, *rows: Mapping[str, str], **options: Any) -> World:
    """The same, once these people are in step."""
    return await established(lambda **all: make(world, **all), *rows, **options)


def living(*numbers: int, **more: str) -> list[dict[str, str]]:
    """People of the tenant ``north`` in ``acme``, unless ``more`` says otherwise."""
    return people(*numbers, **{ORGANIZATION: "acme", TENANT: "north", **more})


async def rests(world: World) -> None:
    """A further run plans nothing, and what is stored is what the documents say."""
    report, _ = await world.run()
    assert (report.converged, changes(world), world.verify()) == (True, [], [])


def reasons(world: World) -> list[tuple[str, str, str]]:
    """(state, who, why) of all that waits."""
    return [(row.state, row.who, row.reason) for row in sorted(waiting.listing(world.store), key=lambda row: row.who)]


def changes(world: World) -> list[tuple[str, str, str, str]]:
    """(object, kind, who, state) of every change of the last run, in order of planning."""
    rows = world.store.rows("SELECT object, kind, who, state FROM change WHERE run = (SELECT max(id) FROM run) ORDER BY seq")
    return [(row.object, row.kind, row.who, row.state) for row in rows]
