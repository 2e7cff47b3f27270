"""How much may change in 24 hours, what happens beyond, and what a person's yes and no are good for."""

from __future__ import annotations

from datetime import timedelta
from typing import Any

import pytest

from tests.engine.conftest import MakeWorld
from tests.engine.worlds import mail, people, source, states, target, write
from tests.world import LIMITS, World, person, planned

pytestmark = pytest.mark.anyio


async def established(world: MakeWorld, count: int, **options: Any) -> World:
    w = world(limits=LIMITS, **{"target": target("delete"), **options})
    w.write(people(*range(1, count + 1)))
    report, _ = await w.run()
    assert report.converged
    w.clock.pass_time(timedelta(minutes=1))
    return w


def kinds(plan: Any) -> set[tuple[str, str]]:
    return {(kind, code) for kind, _, code in planned(plan)}


async def test_too_many_leavers_are_held_with_arithmetic_and_cause_and_the_other_kinds_go_on(world: MakeWorld) -> None:
    w = await established(world, 60)
    w.write([*people(*range(11, 60)), person(60, phone="5"), person(61)])
    report, plan = await w.run()
    assert kinds(plan) == {("delete", "limit"), ("create", ""), ("update", "")}
    assert plan.connections[1].reason == (
        "10 leave (17 % of 60, limit 3): all vanished from people between two readings (2026-01-01 00:01 UTC); it is 15 % shorter"
    )
    assert (report.waiting, report.results[1].held, len(w.directory.accounts)) == (True, 10, 61)
    assert report.results[1].applied == {"create": 1, "adopt": 0, "update": 1, "disable": 0, "delete": 0}


async def test_the_cause_tells_a_swap_from_a_shrinking_file(world: MakeWorld) -> None:
    w = await established(world, 40)
    w.write([*people(*range(6, 41)), *people(*range(101, 106))])
    _, plan = await w.run()
    reason = plan.connections[1].reason
    assert reason.startswith("5 leave (12 % of 40, limit 2): all vanished from people between two readings")
    assert reason.endswith("; 5 came meanwhile")


async def test_the_cause_names_only_those_who_vanished_and_no_cause_is_made_up(world: MakeWorld) -> None:
    w = await established(world, 40)
    w.write([person(1, active="no"), *people(*range(6, 41))])
    _, plan = await w.run()
    assert "5 leave" in plan.connections[1].reason
    assert "4 of them vanished from people" in plan.connections[1].reason
    w.write([*(person(number, active="no") for number in range(1, 6)), *people(*range(6, 41))])
    _, plan = await w.run()
    assert plan.connections[1].reason == "5 leave (12 % of 40, limit 2)"


async def test_the_cause_of_an_earlier_reading_is_named_without_this_readings_size(world: MakeWorld) -> None:
    w = await established(world, 40)
    w.write(people(*range(6, 41)))
    await w.run()
    w.clock.pass_time(timedelta(hours=1))
    _, plan = await w.run()
    assert plan.connections[1].reason.endswith("between two readings (2026-01-01 00:01 UTC)")


@pytest.mark.parametrize(("leave", "passes"), [((1,), True), ((1, 2), False)])
async def test_in_a_small_directory_one_may_leave(world: MakeWorld, leave: tuple[int, ...], passes: bool) -> None:
    w = await established(world, 3)
    w.write(people(*({1, 2, 3} - set(leave))))
    _, plan = await w.run()
    assert kinds(plan) == {("delete", "" if passes else "limit")}
    assert len(w.directory.accounts) == (3 - len(leave) if passes else 3)


async def test_disables_count_as_deletes(world: MakeWorld) -> None:
    w = await established(world, 3)
    w.write([person(1, active="no"), person(3)])
    _, plan = await w.run()
    assert kinds(plan) == {("delete", "limit"), ("disable", "limit")}


async def test_the_24_hours_slide(world: MakeWorld) -> None:
    w = await established(world, 40)
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
    w = await established(world, 4, target=target("disable"))
    for number in range(6):
        w.write([person(1, active="yes" if number % 2 else "no"), *people(2, 3, 4)])
        report, plan = await w.run()
        assert (report.converged, len(planned(plan))) == (True, 1), number


async def test_what_was_released_is_not_counted(world: MakeWorld) -> None:
    w = await established(world, 6)
    w.write(people(4, 5, 6))
    await w.run()
    w.release()
    report, _ = await w.run()
    assert (report.converged, len(w.directory.accounts)) == (True, 3)
    w.write(people(5, 6))
    report, plan = await w.run()
    assert (planned(plan), report.converged) == ([("delete", mail(4), "")], True)


async def test_too_many_creates_and_updates_are_held_each_by_its_own_limit(world: MakeWorld) -> None:
    w = await established(world, 22)
    w.write([*(person(number, phone="5") for number in range(1, 13)), *people(*range(13, 34))])
    _, plan = await w.run()
    assert kinds(plan) == {("create", "limit"), ("update", "limit")}
    assert plan.connections[1].reason in ("12 change (55 % of 22, limit 11)", "11 are new (50 % of 22, limit 10)")
    w.write([*(person(number, phone="5") for number in range(1, 12)), *people(*range(12, 33))])
    report, plan = await w.run()
    assert (kinds(plan), report.converged) == ({("create", ""), ("update", "")}, True)


async def test_no_limit_set_is_no_limit(world: MakeWorld) -> None:
    w = await established(world, 6)
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


async def test_an_adoption_that_empties_accounts_is_a_clearing_too(world: MakeWorld) -> None:
    w = await established(world, 4)
    for number in (11, 12):
        w.directory.add(f"a{number}", userName=mail(number), phone="5")
    w.write(people(1, 2, 3, 4, 11, 12))
    _, plan = await w.run()
    assert planned(plan) == [("adopt", mail(11), "limit"), ("adopt", mail(12), "limit")]
    assert "phone would be emptied" in plan.connections[1].reason


# ---- a person's yes --------------------------------------------------------------------------------------------------


async def test_a_release_lets_exactly_those_go(world: MakeWorld) -> None:
    w = await established(world, 6)
    w.write(people(4, 5, 6))
    await w.run()
    w.release(mail(2))
    report, plan = await w.run()
    assert planned(plan) == [("delete", mail(1), "limit"), ("delete", mail(2), ""), ("delete", mail(3), "limit")]
    assert len(w.directory.accounts) == 5
    assert report.results[1].held == 2


async def test_a_release_nobody_used_for_24_hours_is_void(world: MakeWorld) -> None:
    w = await established(world, 6)
    w.write(people(4, 5, 6))
    await w.run()
    w.release()
    w.clock.pass_time(timedelta(hours=24))
    report, plan = await w.run()
    assert kinds(plan) == {("delete", "limit")}
    assert (report.results[1].held, len(w.pending())) == (3, 3)


async def test_a_release_survives_a_run_that_could_not_judge(world: MakeWorld) -> None:
    """An incomplete listing in between plans no leaver; what was held and released stays so."""
    w = await established(world, 6)
    w.write(people(4, 5, 6))
    await w.run()
    first = w.store.value("SELECT MIN(run) FROM pending")
    w.release(mail(1))
    text = w.people_file.read_text()
    w.people_file.write_text(text.rstrip("\n"))
    report, plan = await w.run()
    assert (planned(plan), report.results[1].held) == ([], 2)
    w.people_file.write_text(text)
    _, plan = await w.run()
    assert planned(plan) == [("delete", mail(1), ""), ("delete", mail(2), "limit"), ("delete", mail(3), "limit")]
    assert w.store.rows("SELECT DISTINCT run FROM pending")[0].run == first


async def test_what_no_longer_waits_is_no_longer_pending(world: MakeWorld) -> None:
    w = await established(world, 6)
    w.write(people(4, 5, 6))
    await w.run()
    w.write(people(3, 4, 5, 6))
    await w.run()
    assert w.pending() == [("held", "limit", mail(1)), ("held", "limit", mail(2))]
    w.write(people(1, 2, 3, 4, 5, 6))
    report, _ = await w.run()
    assert (w.pending(), report.converged) == ([], True)


# ---- a person's no ---------------------------------------------------------------------------------------------------


async def test_a_no_is_remembered_until_either_side_moves(world: MakeWorld) -> None:
    w = await established(world, 6)
    w.write(people(4, 5, 6))
    await w.run()
    w.reject(mail(1), mail(2), mail(3))
    report, plan = await w.run()
    assert (planned(plan), report.converged, report.results[1].kept) == ([], True, 3)
    assert not w.verify()
    w.account(mail(1))["title"] = "edited"
    _, plan = await w.run()
    assert planned(plan) == [("delete", mail(1), "")], "its account moved; alone it is within the limit"
    w.write(people(2, 4, 5, 6))
    report, plan = await w.run()
    assert (planned(plan), report.results[1].kept) == ([], 1)


async def test_a_no_to_a_newcomer_is_remembered_too(world: MakeWorld) -> None:
    w = await established(world, 1)
    w.write(people(*range(1, 14)))
    await w.run()
    w.reject()
    report, plan = await w.run()
    assert (planned(plan), report.converged, report.results[1].kept) == ([], True, 12)
    w.write([*people(*range(1, 13)), person(13, title="new")])
    _, plan = await w.run()
    assert planned(plan) == [("create", mail(13), "")]


# ---- the configuration changes ---------------------------------------------------------------------------------------


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
