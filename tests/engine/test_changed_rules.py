"""The configuration changes: whoever leaves because of it is held until somebody has looked."""

from __future__ import annotations

from datetime import timedelta

import pytest

from tests.engine.worlds import (
    MakeWorld,
    kinds,
    mail,
    people,
    source,
    states,
    target,
    write,
)
from tests.world import LIMITS, person, planned

pytestmark = pytest.mark.anyio


async def test_a_changed_scope_holds_every_leaver_it_causes_also_in_later_runs(world: MakeWorld) -> None:
    w = world(target=target("delete"))
    w.write([person(1, department="A"), person(2, department="B"), person(3, department="B")])
    await w.run()
    w.target = target("delete", scope='department == "B"')
    for _ in range(3):
        report, plan = await w.run()
        assert (planned(plan), report.waiting) == ([("delete", mail(1), "config")], True)
        w.clock.pass_time(timedelta(hours=30))
    w.write([person(1, department="A"), person(3, department="B")])
    _, plan = await w.run()
    assert planned(plan) == [("delete", mail(1), "config"), ("delete", mail(2), "")], "who leaves by himself is not held"
    w.release()
    report, _ = await w.run()
    assert report.converged


async def test_a_changed_scope_holds_at_the_end_of_a_grace_where_nothing_can_disable(world: MakeWorld) -> None:
    rules = {"grace": timedelta(days=7), "rules": {"inactive": "keep"}}
    w = world(target=target("delete", **rules), switch=False)
    w.write([person(1, department="A"), person(2, department="B")])
    await w.run()
    w.target = target("delete", scope='department == "B"', **rules)
    report, plan = await w.run()
    assert (planned(plan), report.converged) == ([], True)
    w.clock.pass_time(timedelta(days=7))
    _, plan = await w.run()
    assert planned(plan) == [("delete", mail(1), "config")]


async def test_a_changed_deprovision_map_or_source_holds_its_leavers(world: MakeWorld) -> None:
    w = world(target=target("keep"))
    w.write(people(1, 2, 3))
    await w.run()
    w.write(people(2, 3))
    await w.run()
    w.target = target("delete")
    _, plan = await w.run()
    assert planned(plan) == [("delete", mail(1), "config")]
    w.release()
    await w.run()
    w.read = {"active": "title"}
    w.write([person(2, title="no"), person(3, title="yes")])
    _, plan = await w.run()
    assert kinds(plan) == {("disable", "config"), ("update", "")}


async def test_a_changed_limit_or_rate_is_no_changed_rule(world: MakeWorld) -> None:
    w = world(target=target("delete"), limits=LIMITS)
    w.write(people(1, 2, 3))
    await w.run()
    w.limits = {}
    w.write(people(2, 3))
    _, plan = await w.run()
    assert planned(plan) == [("delete", mail(1), "")]


async def test_the_first_cycle_lasts_until_every_source_was_read_completely(world: MakeWorld) -> None:
    w = world(target=target("delete"))
    w.write([person(1, department="A"), person(2, department="B")])
    await w.run()
    w.target = target("delete", scope='department == "B"')
    text = w.people_file.read_text()
    w.people_file.write_text(text.rstrip("\n"))
    await w.run()
    w.people_file.write_text(text)
    _, plan = await w.run()
    assert planned(plan) == [("delete", mail(1), "config")]


async def test_under_another_read_map_the_last_listing_proves_nothing(world: MakeWorld) -> None:
    """Only the target is read: what the people file said is known under the old map alone."""
    w = world(target=target("delete"))
    w.write(people(1, 2))
    await w.run()
    w.write(people(2))
    await w.run(selection=["people"])
    w.read = {"title": "login"}
    report, plan = await w.run(selection=["app"])
    assert (planned(plan), report.failed) == ([], False)
    _, plan = await w.run()
    assert planned(plan) == [("delete", mail(1), "config")]


async def test_another_source_changes_the_rules_of_every_target(world: MakeWorld) -> None:
    w = world(target=target("delete", scope='department == "B"'))
    w.write([person(1, department="B"), person(2, department="B")])
    await w.run()
    w.extra = [source(w, "hr")]
    w.precedence = {"department": ("hr", "people")}
    write(w, "hr", [{**person(1, department="A"), "employeeNumber": "h1"}])
    _, plan = await w.run()
    assert planned(plan) == [("delete", mail(1), "config")]
    assert states(w)[mail(2)] == "live"
