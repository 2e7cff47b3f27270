"""What is explained is what a run decides: on random worlds, and in the situations that people ask about."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from datetime import timedelta
from typing import Any

import orjson
import pytest
from hypothesis import given

from syncd.engine.context import Context
from syncd.engine.explain import At, Explanation, explain
from syncd.errors import InDoubt, Rejected
from syncd.store import identities
from tests import stores
from tests.engine.test_failures import Stubborn
from tests.engine.test_properties import NUMBERS, Story, few, rules, scripts
from tests.engine.worlds import MakeWorld, Template, established, expression, limited, mail, people, target
from tests.world import LIMITS, World, person

pytestmark = pytest.mark.anyio


def context(world: World) -> Context:
    landscape = world.landscape()
    names = [one.name for one in landscape.connections]
    return Context(world.clock, world.store, landscape, world.connected(landscape, writable=False), names, offline=True)


@asynccontextmanager
async def untouched(world: World) -> AsyncIterator[None]:
    """Nothing is written to the store, nothing is asked of a provider."""
    before, asked = stores.written(world.store), len(world.directory.log)
    world.directory.fail_next("fetch", AssertionError("the provider was asked"))
    yield
    world.directory._faults.clear()
    assert (stores.written(world.store), len(world.directory.log)) == (before, asked)


async def explained(world: World, who: str = mail(1)) -> Explanation:
    async with untouched(world):
        return await explain(context(world), id_of(world, who))


async def at_app(world: World, who: str = mail(1)) -> At:
    (found,) = (await explained(world, who)).targets
    return found


def id_of(world: World, who: str) -> str:
    found = world.store.value("SELECT identity FROM identity_key WHERE attribute = 'userName' AND key = :who", who=who)
    assert found is not None
    return str(found)


def held(row: Any) -> tuple[str, str, str, str, str]:
    return row["id"], row["kind"], row["delta"], "held" if row["hold"] else "sent", row["hold"]


@few
@given(scripts, rules)
def test_the_explained_decisions_are_the_planned_ones(template: Template, script: Any, rule: dict[str, Any]) -> None:
    async def story(w: World) -> None:
        told = Story(w)
        for number in NUMBERS:
            told.edit("hire", number, "x")
        for scene in script:
            for edit in scene:
                told.edit(*edit)
            await told.run()
            w.directory._faults.clear()
            for edit in scene:
                told.edit(*edit)
            w.directory._faults.clear()
            w.write(list(told.rows.values()))
            report, _ = await w.run("plan")
            planned = w.store.rows("SELECT id, kind, delta, hold FROM change WHERE run = :run", run=report.run)
            async with untouched(w):
                made = [await explain(context(w), id) for id in identities.all_ids(w.store, "")]
            found = [held(row) for one in made for at in one.targets for row in at.decided]
            assert sorted(found) == sorted(held(row._asdict()) for row in planned)

    with template.temporary(target=target(**rule), limits=LIMITS) as w:
        asyncio.run(story(w))


async def test_who_is_in_step_has_nothing_to_be_done(world: MakeWorld) -> None:
    w = await established(world, *people(1, 2))
    at = await at_app(w)
    assert (at.step, at.decided, at.waits) == ("in_step", (), ())
    assert [(change.kind, change.state, [step.state for step in steps]) for change, steps in at.changes] == [
        ("create", "applied", ["applied"])
    ]  # fmt: skip
    made = await explained(w)
    assert [(one.connection, one.account, one.run, one.page) for one in made.someone.sightings] == [("people", "e1", 1, 1)]


async def test_what_was_written_in_vain_is_told_apart_from_what_a_person_refused(world: MakeWorld) -> None:
    w = await limited(world, 10)
    w.write(people(*range(6, 11)))
    await w.run()
    assert {(await at_app(w, mail(number))).step for number in range(1, 6)} == {"out_of_step"}
    w.reject()
    at = await at_app(w)
    assert (at.step, at.decided) == ("refused", ())
    assert [(row.state, row.hold) for row in at.waits] == [("kept", "limit")]


async def test_a_limit_is_told_with_its_arithmetic_and_the_run_that_found_it(world: MakeWorld) -> None:
    w = await limited(world, 10)
    w.write(people(*range(6, 11)))
    report, _ = await w.run()
    at = await at_app(w)
    ((change),) = at.decided
    assert (change["kind"], change["state"], change["hold"]) == ("disable", "held", "limit") or change["kind"] == "delete"
    assert change["held"].startswith("5 leave (50 % of 10, limit 1)")
    assert [(row.state, row.run) for row in at.waits] == [("held", report.run)]
    w.release(mail(1))
    at = await at_app(w)
    assert [(row["hold"], row["released"]) for row in at.decided] == [("", True)]
    assert [(row["hold"], row["released"]) for row in (await at_app(w, mail(2))).decided] == [("limit", False)]


async def test_first_contact_holds_whoever_it_is_about(world: MakeWorld) -> None:
    w = world(target=target("delete"))
    w.write(people(1))
    await w.run("plan")
    (change,) = (await at_app(w)).decided
    assert (change["kind"], change["hold"]) == ("create", "first_contact")


async def test_a_scope_that_has_no_answer_freezes_and_says_why(world: MakeWorld) -> None:
    w = await established(world, person(1, title="3"), target=target("delete", scope="int(title) > 1"))
    w.write([person(1, title="three")])
    await w.run()
    at = await at_app(w)
    assert (at.each.projection.state, at.scoped.answer, at.step) == ("frozen", None, "in_step")
    assert "title" in at.scoped.values and at.scoped.error


async def test_a_line_of_the_map_that_makes_nothing_says_why(world: MakeWorld) -> None:
    w = await established(
        world, person(1, title="3"), target=target("delete", attributes={"title": expression('title == "3" ? "x" : labels[5]')})
    )
    w.write([person(1, title="4")])
    await w.run()
    at = await at_app(w)
    assert at.each.projection.state == "rejected"
    (bad,) = (one for one in at.derived if one.error)
    assert (bad.path, set(bad.reads)) == ("title", {"title", "labels"})


async def test_a_refusal_rests_and_is_told_with_its_answer(world: MakeWorld) -> None:
    w = await established(world, person(1))
    w.write([person(1, title="Chief")])
    for _ in range(3):
        w.directory.fail_next("update", Rejected("no such title"))
        await w.run()
        w.clock.pass_time(timedelta(minutes=1))
    at = await at_app(w)
    assert (at.step, at.link.failures, at.link.reason) == ("resting", 3, "no such title")
    assert [row.state for row in at.waits] == ["quarantined"]


async def test_doubt_is_told(world: MakeWorld) -> None:
    w = await established(world, person(1), target=target(settle=timedelta(seconds=90)))
    w.directory.fail_next("create", InDoubt("no answer"))
    w.write(people(1, 2))
    await w.run()
    at = await at_app(w, mail(2))
    assert (at.step, [row.state for row in at.waits]) == ("doubt", ["in_doubt"])


async def test_who_matches_an_account_that_the_store_did_not_keep_is_not_asked_for(world: MakeWorld) -> None:
    w = await established(world, person(1))
    w.directory.add(userName=mail(2))
    w.write(people(1, 2))
    await w.run("plan")
    w.store.run("UPDATE account SET document = NULL WHERE id NOT IN (SELECT account_id FROM link WHERE account_id IS NOT NULL)")
    (change,) = (await at_app(w, mail(2))).decided
    assert change["hold"] == "unread" and "the store has not kept its attributes" in change["held"]


async def test_other_rules_are_told_as_such(world: MakeWorld) -> None:
    w = await established(world, person(1, department="Sales"))
    w.target = target("delete", scope='department == "Support"')
    at = await at_app(w)
    assert (at.stale, at.scoped.answer) == (True, False)
    assert [(row["kind"], row["hold"]) for row in at.decided] == [("delete", "config")]
    assert orjson.loads(at.decided[0]["delta"]) == {}


async def test_what_read_back_different_is_in_vain(world: MakeWorld) -> None:
    w = world(memory=Stubborn, target=target("delete"))
    w.write([person(1, title="Chef")])
    await w.run()
    at = await at_app(w)
    assert (at.step, at.link.reason, at.decided) == ("vain", 'app kept title = "Kept"', ())


async def test_what_holds_everything_holds_also_what_no_plan_has_seen(world: MakeWorld) -> None:
    w = world(target=target("delete"))
    w.write(people(1))
    await w.run("plan")
    w.store.run("DELETE FROM pending")
    (change,) = (await at_app(w)).decided
    assert (change["kind"], change["hold"], change["state"]) == ("create", "first_contact", "held")


async def test_who_was_disabled_and_not_signed_out_is_not_in_step(world: MakeWorld) -> None:
    w = await established(world, *people(1, 2), target=target("disable"))
    w.write(people(1))
    await w.run()
    assert (await at_app(w, mail(2))).step == "in_step"
    w.store.run("UPDATE change SET revoke = TRUE, state = 'retry' WHERE kind = 'disable'")
    at = await at_app(w, mail(2))
    assert (at.step, [row["kind"] for row in at.decided]) == ("out_of_step", ["disable"])
