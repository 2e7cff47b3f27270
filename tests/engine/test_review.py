"""`apply: review`: nothing goes before a person has released exactly that, or has a saved plan of it applied."""

from __future__ import annotations

from dataclasses import replace
from datetime import timedelta
from typing import Any

import pytest

from syncd.model import Target
from tests import stores
from tests.engine.files import apply, planned_file
from tests.engine.town import living, make, town
from tests.engine.worlds import MakeWorld, established, limited, mail, names, people, target, writes
from tests.world import World, person, planned

pytestmark = pytest.mark.anyio


def review(**more: Any) -> Target:
    return target("delete", apply="review", **more)


async def reviewed(world: MakeWorld, **options: Any) -> World:
    """p1 changes, p2 leaves, p4 is new; all of it waits."""
    w = await established(world, *people(1, 2, 3), **options)
    w.target = replace(w.target or target(), apply="review")
    w.write([person(1, phone="5"), person(3), person(4)])
    return w


async def test_every_change_waits_whoever_says_yes(world: MakeWorld) -> None:
    w = await reviewed(world)
    before = len(writes(w))
    for _ in range(2):
        report, plan = await w.run()
        assert {hold for _, _, hold in planned(plan)} == {"review"} and len(planned(plan)) == 3
        assert (report.results[1].held, report.waiting, plan.first_contacts) == (3, True, ())
    assert len(writes(w)) == before


async def test_a_release_lets_exactly_those_go(world: MakeWorld) -> None:
    w = await reviewed(world)
    await w.run()
    w.release(mail(4))
    await w.run()
    assert names(w) == {mail(1), mail(2), mail(3), mail(4)} and "phone" not in w.account(mail(1))
    w.release()
    w.write([person(1, phone="6"), person(3), person(4)])
    await w.run()
    assert (names(w), "phone" in w.account(mail(1))) == ({mail(1), mail(3), mail(4)}, False), "another value is another change"


async def test_apply_releases_what_the_plan_holds_for_review(world: MakeWorld) -> None:
    w = await reviewed(world)
    file = await planned_file(w)
    report = await apply(w, file)
    assert (report.converged, names(w), w.account(mail(1))["phone"]) == (True, {mail(1), mail(3), mail(4)}, "5")
    assert [planned((await w.run())[1]), w.pending()] == [[], []]


async def test_but_not_what_comes_after_it(world: MakeWorld) -> None:
    w = await reviewed(world)
    file = await planned_file(w)
    w.write([person(1, phone="5"), person(3), person(4), person(5)])
    await apply(w, file)
    await w.run()
    assert mail(5) not in names(w) and w.pending() == [("held", "review", mail(5))]


async def test_nor_what_a_limit_holds(world: MakeWorld) -> None:
    w = await limited(world, 10)
    w.target = review()
    w.write([person(1, phone="5"), *people(2, 3, 4, 5)])
    file = await planned_file(w)
    report = await apply(w, file)
    assert (len(names(w)), report.results[1].applied["update"], report.results[1].held) == (10, 1, 5)
    assert {hold for _, hold, _ in w.pending()} == {"limit"}


async def test_at_the_first_contact_a_yes_is_no_release(world: MakeWorld) -> None:
    w = world(target=review())
    w.write(people(1))
    report, plan = await w.run()
    assert (planned(plan), names(w), report.results[1].held) == ([("create", mail(1), "review")], set(), 1)
    w.release()
    await w.run()
    assert names(w) == {mail(1)}


async def test_at_the_first_contact_apply_sends_what_a_contact_may(world: MakeWorld) -> None:
    """After a lost store somebody may have left: what ends an account waits until the contact is over."""
    w = await established(world, *people(1, 2))
    w.close()
    stores.lose(w.root)
    w.open()
    w.target = review()
    w.write(people(1, 3))
    await w.run()
    assert {(kind, hold) for kind, _, hold in planned((await w.run())[1])} >= {("create", "review")}
    await apply(w, await planned_file(w))
    assert {mail(1), mail(2), mail(3)} >= names(w) and mail(3) in names(w)


async def test_a_no_is_remembered(world: MakeWorld) -> None:
    w = await reviewed(world)
    await w.run()
    w.reject()
    _, plan = await w.run()
    assert (planned(plan), w.pending()) == ([], [])


async def test_what_is_left_of_a_released_change_goes_on(world: MakeWorld) -> None:
    w = await reviewed(world, lease=timedelta(days=1))
    await w.run()
    w.release()
    w.clock.pass_time(timedelta(hours=24))
    report, _ = await w.run()
    assert report.results[1].held == 3, "a release is good for 24 hours"


async def test_tenants_wait_with_those_who_need_them(world: MakeWorld) -> None:
    w = make(world, target=review())
    w.write(living(1))
    _, plan = await w.run()
    assert {(row.object, row.hold) for row in plan.changes()} == {("user", "review"), ("tenant", "review")}
    w.release()
    await w.run()
    assert (names(w), town(w).ids("tenant")) == ({mail(1)}, {"north"})
    w.write([])
    await w.run()
    w.release()
    await w.run()
    _, plan = await w.run()
    assert [(row.object, row.kind, row.hold) for row in plan.changes()] == [("tenant", "delete", "review")]
    w.release()
    await w.run()
    assert (names(w), town(w).ids("tenant")) == (set(), set())
