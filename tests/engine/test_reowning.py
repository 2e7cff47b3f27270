"""After a lost store, accounts of ours whose people are no longer entitled are ours again, and leave."""

from __future__ import annotations

import pytest

from tests import stores
from tests.engine.worlds import MakeWorld, established, mail, people, states, target
from tests.world import World, person, planned

pytestmark = pytest.mark.anyio


def lose(w: World) -> None:
    w.close()
    stores.lose(w.root)
    w.open()


async def test_who_became_inactive_meanwhile_is_disabled_after_the_first_contact(world: MakeWorld) -> None:
    w = await established(world, *people(1, 2))
    lose(w)
    w.write([person(1, active="no"), person(2, phone="5")])
    _, plan = await w.run()
    assert planned(plan) == [("adopt", mail(2), ""), ("disable", mail(1), "first_contact")]
    report, plan = await w.run()
    assert (planned(plan), report.converged, states(w)[mail(1)]) == ([("disable", mail(1), "")], True, "disabled")
    assert w.account(mail(1))["active"] is False and not w.verify()


async def test_what_its_holder_marked_or_another_owns_is_not_taken_back(world: MakeWorld) -> None:
    w = await established(world, *people(1, 2, 3))
    marks = {number: w.account(mail(number))["meta"] for number in (1, 2, 3)}
    lose(w)
    marks[1]["syncd"] = marks[1]["syncd"].replace("default:", "other:")
    del marks[2]["syncd"]
    w.write([person(1, active="no"), person(2, active="no"), person(3)])
    for _ in range(2):
        _, plan = await w.run()
        assert [kind for kind, _, _ in planned(plan)] in (["adopt"], [])
    assert [w.account(mail(number))["active"] for number in (1, 2)] == [True, True]


async def test_out_of_scope_is_no_different(world: MakeWorld) -> None:
    w = await established(world, person(1, department="A"), person(2, department="B", phone="4"))
    lose(w)
    w.target = target("delete", scope='department == "B"')
    w.write([person(1, department="A"), person(2, department="B", phone="5")])
    await w.run()
    _, plan = await w.run()
    assert [(kind, who) for kind, who, _ in planned(plan)] == [("delete", mail(1))]
