"""How much may change in 24 hours, and what happens beyond."""

from __future__ import annotations

from datetime import timedelta

import pytest

from tests.engine.worlds import MakeWorld, kinds, limited, mail, people, settle, target
from tests.world import LIMITS, person, planned

pytestmark = pytest.mark.anyio


async def test_too_many_leavers_are_held_with_arithmetic_and_cause_and_the_other_kinds_go_on(world: MakeWorld) -> None:
    w = await limited(world, 60)
    w.write([*people(*range(11, 60)), person(60, phone="5"), person(61)])
    report, plan = await w.run()
    assert kinds(plan) == {("delete", "limit"), ("create", ""), ("update", "")}
    assert plan.connections[1].reason == (
        "10 leave (17 % of 60, limit 3): all vanished from people between two readings (2026-01-01 00:01 UTC); it is 15 % shorter"
    )
    assert (report.waiting, report.results[1].held, len(w.directory.accounts)) == (True, 10, 61)
    assert report.results[1].applied == {"create": 1, "adopt": 0, "update": 1, "disable": 0, "delete": 0}


async def test_the_cause_tells_a_swap_from_a_shrinking_file(world: MakeWorld) -> None:
    w = await limited(world, 40)
    w.write([*people(*range(6, 41)), *people(*range(101, 106))])
    _, plan = await w.run()
    reason = plan.connections[1].reason
    assert reason.startswith("5 leave (12 % of 40, limit 2): all vanished from people between two readings")
    assert reason.endswith("; 5 came meanwhile")


async def test_the_cause_names_only_those_who_vanished_and_no_cause_is_made_up(world: MakeWorld) -> None:
    w = await limited(world, 40)
    w.write([person(1, active="no"), *people(*range(6, 41))])
    _, plan = await w.run()
    assert "5 leave" in plan.connections[1].reason
    assert "4 of them vanished from people" in plan.connections[1].reason
    w.write([*(person(number, active="no") for number in range(1, 6)), *people(*range(6, 41))])
    _, plan = await w.run()
    assert plan.connections[1].reason == "5 leave (12 % of 40, limit 2)"


async def test_the_cause_of_an_earlier_reading_is_named_without_this_readings_size(world: MakeWorld) -> None:
    w = await limited(world, 40)
    w.write(people(*range(6, 41)))
    await w.run()
    w.clock.pass_time(timedelta(hours=1))
    _, plan = await w.run()
    assert plan.connections[1].reason.endswith("between two readings (2026-01-01 00:01 UTC)")


@pytest.mark.parametrize(("leave", "passes"), [((1,), True), ((1, 2), False)])
async def test_in_a_small_directory_one_may_leave(world: MakeWorld, leave: tuple[int, ...], passes: bool) -> None:
    w = await limited(world, 3)
    w.write(people(*({1, 2, 3} - set(leave))))
    _, plan = await w.run()
    assert kinds(plan) == {("delete", "" if passes else "limit")}
    assert len(w.directory.accounts) == (3 - len(leave) if passes else 3)


async def test_disables_count_as_deletes(world: MakeWorld) -> None:
    w = await limited(world, 3)
    w.write([person(1, active="no"), person(3)])
    _, plan = await w.run()
    assert kinds(plan) == {("delete", "limit"), ("disable", "limit")}


async def test_the_24_hours_slide(world: MakeWorld) -> None:
    w = await limited(world, 40)
    w.write(people(*range(3, 41)))
    await w.run()
    w.clock.pass_time(timedelta(hours=12))
    w.write(people(*range(4, 41)))
    _, plan = await w.run()
    assert plan.connections[1].reason.startswith("1 leave (3 % of 38, limit 1 with 2 more in the last 24 h)")
    w.clock.pass_time(timedelta(hours=12))
    report, plan = await w.run()
    assert (planned(plan), report.converged) == ([("delete", mail(3), "")], True)


async def test_an_account_counts_once_however_often_it_changes(world: MakeWorld) -> None:
    w = await limited(world, 4, target=target("disable"))
    for number in range(4):
        w.write([person(1, active="yes" if number % 2 else "no"), *people(2, 3, 4)])
        report, plan = await w.run()
        assert (report.converged, len(planned(plan))) == (True, 1), number


async def test_what_was_released_is_not_counted(world: MakeWorld) -> None:
    w = await limited(world, 6)
    w.write(people(4, 5, 6))
    await w.run()
    w.release()
    report, _ = await w.run()
    assert (report.converged, len(w.directory.accounts)) == (True, 3)
    w.write(people(5, 6))
    report, plan = await w.run()
    assert (planned(plan), report.converged) == ([("delete", mail(4), "")], True)


async def test_too_many_creates_and_updates_are_held_each_by_its_own_limit(world: MakeWorld) -> None:
    w = await limited(world, 22)
    w.write([*(person(number, phone="5") for number in range(1, 13)), *people(*range(13, 22), *range(23, 34))])
    _, plan = await w.run("plan")
    assert kinds(plan) == {("create", "limit"), ("update", "limit"), ("delete", "")}
    reasons = {row.held for row in plan.changes() if row.held}
    assert reasons == {"12 change (55 % of 22, limit 11)", "11 are new (50 % of 22, limit 10)"}
    w.write([*(person(number, phone="5") for number in range(1, 12)), *people(*range(12, 33))])
    report, plan = await w.run()
    assert (kinds(plan), report.converged) == ({("create", ""), ("update", "")}, True)


async def test_no_limit_set_is_no_limit(world: MakeWorld) -> None:
    w = await limited(world, 6)
    w.limits = {"create": LIMITS["create"]}
    w.write(people(6))
    report, _ = await w.run()
    assert report.converged


async def test_clearing_one_attribute_of_many_is_held_and_the_rest_goes_on(world: MakeWorld) -> None:
    w = world(limits=LIMITS)
    w.write([person(number, phone="5", title="x") for number in range(1, 5)])
    await w.run()
    w.write([person(1, title="x"), person(2, title="x"), person(3, phone="5"), person(4, phone="6", title="x")])
    report, plan = await w.run()
    assert planned(plan) == [("update", mail(1), "limit"), ("update", mail(2), "limit"), ("update", mail(3), ""), ("update", mail(4), "")]
    assert plan.connections[1].reason == "2 lose a value (50 % of 4, limit 1): phone would be emptied"
    assert (w.account(mail(1))["phone"], "title" in w.account(mail(3))) == ("5", False)
    report, plan = await w.run()
    assert kinds(plan) == {("update", "limit")}, "still two"
    w.release()
    report, _ = await w.run()
    assert report.converged
    assert "phone" not in w.account(mail(1))


async def test_the_24_hours_of_clearing_slide_too(world: MakeWorld) -> None:
    w = world(limits=LIMITS)
    await settle(w, *people(1, 2, 3, phone="5"))
    await settle(w, person(1), *people(2, 3, phone="5"))
    w.write([person(1), person(2), person(3, phone="5")])
    w.clock.pass_time(timedelta(hours=23))
    _, plan = await w.run()
    reason = "1 lose a value (33 % of 3, limit 1 with 1 more in the last 24 h): phone would be emptied"
    assert plan.connections[1].reason == reason
    w.clock.pass_time(timedelta(hours=1))
    report, _ = await w.run()
    assert report.converged


async def test_the_cause_is_told_by_the_store_when_no_source_is_read(world: MakeWorld) -> None:
    w = await limited(world, 40)
    w.write(people(*range(6, 41)))
    await w.run(selection=["people"])
    _, plan = await w.run(selection=["app"])
    assert plan.connections[0].reason.endswith("all vanished from people between two readings (2026-01-01 00:01 UTC)")


async def test_an_adoption_that_empties_accounts_is_a_clearing_too(world: MakeWorld) -> None:
    w = await limited(world, 4)
    for number in (11, 12):
        w.directory.add(f"a{number}", userName=mail(number), phone="5")
    w.write(people(1, 2, 3, 4, 11, 12))
    _, plan = await w.run()
    assert planned(plan) == [("adopt", mail(11), "limit"), ("adopt", mail(12), "limit")]
    assert "phone would be emptied" in plan.connections[1].reason
