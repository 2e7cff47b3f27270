"""What the tests of the engine say often: worlds, targets, second sources, what was written."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import timedelta
from pathlib import Path
from shutil import copy
from tempfile import TemporaryDirectory
from typing import Any

from syncd.connectors.file import FileConnector, FileOptions
from syncd.engine.planning import Plan
from syncd.model import Connection, Deprovision, MapEntry, Rate, Target
from syncd.store import connections, links
from tests import stores
from tests.world import LIMITS, World, columns, entries, person, planned

MakeWorld = Callable[..., World]

NOTHING: Mapping[str, int] = {"create": 0, "adopt": 0, "update": 0, "disable": 0, "delete": 0}


@dataclass(frozen=True)
class Template:
    """An empty store to copy."""

    store: Path

    def world(self, root: Path, **options: Any) -> World:
        root.mkdir()
        if not stores.places.postgresql:
            copy(self.store, root / "syncd.db")
        return World(root, **options)

    @contextmanager
    def temporary(self, **options: Any) -> Iterator[World]:
        """A world for one example of a property."""
        with TemporaryDirectory() as root:
            made = self.world(Path(root) / "world", **options)
            try:
                yield made
            finally:
                made.close()
                stores.places.forget(str(made.root))


def target(all: str | None = None, *, grace: timedelta = timedelta(0), retain: str | None = None, rules: Mapping[str, str] | None = None,
           attributes: Mapping[str, Any] | None = None, **more: Any) -> Target:  # fmt: skip
    """A target; ``all``: what happens to leavers of both kinds that may be deleted, ``rules`` to those of one event."""
    chosen = {} if all is None else {"inactive": "keep" if all == "keep" else "disable", "out_of_scope": all, "departed": all}
    return Target(
        attributes=entries(attributes or {}), deprovision=Deprovision(**{**chosen, **(rules or {})}, grace=grace, retain=retain), **more
    )


def expression(text: str, **more: Any) -> MapEntry:
    return MapEntry("", "expr", text, **more)


def literal(value: Any, **more: Any) -> MapEntry:
    return MapEntry("", "value", value=value, **more)


def source(world: World, name: str, *, read: Mapping[str, Any] | None = None, authoritative: bool = True, timezone: str = "UTC"
           ) -> tuple[Connection, FileConnector]:  # fmt: skip
    """A second people file, NAME.csv; ``read``: what the configuration itself maps."""
    options = FileOptions(path=str(world.root / f"{name}.csv"), id="employeeNumber")
    mapped = {entry.name: entry for entry in (*columns(options.capability().read_defaults), *entries(read or {}))}
    connection = Connection(
        name, "file", options.binding(), name, authoritative=authoritative, read=tuple(mapped.values()), explicit=frozenset(read or {}),
        timezone=timezone,
    )  # fmt: skip
    return connection, FileConnector(options, environment=world.clock, rate=Rate(), writable=False)


def write(world: World, name: str, rows: Sequence[Mapping[str, str]]) -> None:
    """Replace the people file NAME.csv."""
    people = world.root / "people.csv"
    kept = people.read_bytes() if people.exists() else None
    world.write(rows)
    people.rename(world.root / f"{name}.csv")
    if kept is not None:
        people.write_bytes(kept)


def people(*numbers: int, **more: str) -> list[dict[str, str]]:
    return [person(number, **more) for number in numbers]


def mail(number: int) -> str:
    """The userName of `person(number)`."""
    return f"p{number}@corp.example"


def settled(world: World, name: str = "app") -> int:
    """How many changes have settled at a connection."""
    known = connections.row(world.store, name)
    return 0 if known is None else int(known.settled)


def writes(world: World) -> list[tuple[str, str]]:
    """(method, who) of every request the directory carried out, oldest first."""
    return [(step.method, step.change.who) for step in world.directory.log]


def states(world: World) -> dict[str, str]:
    """userName -> the state of the person's link at the target."""
    rows = world.store.rows("SELECT i.attributes ->> 'userName' AS who, l.state FROM link AS l JOIN identity AS i ON i.id = l.identity")
    return {row.who: row.state for row in rows}


def names(world: World) -> set[str]:
    """The userNames at the target."""
    return {account["userName"] for account in world.directory.accounts.values()}


def creates(world: World) -> int:
    return sum(method == "create" for method, _ in writes(world))


def kinds(plan: Plan) -> set[tuple[str, str]]:
    """(kind, code of the hold) of what a plan does."""
    return {(kind, code) for kind, _, code in planned(plan)}


def quiet(world: World) -> bool:
    """Nothing waits for a person, nothing is out of step."""
    return not world.pending() and links.count_out_of_step(world.store, "app") == 0


async def settle(world: World, *rows: Mapping[str, str]) -> None:
    """These people, and a run that brings everything in step."""
    world.write(list(rows))
    report, _ = await world.run()
    assert report.converged


async def established(make: MakeWorld, *rows: Mapping[str, str], **options: Any) -> World:
    """A world whose first contact was a minute ago; leavers are deleted unless ``options`` say otherwise."""
    world = make(**{"target": target("delete"), **options})
    await settle(world, *rows)
    world.clock.pass_time(timedelta(minutes=1))
    return world


async def limited(make: MakeWorld, count: int, **options: Any) -> World:
    """The same with ``count`` people, under the default limits."""
    return await established(make, *people(*range(1, count + 1)), limits=LIMITS, **options)
