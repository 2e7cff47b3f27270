"""A run for some people, or for some changes, only."""

from __future__ import annotations

from datetime import timedelta

import pytest

from syncd.engine.narrowing import Narrowing
from syncd.store import answers
from tests.engine.worlds import MakeWorld, established, mail, names, people, target
from tests.world import World, person, planned

pytestmark = pytest.mark.anyio


def alone(w: World, number: int) -> Narrowing:
    """Looked up once the sources were read."""
    return Narrowing(lambda: answers.named(w.store, "", mail(number)))


async def test_only_some_people_are_planned_and_sent(world: MakeWorld) -> None:
    w = await established(world, *people(1))
    w.write(people(1, 2, 3))
    report, plan = await w.run(narrowing=alone(w, 3))
    assert (planned(plan), report.converged, report.left) == ([("create", mail(3), "")], False, 1), "somebody else's is left"
    assert names(w) == {mail(1), mail(3)}
    _, plan = await w.run()
    assert planned(plan) == [("create", mail(2), "")]


async def test_only_so_many_changes_are_sent_in_order_of_the_plan(world: MakeWorld) -> None:
    w = await established(world, *people(1))
    w.write(people(1, 2, 3, 4))
    report, plan = await w.run(narrowing=Narrowing(most=2))
    assert (len(planned(plan)), report.results[1].applied["create"], report.results[1].skipped, report.failed) == (3, 2, 1, False)
    report, _ = await w.run()
    assert (report.converged, len(w.directory.accounts)) == (True, 4)


async def test_a_narrow_run_agrees_to_no_changed_rules(world: MakeWorld) -> None:
    """What an edited scope does to others is held until a whole cycle went by."""
    w = await established(world, *people(1, 2, 3), target=target("delete", grace=timedelta(0)))
    w.target = target("delete", grace=timedelta(0), scope='department != "B"')
    w.write([person(1, department="B"), person(2, phone="5"), person(3)])
    await w.run(narrowing=alone(w, 2))
    w.write([person(1, department="B"), person(2, phone="5"), person(3, department="B")])
    _, plan = await w.run()
    assert planned(plan) == [("delete", mail(1), "config"), ("delete", mail(3), "config")], "nobody has seen yet what the scope does"
    await w.run()
    w.write([person(1, department="B"), person(2, department="B"), person(3, department="B")])
    _, plan = await w.run()
    assert planned(plan) == [("delete", mail(1), "config"), ("delete", mail(2), ""), ("delete", mail(3), "config")]
