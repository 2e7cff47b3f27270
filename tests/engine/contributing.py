"""Landscapes in which targets have a say: a file, a target that contributes, and another."""

from __future__ import annotations

from datetime import timedelta
from typing import Any

from syncd.connectors.memory import MemoryConnector, MemoryOptions
from syncd.model import Connection, Rate
from tests.engine.worlds import MakeWorld, mail, settle, target
from tests.world import World, entries, person, planned

FIRST = {"phone": ("app", "people")}


def other(w: World, name: str = "second", **more: Any) -> tuple[Connection, MemoryConnector]:
    """A further target."""
    options = MemoryOptions(directory=f"{w.root}-{name}")
    connector = MemoryConnector(options, environment=w.clock, rate=Rate(), writable=True)
    capability = options.capability()
    made = target("delete", attributes={**capability.write_defaults, **more.pop("attributes", {})}, **more)
    return Connection(name, "memory", options.binding(), name, read=entries(capability.read_defaults), write=made), connector


async def two(make: MakeWorld, *rows: dict[str, str], **options: Any) -> World:
    """A file that feeds two targets of which the first has a say in telephone numbers."""
    w = make(**{"target": target("delete"), "precedence": FIRST, **options})
    w.extra = [other(w)]
    await settle(w, *(rows or (person(1, phone="1"),)))
    return w


def phones(w: World, number: int = 1) -> tuple[Any, ...]:
    """At app, and at every further target."""
    directories = [w.directory, *(connector.directory for _, connector in w.extra if isinstance(connector, MemoryConnector))]
    return tuple(
        account.get("phone") for one in directories for account in one.accounts.values() if account["userName"] == mail(number)
    )  # fmt: skip


def said(w: World, name: str) -> list[str]:
    """What everybody is known to have, in the order of their names."""
    rows = w.store.rows(f"SELECT attributes ->> '{name}' AS value FROM identity ORDER BY attributes ->> 'displayName'")
    return [row.value for row in rows]


def written(w: World) -> list[int]:
    """How many requests each target carried out."""
    return [len(one.log) for one in (w.directory, *(each.directory for _, each in w.extra if isinstance(each, MemoryConnector)))]


async def at_rest(w: World) -> None:
    """Within two runs nothing is planned any more, and the documents say what is stored."""
    for _ in range(2):
        w.clock.pass_time(timedelta(minutes=1))
        await w.run()
    w.clock.pass_time(timedelta(minutes=1))
    report, plan = await w.run()
    assert (planned(plan), report.converged, w.verify()) == ([], True, [])
