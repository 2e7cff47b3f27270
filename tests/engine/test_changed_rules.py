"""The configuration changes: whoever leaves because of it is held until somebody has looked."""

from __future__ import annotations

from datetime import timedelta
from functools import partial
from typing import Any

import pytest

from syncd.connectors.memory import MemoryConnector
from syncd.engine import identify
from syncd.environment import stamp
from syncd.store import identities
from tests.engine.worlds import (
    MakeWorld,
    kinds,
    literal,
    mail,
    people,
    settle,
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


# ---- rules that were only tried ----


async def test_a_scope_that_was_only_looked_at_leaves_nothing_behind(world: MakeWorld) -> None:
    w = world(target=target("delete"))
    await settle(w, person(1, department="A"), person(2, department="B"))
    w.target = target("delete", scope='department == "B"')
    _, plan = await w.run("plan", selection=["app"])
    assert planned(plan) == [("delete", mail(1), "config")]
    w.target = target("delete")
    report, plan = await w.run()
    assert (planned(plan), report.converged, w.verify()) == ([], True, [])


async def test_what_was_in_step_under_other_rules_only_is_sent_after_all(world: MakeWorld) -> None:
    w = world()
    await settle(w, person(1, phone="5"))
    w.write([person(1, phone="6")])
    await w.run(selection=["people"])
    w.target = target(attributes={"phone": literal("5")})
    _, plan = await w.run("plan", selection=["app"])
    assert planned(plan) == []
    w.target = None
    _, plan = await w.run(selection=["app"])
    assert (planned(plan), w.account(mail(1))["phone"]) == ([("update", mail(1), "")], "6")


@pytest.mark.parametrize("mode", ["plan", "declined"])
async def test_rules_that_nobody_has_agreed_to_are_not_those_of_last_time(world: MakeWorld, mode: str) -> None:
    """Whoever leaves by himself after they were put back is no leaver of a changed scope."""
    w = world(target=target("delete"))
    await settle(w, *people(1, 2, 3, 4))
    w.clock.pass_time(timedelta(minutes=1))
    w.target = target("delete", scope='userName != "x"')
    w.write([*people(1, 2, 3), person(4, phone="5")])
    await w.run(mode, yes=False)
    w.target = target("delete")
    w.write(people(2, 3))
    _, plan = await w.run()
    assert [(kind, hold) for kind, _, hold in planned(plan)] == [("delete", ""), ("delete", "")]


async def test_of_somebody_whom_time_alone_brought_in_step_no_change_is_made(world: MakeWorld) -> None:
    """His time begins while the target is listed: the disabling that was held is not wanted any more, nor an update of nothing."""
    w = world(target=target("disable"))
    await settle(w, *people(1, 2))
    w.clock.pass_time(timedelta(minutes=1))
    w.limits = LIMITS
    w.write([person(1, activeFrom="2026-01-02"), person(2, activeFrom="2026-01-02")])
    _, plan = await w.run()
    assert kinds(plan) == {("disable", "limit")}

    class Slow(MemoryConnector):
        async def list(self, *args: Any) -> Any:
            page = await super().list(*args)
            w.clock.pass_time(timedelta(days=2))
            return page

    w.memory = Slow
    report, plan = await w.run()
    assert (planned(plan), report.converged, w.verify()) == ([], True, [])


async def test_under_the_same_rules_nobody_is_projected_again(world: MakeWorld, monkeypatch: pytest.MonkeyPatch) -> None:
    w = world()
    marked: list[str] = []
    mark = identities.mark_all
    monkeypatch.setattr(identities, "mark_all", lambda store, name: (marked.append(name), mark(store, name)))
    await settle(w, *people(1))
    assert marked == ["app"]
    await settle(w, *people(1, 2))
    assert marked == ["app"]
    w.target = target(scope='userName != "x"')
    for _ in range(2):
        await w.run("plan")
        assert marked == ["app", "app"], "once, also where nobody has agreed to the rules yet"


# ---- making everybody anew ----


class Crash(BaseException):
    """The process dies."""


async def test_people_are_made_anew_a_block_at_a_time_under_the_lease(world: MakeWorld, monkeypatch: pytest.MonkeyPatch) -> None:
    """Half of them made by the rules of a run that died, the other half by those before: the next run makes all anew."""
    w = world(target=target("delete"))
    w.extra = [source(w, "hr")]
    write(w, "hr", [{**person(number, phone="6"), "employeeNumber": f"h{number}"} for number in (1, 2, 3)])
    await settle(w, *(person(number, phone="5") for number in (1, 2, 3)))
    monkeypatch.setattr(identities, "all_ids", partial(identities.all_ids, limit=1))
    made, until = identify._made, []

    def slowly(context: Any, ids: Any) -> Any:
        until.append(w.store.value("SELECT MIN(until) FROM lease WHERE until > '2026'") > stamp(w.clock.now()))
        w.clock.pass_time(timedelta(seconds=6))
        if len(until) == dying:
            raise Crash
        return made(context, ids)

    monkeypatch.setattr(identify, "_made", slowly)
    dying = 3
    w.precedence = {"phone": ("hr", "people")}
    with pytest.raises(Crash):
        await w.run()
    w.precedence, dying = {}, 0
    w.clock.pass_time(timedelta(minutes=1))
    report, plan = await w.run()
    monkeypatch.undo()
    assert (planned(plan), report.converged, w.verify()) == ([], True, [])
    assert (len(until) >= 6, all(until)) == (True, True)
