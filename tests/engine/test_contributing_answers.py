"""Answers that are lost, late or other than asked make no opinion; and nobody is found by what a target says."""

from __future__ import annotations

from datetime import timedelta

import pytest

from syncd.errors import InDoubt, Rejected
from tests.engine.contributing import at_rest, other, phones, said, two
from tests.engine.test_crash_points import die
from tests.engine.worlds import MakeWorld, expression, mail, settle, source, target, write
from tests.world import person

pytestmark = pytest.mark.anyio


@pytest.mark.parametrize("took", [True, False])
async def test_an_answer_that_was_lost_makes_no_opinion_of_either_value(world: MakeWorld, took: bool) -> None:
    w = await two(world)
    w.directory.fail_next("update", InDoubt("lost"), after=took)
    w.write([person(1, phone="3")])
    await w.run()
    w.write([person(1, phone="4")])
    await w.run()
    await at_rest(w)
    assert phones(w) == ("4", "4")


async def test_a_request_that_was_refused_changes_no_opinion(world: MakeWorld) -> None:
    w = await two(world)
    w.directory.fail_next("update", Rejected("422"))
    w.write([person(1, phone="3")])
    await w.run()
    w.account(mail(1))["phone"] = "2"
    await w.run()
    await at_rest(w)
    assert phones(w) == ("2", "2")


async def test_a_create_that_was_lost_makes_no_opinion(world: MakeWorld) -> None:
    w = await two(world)
    w.directory.fail_next("create", InDoubt("lost"), after=True)
    w.directory.fail_next("find", Rejected("not now"))
    w.write([person(1, phone="1"), person(2, phone="5")])
    await w.run()
    w.clock.pass_time(timedelta(minutes=1))
    w.write([person(1, phone="1"), person(2, phone="6")])
    await w.run()
    await at_rest(w)
    assert phones(w, 2) == ("6", "6")


async def test_an_opinion_that_is_written_back_in_better_form_stays_one(world: MakeWorld) -> None:
    w = await two(world)
    w.account(mail(1))["phone"] = " 2 "
    await w.run()
    await at_rest(w)
    assert phones(w) == ("2", "2")


async def test_what_the_provider_keeps_instead_is_no_opinion(world: MakeWorld) -> None:
    w = await two(world)
    w.directory.fixed = {"phone": "+3"}
    w.write([person(1, phone="3")])
    await w.run()
    w.directory.accounts[next(iter(w.directory.accounts))]["phone"] = "+3"
    w.directory.fixed = {}
    await w.run()
    assert phones(w) == ("+3", "3")


async def test_what_a_target_says_finds_nobody(world: MakeWorld) -> None:
    """Whoever edits their own address is nobody else, at no target and in no source."""
    w = world(target=target("delete"), precedence={"email": ("app", "people")})
    w.extra = [source(w, "hr", read={"email": "email"})]
    write(w, "hr", [])
    await settle(w, person(1))
    w.account(mail(1))["email"] = "boss@corp.example"
    await w.run()
    assert said(w, "email") == ["boss@corp.example"]
    keys = w.store.rows("SELECT key FROM identity_key WHERE attribute LIKE '%email'")
    assert {row.key for row in keys} == {mail(1)}
    second, connector = other(w)
    connector.directory.add("boss", userName="boss", displayName="Boss", email="boss@corp.example")
    w.extra = [*w.extra, (second, connector)]
    _, plan = await w.run()
    assert [(row.kind, row.who, row.hold) for row in plan.changes() if row.connection == "second"] == [("create", mail(1), "")]
    write(w, "hr", [{"employeeNumber": "h1", "email": "boss@corp.example", "name": "Boss"}])
    await w.run()
    assert w.store.value("SELECT COUNT(*) FROM identity") == 2, "the true one is somebody else"


async def test_an_expression_only_writes(world: MakeWorld) -> None:
    with pytest.raises(Rejected, match="from something else than phone alone"):
        await two(world, target=target("delete", attributes={"phone": expression('"+" + phone')}))


@pytest.mark.parametrize("point", ["after_intent", "after_send", "after_settle"])
async def test_a_process_that_dies_leaves_no_opinion_behind(world: MakeWorld, point: str) -> None:
    w = await two(world)
    w.write([person(1, phone="3")])
    assert await die(w, point, 1)
    w.clock.pass_time(timedelta(minutes=1))
    w.write([person(1, phone="4")])
    await w.run()
    await at_rest(w)
    assert phones(w) == ("4", "4")
