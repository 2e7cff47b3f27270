"""What holds after any sequence of edits on both sides and runs in between."""

from __future__ import annotations

import asyncio
import copy
from collections.abc import Sequence
from dataclasses import dataclass, field
from datetime import timedelta
from typing import Any

from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from syncd.core.correlation import identity_id
from syncd.engine.context import Context
from syncd.engine.projecting import at
from syncd.errors import InDoubt, Quarantined, Rejected, Retryable
from syncd.store import links
from tests.engine.worlds import Template, mail, target
from tests.world import LIMITS, World, person, planned

NUMBERS = range(1, 6)
few = settings(max_examples=40, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture, HealthCheck.too_slow])

numbers = st.sampled_from(NUMBERS)
values = st.sampled_from(["", "x", "y"])
edits = st.one_of(
    st.tuples(st.just("hire"), numbers, values),
    st.tuples(st.just("leave"), numbers, st.just("")),
    st.tuples(st.sampled_from(["title", "phone", "department", "active"]), numbers, values),
    st.tuples(st.just("mail"), numbers, values),
    st.tuples(st.just("vandalise"), numbers, values),
    st.tuples(st.just("destroy"), numbers, st.just("")),
    st.tuples(st.just("wait"), st.sampled_from([1, 8]), st.just("")),
    st.tuples(st.just("tear"), st.just(0), st.just("")),
    st.tuples(st.sampled_from(["create", "update", "delete", "find", "list", "fetch"]), st.sampled_from([0, 1, 2]), st.just("")),
)
scripts = st.lists(st.lists(edits, max_size=4), min_size=1, max_size=4)
rules = st.sampled_from(
    [
        {"all": "delete"},
        {"all": "disable"},
        {"all": "keep"},
        {"all": "delete", "grace": timedelta(days=7)},
        {"all": "delete", "retain": "title"},
        {"all": "delete", "drift": "report", "scope": 'department != "y"'},
        {"all": "disable", "attributes": {"labels": "title"}},
    ]
)


@dataclass
class Story:
    """A world and what is done to it; ``existing``: the rows of the people file as they stood at each plan."""

    world: World
    rows: dict[int, dict[str, str]] = field(default_factory=dict)
    torn: bool = False
    existing: list[set[str]] = field(default_factory=list)

    def edit(self, what: str, number: int, value: str) -> None:
        w = self.world
        match what:
            case "hire":
                self.rows[number] = person(number, title=value)
            case "leave":
                self.rows.pop(number, None)
            case "mail":
                if number in self.rows:
                    self.rows[number] = {**self.rows[number], "email": f"{value}@corp.example" if value else mail(number)}
            case "vandalise":
                for account in w.directory.accounts.values():
                    if account.get("userName") == mail(number):
                        account["displayName"] = value or "z"
            case "destroy":
                for id in [id for id, one in w.directory.accounts.items() if one.get("userName") == mail(number)]:
                    del w.directory.accounts[id]
            case "wait":
                w.clock.pass_time(timedelta(days=number))
            case "tear":
                self.torn = True
            case "title" | "phone" | "department" | "active":
                if number in self.rows:
                    self.rows[number] = {**self.rows[number], what: "no" if what == "active" and value == "y" else value}
            case _:
                self._fail(what, number)

    def _fail(self, what: str, how: int) -> None:
        if what in ("list", "find", "fetch"):
            self.world.directory.fail_next(what, [Retryable("503"), Rejected("400"), Quarantined("401")][how])
        else:
            self.world.directory.fail_next(what, [Rejected("422"), InDoubt("lost"), InDoubt("lost after all")][how], after=how == 2)

    async def run(self) -> Any:
        w = self.world
        w.write(list(self.rows.values()))
        if self.torn:
            w.people_file.write_bytes(w.people_file.read_bytes()[:-1])
            self.torn = False
        w.clock.pass_time(timedelta(minutes=1))
        self.existing.append({row["employeeNumber"] for row in self.rows.values()})
        return await w.run()

    async def play(self, script: Sequence[Sequence[tuple[str, int, str]]]) -> None:
        for scene in script:
            for edit in scene:
                self.edit(*edit)
            await self.run()

    async def rest(self) -> Any:
        """No more faults: two runs and the settle window."""
        self.world.directory._faults.clear()
        self.world.clock.pass_time(timedelta(days=2))
        await self.run()
        self.world.clock.pass_time(timedelta(minutes=1))
        return await self.run()


def out_of_step_by_documents(world: World) -> set[str]:
    """The slow way: project every identity from its documents, and see which differ; who still waits for that is left out."""
    landscape = world.landscape()
    names = [one.name for one in landscape.connections]
    context = Context(world.clock, world.store, landscape, world.connected(landscape, writable=False), names)
    everybody = [row.id for row in world.store.rows("SELECT id FROM identity")]
    waiting = links.waiting_for_projection(world.store, "app", everybody)
    rows = links.standing(world.store, "app", sorted(set(everybody) - waiting))
    found = [(row, at(context, context.connected["app"], row).projection) for row in rows]
    return {
        row.identity for row, projection in found
        if projection.desired != projection.actual and (projection.desired, projection.actual) != (row.tried_desired, row.tried_actual)
    }  # fmt: skip


@few
@given(scripts, rules)
def test_what_the_index_finds_is_what_the_documents_say(template: Template, script: Any, rule: dict[str, Any]) -> None:
    async def story(w: World) -> None:
        told = Story(w)
        for number in NUMBERS:
            told.edit("hire", number, "x")
        for scene in script:
            await told.play([scene])
            assert w.verify() == []
            waiting = {row.identity for row in w.store.rows("SELECT identity FROM dirty WHERE connection = 'app'")}
            indexed = {row.identity for row in links.out_of_step(w.store, "app", 0)} - waiting
            assert indexed == out_of_step_by_documents(w)

    with template.temporary(target=target(**rule)) as w:
        asyncio.run(story(w))


@few
@given(scripts, rules)
def test_at_rest_nothing_is_planned_and_a_second_run_writes_nothing(template: Template, script: Any, rule: dict[str, Any]) -> None:
    async def story(w: World) -> None:
        told = Story(w)
        await told.play(script)
        await told.rest()
        sent, before = len(w.directory.log), copy.deepcopy(w.directory.accounts)
        report, plan = await told.run()
        assert [change for change in planned(plan) if not change[2]] == []
        assert (len(w.directory.log), w.directory.accounts) == (sent, before)
        assert not report.failed
        assert report.results[1].in_doubt == 0
        names = [account["userName"] for account in w.directory.accounts.values()]
        assert len(names) == len(set(names))
        assert w.verify() == []

    with template.temporary(target=target(**rule)) as w:
        asyncio.run(story(w))


@few
@given(scripts, rules, st.booleans())
def test_strangers_are_never_touched_and_nobody_who_is_there_loses_an_account(
    template: Template, script: Any, rule: dict[str, Any], limited: bool
) -> None:
    async def story(w: World) -> None:
        canaries = {
            w.directory.add("c1", userName="canary", title="x"), w.directory.add("c2", userName="c2", meta={"externalId": "e77"}),
            w.directory.add("c3", userName="c3", meta={"syncd": "other:00000000-0000-0000-0000-000000000000"}),
        }  # fmt: skip
        before = {id: copy.deepcopy(w.directory.accounts[id]) for id in canaries}
        told = Story(w)
        for number in NUMBERS:
            told.edit("hire", number, "x")
        for scene in script:
            sent = len(w.directory.log)
            await told.play([scene])
            there = {identity_id("default", "people", number) for number in told.existing[-1]}
            deleted = {step.change.identity for step in w.directory.log[sent:] if step.method == "delete"}
            if "scope" not in rule:
                assert not deleted & there
            assert {id: w.directory.accounts[id] for id in canaries} == before

    with template.temporary(target=target(**rule), limits=LIMITS if limited else {}) as w:
        asyncio.run(story(w))


@few
@given(scripts, rules)
def test_every_write_belongs_to_a_change_that_passed_and_was_journalled_before(
    template: Template, script: Any, rule: dict[str, Any]
) -> None:
    async def story(w: World) -> None:
        told = Story(w)
        await told.play(script)
        changes = {row.id for row in w.store.rows("SELECT id FROM change WHERE state NOT IN ('held', 'planned', 'skipped')")}
        assert {step.change.id for step in w.directory.log} <= changes
        assert w.store.value("SELECT COUNT(*) FROM step") >= len(w.directory.log)

    with template.temporary(target=target(**rule), limits=LIMITS) as w:
        asyncio.run(story(w))


def test_a_story_of_our_own_ends_converged(template: Template) -> None:
    """The machinery of these properties does what it says."""

    async def story(w: World) -> None:
        told = Story(w)
        await told.play([[("hire", 1, "x"), ("hire", 2, "")], [("leave", 1, ""), ("vandalise", 2, "y"), ("create", 1, "")]])
        report, _ = await told.rest()
        assert report.converged
        assert [account["displayName"] for account in w.directory.accounts.values()] == ["Person 2"]

    with template.temporary(target=target("delete")) as w:
        asyncio.run(story(w))
