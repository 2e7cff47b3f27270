"""What a target's accounts say of their people: opinions spread, echoes do not, and at rest nothing is written."""

from __future__ import annotations

from datetime import timedelta

import pytest

from syncd.core.evidence import STALE
from syncd.model import MapEntry
from syncd.store import waiting
from tests.engine.contributing import FIRST, at_rest, other, phones, two, written
from tests.engine.worlds import MakeWorld, mail, people, settle, target
from tests.world import LIMITS, person, planned

pytestmark = pytest.mark.anyio


@pytest.mark.parametrize("delta", [False, True])
async def test_what_a_holder_changes_at_a_target_that_has_a_say_reaches_the_others(world: MakeWorld, delta: bool) -> None:
    w = await two(world, delta=delta)
    assert phones(w) == ("1", "1")
    w.account(mail(1))["phone"] = "2"
    _, plan = await w.run()
    assert [(row.connection, row.kind) for row in plan.changes()] == [("second", "update")], "in the same run, and nothing is undone"
    assert phones(w) == ("2", "2")
    await at_rest(w)


async def test_what_syncd_wrote_there_is_no_opinion_and_follows_the_source(world: MakeWorld) -> None:
    w = await two(world)
    await settle(w, person(1, phone="3"))
    assert phones(w) == ("3", "3")
    await at_rest(w)


async def test_an_opinion_outlives_the_source_until_it_is_taken_back(world: MakeWorld) -> None:
    w = await two(world)
    w.account(mail(1))["phone"] = "2"
    await w.run()
    await settle(w, person(1, phone="3", title="Chef"))
    assert phones(w) == ("2", "2")
    w.account(mail(1))["phone"] = "1"
    await w.run()
    assert phones(w) == ("3", "3"), "back to what syncd wrote: an opinion no more, so the source's value comes"
    await at_rest(w)


async def test_writing_something_else_there_makes_no_echo_of_an_opinion(world: MakeWorld) -> None:
    w = await two(world)
    w.account(mail(1))["phone"] = "2"
    await settle(w, person(1, phone="1", title="Chef"))
    assert (w.account(mail(1))["title"], phones(w)) == ("Chef", ("2", "2"))
    await at_rest(w)
    assert phones(w) == ("2", "2")


async def test_an_emptied_value_is_the_next_in_the_order(world: MakeWorld) -> None:
    w = await two(world)
    w.account(mail(1))["phone"] = "2"
    await w.run()
    del w.account(mail(1))["phone"]
    await w.run()
    await w.run()
    assert phones(w) == ("1", "1")
    await at_rest(w)


async def test_only_when_all_are_empty_it_is_cleared(world: MakeWorld) -> None:
    w = await two(world)
    w.account(mail(1))["phone"] = "2"
    await w.run()
    await settle(w, person(1))
    assert phones(w) == ("2", "2")
    w.account(mail(1))["phone"] = ""
    await w.run()
    assert phones(w) in (("", None), (None, None))
    await at_rest(w)


async def test_keep_keeps_the_last_value_where_it_is_said(world: MakeWorld) -> None:
    w = world(target=target("delete"), precedence=FIRST)
    w.extra = [other(w, attributes={"phone": MapEntry("", "name", "phone", keep_empty=True)})]
    await settle(w, person(1, phone="1"))
    await settle(w, person(1))
    assert phones(w) == (None, "1")
    await at_rest(w)


async def test_clearing_counts_as_ever(world: MakeWorld) -> None:
    w = await two(world, *(person(n, phone="1") for n in (1, 2, 3)), limits=LIMITS)
    w.extra = [other(w, limits=LIMITS)]
    w.write(people(1, 2, 3))
    assert [hold for _, _, hold in planned((await w.run())[1])] == ["limit"] * 6


async def test_a_plan_that_waited_long_is_asked_for_anew_where_opinions_come_from(world: MakeWorld) -> None:
    w = await two(world)
    w.account(mail(1))["phone"] = "2"

    def meanwhile() -> None:
        w.clock.pass_time(STALE + timedelta(minutes=1))
        w.account(mail(1))["phone"] = "1"

    before = written(w)
    await w.run(meanwhile=meanwhile)
    assert (written(w), phones(w)) == (before, ("1", "1")), "what would not be planned any more is not sent"
    await at_rest(w)


async def test_who_comes_later_in_the_order_loses_and_is_repaired(world: MakeWorld) -> None:
    w = await two(world, precedence={"phone": ("people", "app")})
    w.account(mail(1))["phone"] = "2"
    await w.run()
    assert phones(w) == ("1", "1")
    await settle(w, person(1))
    w.account(mail(1))["phone"] = "4"
    await w.run()
    assert phones(w) == ("4", "4"), "what the source does not say, the target may"
    await at_rest(w)


async def test_who_precedence_does_not_name_says_nothing(world: MakeWorld) -> None:
    w = await two(world, precedence={})
    w.account(mail(1))["phone"] = "2"
    await w.run()
    assert phones(w) == ("1", "1")
    assert w.store.value("SELECT COUNT(*) FROM link WHERE echo IS NOT NULL") == 0


async def test_of_two_targets_with_a_say_the_first_wins_and_nobody_fights(world: MakeWorld) -> None:
    w = world(target=target("delete"), precedence={"phone": ("second", "app", "people")})
    w.extra = [other(w)]
    await settle(w, person(1, phone="1"))
    second = w.extra[0][1].directory  # type: ignore[attr-defined]
    w.account(mail(1))["phone"] = "2"
    await w.run()
    assert phones(w) == ("2", "2")
    next(iter(second.accounts.values()))["phone"] = "3"
    w.account(mail(1))["phone"] = "4"
    await w.run()
    await at_rest(w)
    assert phones(w) == ("3", "3")


async def test_a_value_that_flips_a_third_time_is_left_alone_and_both_are_named(world: MakeWorld) -> None:
    w = await two(world)
    for value in ("2", "1", "2", "1", "2"):
        w.account(mail(1))["phone"] = value
        w.clock.pass_time(timedelta(minutes=1))
        await w.run()
    assert (w.pending(), phones(w)) == ([("held", "fight", mail(1))], ("2", "1"))
    (row,) = waiting.listing(w.store)
    assert row.reason == "phone was set to 2 (app says so) 2 times in 24 h and is 1 again: somebody else writes it too"
