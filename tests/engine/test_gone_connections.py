"""Connections that are removed, demoted, renamed or forgotten, and those that come back."""

from __future__ import annotations

import copy

import pytest

from syncd.connectors.memory import MemoryConnector, MemoryOptions
from syncd.model import Connection, Rate
from syncd.store import connections
from tests.engine.worlds import (
    MakeWorld,
    established,
    mail,
    people,
    source,
    states,
    target,
    write,
)
from tests.world import entries, person, planned

pytestmark = pytest.mark.anyio


async def test_a_removed_source_freezes_its_people_and_is_never_read_as_absence(world: MakeWorld) -> None:
    w = world(target=target("delete"))
    w.write(people(1))
    write(w, "hr", [{**person(2), "employeeNumber": "h2"}])
    w.extra = [source(w, "hr")]
    await w.run()
    w.extra = []
    w.account(mail(2))["title"] = "edited"
    before = copy.deepcopy(w.account(mail(2)))
    for _ in range(2):
        report, plan = await w.run()
        assert (planned(plan), report.converged, states(w)[mail(2)]) == ([], True, "frozen")
        assert w.account(mail(2)) == before
        assert not w.verify()
    w.extra = [source(w, "hr")]
    report, plan = await w.run()
    assert planned(plan) == [("update", mail(2), "")]
    assert states(w)[mail(2)] == "live"


async def test_a_source_that_is_no_longer_authoritative_freezes_its_people(world: MakeWorld) -> None:
    w = world(target=target("delete"))
    w.write(people(1))
    write(w, "hr", [{**person(2), "employeeNumber": "h2"}])
    w.extra = [source(w, "hr")]
    await w.run()
    w.extra = [source(w, "hr", authoritative=False)]
    write(w, "hr", [])
    _, plan = await w.run()
    assert (planned(plan), states(w)[mail(2)]) == ([], "frozen")
    w.extra = [source(w, "hr")]
    _, plan = await w.run()
    assert planned(plan) == [("delete", mail(2), "config")]


async def test_a_connection_that_becomes_a_source_brings_in_the_people_it_showed_before(world: MakeWorld) -> None:
    w = world()
    w.write(people(1))
    write(w, "hr", [{**person(2), "employeeNumber": "h2"}])
    w.extra = [source(w, "hr", authoritative=False)]
    await w.run()
    w.extra = [source(w, "hr")]
    _, plan = await w.run()
    assert planned(plan) == [("create", mail(2), "")]


async def test_a_forgotten_source_is_no_departure(world: MakeWorld) -> None:
    w = world(target=target("delete"))
    w.write(people(1))
    write(w, "hr", [{**person(2), "employeeNumber": "h2"}])
    w.extra = [source(w, "hr")]
    await w.run()
    connections.forget(w.store, "hr")
    w.extra = []
    report, plan = await w.run()
    assert (planned(plan), report.converged, states(w)[mail(2)]) == ([], True, "frozen")


async def test_forgetting_one_of_two_sources_is_no_departure_of_whom_the_other_has_lost_before(world: MakeWorld) -> None:
    """Person 2 moved from people to hr: a tombstone there, an account here, and then hr is forgotten."""
    w = world(target=target("delete"))
    moved = {**person(2), "employeeNumber": "h2"}
    w.write(people(1, 2))
    write(w, "hr", [moved])
    w.extra = [source(w, "hr")]
    await w.run()
    w.write(people(1))
    await w.run()
    connections.forget(w.store, "hr")
    w.extra = []
    for _ in range(2):
        report, plan = await w.run()
        assert (planned(plan), report.converged, states(w)[mail(2)], w.verify()) == ([], True, "frozen", [])
    w.target = target("delete", scope='department != "x"')
    _, plan = await w.run()
    assert (planned(plan), states(w)[mail(2)]) == ([], "frozen"), "nor when everybody is judged again"
    w.write(people(1, 2))
    await w.run()
    assert states(w)[mail(2)] == "live"
    w.write(people(1))
    _, plan = await w.run()
    assert planned(plan) == [("delete", mail(2), "")], "the source that shows them now vouches for their absence"


async def test_whom_another_source_still_has_is_not_frozen_by_forgetting_one(world: MakeWorld) -> None:
    w = world(target=target("delete"))
    w.write(people(1, 2))
    write(w, "hr", [{**person(2), "employeeNumber": "h2"}])
    w.extra = [source(w, "hr")]
    await w.run()
    connections.forget(w.store, "hr")
    w.extra = []
    await w.run()
    assert states(w)[mail(2)] == "live"
    w.write(people(1))
    w.release()
    _, plan = await w.run()
    assert planned(plan) == [("delete", mail(2), "")]


async def test_who_had_departed_from_a_source_before_it_was_forgotten_has_departed(world: MakeWorld) -> None:
    w = world(target=target("keep"))
    w.write(people(1, 2))
    write(w, "hr", [{**person(2), "employeeNumber": "h2"}])
    w.extra = [source(w, "hr")]
    await w.run()
    write(w, "hr", [])
    w.write(people(1))
    await w.run()
    connections.forget(w.store, "hr")
    w.extra = []
    await w.run()
    assert states(w)[mail(2)] == "kept"


async def test_a_target_that_was_none_for_a_while_catches_up(world: MakeWorld) -> None:
    w = await established(world, *people(1, 2))
    options = MemoryOptions(directory=f"{w.root}-second")
    connector = MemoryConnector(options, environment=w.clock, rate=Rate(), writable=True)
    capability = options.capability()
    second = Connection(
        "second", "memory", options.binding(), "second", read=entries(capability.read_defaults),
        write=target("delete", attributes=capability.write_defaults),
    )  # fmt: skip
    w.extra = [(second, connector)]
    await w.run()
    assert len(connector.directory.accounts) == 2
    w.extra = []
    w.write([person(1, phone="5"), person(3)])
    await w.run()
    w.extra = [(second, connector)]
    _, plan = await w.run()
    assert sorted((row.kind, row.who) for row in plan.changes() if row.connection == "second") == [
        ("create", mail(3)), ("delete", mail(2)), ("update", mail(1))
    ]  # fmt: skip
