"""T1: finding and deciding what is out of step among 1,000,000 links at 4 connections, against a bare key anti-join of the same data."""

from __future__ import annotations

import asyncio
import tempfile
from collections.abc import Iterator
from hashlib import blake2b
from pathlib import Path
from typing import Any

import orjson

from syncd.core.correlation import identity_id
from syncd.core.project import Holding, Person, project
from syncd.engine.context import Connected, Context, canonical_names
from syncd.environment import Environment, stamp
from syncd.model import Connection, Landscape, Rate, Target
from syncd.store import Store, links
from tests.bench.table import compare, show
from tests.world import columns, entries

CONNECTIONS = 4


def main(count: int = 1_000_000, repeat: int = 5) -> None:
    """``count`` links over all connections together; one in a hundred is out of step, then none."""
    with tempfile.TemporaryDirectory() as root:
        context = _landscape(Path(root))
        print(f"filling {count:,} links at {CONNECTIONS} connections ...")
        _fill(context, count // CONNECTIONS)
        store, names = context.store, context.targets
        figures = compare(
            repeat,
            ("bare key anti-join", lambda: [_anti_join(store, name) for name in names]),
            ("index finds the rows", lambda: [sum(1 for _ in _rows(store, name)) for name in names]),
            ("... and Python decides from the documents", lambda: asyncio.run(_decide(context))),
        )
        store.run("UPDATE link SET actual = desired")
        quiet = compare(repeat, ("nothing out of step", lambda: [list(_rows(store, name)) for name in names]))
        bare, found, decided = figures
        ratios = [("find", found.median / bare.median, "<= 0.1"), ("find and decide", decided.median / bare.median, "<= 0.1")]
        show(f"T1 reconcile, {count:,} links, 1 % out of step", [*figures, *quiet], ratios)
        store.close()


def _landscape(root: Path) -> Context:
    from syncd.connectors.file import FileOptions
    from syncd.connectors.memory import MemoryConnector, MemoryOptions

    file = FileOptions(path=str(root / "people.csv"), id="id")
    made = [Connection("people", "file", file.binding(), "people", authoritative=True, read=columns(file.capability().read_defaults))]
    connected: dict[str, Connected] = {}
    for number in range(CONNECTIONS):
        options = MemoryOptions(directory=f"{root}{number}")
        capability = options.capability()
        made.append(
            Connection(
                f"app{number}", "memory", options.binding(), f"app{number}", read=entries(capability.read_defaults),
                write=Target(attributes=entries(capability.write_defaults)), rate=Rate(),
            )
        )  # fmt: skip
    landscape = Landscape("default", tuple(made))
    for number, one in enumerate(made[1:]):
        connector = MemoryConnector(MemoryOptions(directory=f"{root}{number}"), environment=Environment(), rate=Rate(), writable=False)
        connected[one.name] = Connected(one, connector, "default", canonical_names(landscape))
    return Context(Environment(), Store(f"sqlite:///{root}/syncd.db"), landscape, connected, [one.name for one in made])


def _fill(context: Context, people: int) -> None:
    store = context.store
    for start in range(0, people, 10_000):
        block = [_person(number) for number in range(start, min(people, start + 10_000))]
        with store.transaction():
            store.many(
                "INSERT INTO identity (id, attributes, live, ignored, forgotten) VALUES (:id, :attributes, 'live', FALSE, FALSE)",
                [{"id": one.id, "attributes": orjson.dumps(one.attributes).decode()} for one in block],
            )
            for number, name in enumerate(context.targets):
                _link(context, context.connected[name], number * people + start, block)


def _person(number: int) -> Person:
    name = f"p{number}@corp.example"
    return Person(identity_id("default", "people", str(number)), {"userName": name, "email": name, "displayName": f"Person {number}"})


def _link(context: Context, one: Connected, first: int, block: list[Person]) -> None:
    """Every hundredth account differs from what is wanted; of the others only the equality of their fingerprints counts."""
    accounts: list[dict[str, Any]] = []
    made: list[dict[str, Any]] = []
    for place, person in enumerate(block):
        row = first + place + 1
        document, desired, actual = _differing(context, one, person) if place % 100 == 0 else _in_step(row, person)
        accounts.append({"id": row, "c": one.name, "a": f"m{row}", "d": document})
        made.append({"c": one.name, "i": person.id, "a": row, "d": desired, "x": actual})
    context.store.many(
        "INSERT INTO account (id, connection, object, account, ordinal, ignored, document, missing_times)"
        " VALUES (:id, :c, 'user', :a, :id, FALSE, :d, 0)",
        accounts,
    )
    context.store.many(
        "INSERT INTO link (connection, identity, account_id, desired, actual, owned, generation, state, reason, counted, hold, failures)"
        " VALUES (:c, :i, :a, :d, :x, TRUE, 1, 'live', '', FALSE, '', 0)",
        made,
    )


def _in_step(row: int, person: Person) -> tuple[str, bytes, bytes]:
    same = blake2b(str(row).encode(), digest_size=16).digest()
    return orjson.dumps({**person.attributes, "active": True, "meta": {"syncd": person.id}}).decode(), same, same


def _differing(context: Context, one: Connected, person: Person) -> tuple[str, bytes | None, bytes | None]:
    assert one.policy is not None
    now = context.environment.now()
    wanted = project(one.policy, person, None, now).wanted or {}
    meta = {path.partition(".")[2]: value for path, value in wanted.items() if path.startswith("meta.") and value is not None}
    document = {path: value for path, value in wanted.items() if "." not in path and value is not None}
    document |= {"meta": meta, "displayName": "Somebody"}
    found = project(one.policy, person, Holding(document), now)
    return orjson.dumps(document).decode(), found.desired, found.actual


def _anti_join(store: Store, name: str) -> int:
    """What a tool without remembered state must ask: which people have no account here, and which accounts no person."""
    return int(
        store.value(
            "SELECT COUNT(*) FROM identity AS i WHERE NOT EXISTS"
            " (SELECT 1 FROM link AS l WHERE l.connection = :name AND l.identity = i.id AND l.account_id IS NOT NULL)",
            name=name,
        )
    )


def _rows(store: Store, name: str) -> Iterator[Any]:
    after = 0
    while rows := links.out_of_step(store, name, after):
        yield from rows
        after = rows[-1].link_id


async def _decide(context: Context) -> None:
    from syncd.engine.reconcile import reconcile

    for name in context.targets:
        context.store.run(
            "INSERT INTO connection (name, connector, binding, learned, namespace, authoritative, target, listing, complete, defect,"
            " accounts, pages, settled, error, sealed_at) VALUES (:n, '', '', '{}', '', FALSE, TRUE, 0, TRUE, '', 0, 0,"
            " 1, '', :t) ON CONFLICT DO NOTHING",
            n=name, t=stamp(context.environment.now()),
        )  # fmt: skip
        await reconcile(context, context.connected[name])
    context.store.run("DELETE FROM change")
