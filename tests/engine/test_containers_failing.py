"""Containers when something goes wrong: nobody is sent where they cannot live, and nothing is removed in which somebody may."""

from __future__ import annotations

from datetime import timedelta

import pytest

from syncd.errors import InDoubt, Rejected, Retryable
from syncd.model import Flaw
from tests.engine.town import changes, living, make, reasons, rests, settled, town
from tests.engine.worlds import MakeWorld, mail, names, people, settle, target, writes
from tests.world import LIMITS, person

pytestmark = pytest.mark.anyio


@pytest.mark.parametrize(("error", "state"), [(Retryable("busy"), "retry"), (InDoubt("no answer"), "lost")])
@pytest.mark.parametrize("after", [False, True])
async def test_who_needs_a_tenant_that_was_not_made_waits_for_the_next_run(
    world: MakeWorld, error: Exception, state: str, after: bool
) -> None:  # fmt: skip
    w = await settled(world, *people(1))
    w.directory.fail_next("create", error, after=after)  # type: ignore[arg-type]
    w.write(people(1) + living(2))
    report, _ = await w.run()
    assert [row[3] for row in changes(w)] == ["skipped", state]
    assert report.failed and "could not be sent" in report.results[1].error
    await settle(w, *people(1), *living(2))
    assert [who for method, who in writes(w) if method == "create"].count("north") == 1
    await rests(w)


async def test_a_refused_tenant_is_reported_until_it_is_made(world: MakeWorld) -> None:
    w = await settled(world, *people(1))
    w.write(people(1) + living(2))
    for _ in range(4):
        w.directory.fail_next("create", Rejected("no room"))
        await w.run()
        assert reasons(w) == [("rejected", "north", "no room")]
    town(w).broken = {"tenant"}
    assert (await w.run())[0].failed
    assert reasons(w) == [("rejected", "north", "no room")], "what could not be judged stays as it was"
    town(w).broken = set()
    await settle(w, *people(1), *living(2))
    assert reasons(w) == []


async def test_an_id_that_the_connector_does_not_take_is_that_containers_affair(world: MakeWorld) -> None:
    w = await settled(world, *people(1))
    w.write(people(1) + living(2, tenant="!") + living(3))
    report, _ = await w.run()
    assert reasons(w) == [("rejected", "!", "! is no id")]
    assert (names(w), report.results[1].skipped) == ({mail(1), mail(3)}, 1)


async def test_an_account_that_the_connector_does_not_take_is_that_persons_affair(world: MakeWorld) -> None:
    w = await settled(world, *people(1))
    w.write([*people(1), person(2, email="!two"), *people(3)])
    await w.run()
    assert (reasons(w), names(w)) == ([("rejected", "!two", "!two is no id")], {mail(1), mail(3)})


async def test_nobody_lives_where_no_container_can_be(world: MakeWorld) -> None:
    w = await settled(world, *living(1))
    w.write(living(1) + living(2, organization="beta", tenant="east"))
    _, plan = await w.run()
    told = "organization beta does not exist, and `organizations` does not name it"
    assert [row.reason for row in plan.changes()] == [f"new; {told}"]
    assert reasons(w) == [("rejected", mail(2), told)]
    assert town(w).ids("tenant") == {"north"}


async def test_two_who_want_one_tenant_in_two_organizations(world: MakeWorld) -> None:
    w = make(world)
    town(w).add("organization", "beta")
    await settle(w, *people(1))
    w.write(people(1) + living(2) + living(3, organization="beta"))
    await w.run()
    assert len(names(w)) == 2
    (told,) = reasons(w)
    assert "tenant north lies in" in told[2]


async def test_who_does_not_move_needs_no_container(world: MakeWorld) -> None:
    """Also where theirs is not shown: a change of name goes, and who leaves is disabled."""
    w = await settled(world, *living(1, 2), target=target("disable"))
    del town(w).found["tenant", "north"], town(w).found["organization", "acme"]
    w.write(living(1, name="Renamed"))
    report, _ = await w.run()
    assert (report.converged, w.account(mail(1))["displayName"], w.account(mail(2))["active"]) == (True, "Renamed", False)
    assert town(w).found == {}


async def test_a_tenant_whose_last_could_not_be_deleted_stays(world: MakeWorld) -> None:
    w = await settled(world, *living(1))
    w.write([])
    w.directory.fail_next("delete", Rejected("locked"))
    report, _ = await w.run()
    assert changes(w) == [("user", "delete", mail(1), "rejected"), ("tenant", "delete", "north", "skipped")]
    assert reasons(w) == [("rejected", mail(1), "locked")] and report.results[1].rejected == 1
    await w.run()
    assert town(w).ids("tenant") == set()


async def test_a_tenant_stays_while_an_account_in_it_is_not_listed(world: MakeWorld) -> None:
    """Where only time proves absence: whoever is missing lives there still, until it is proven."""
    w = make(world)
    town(w).vague = True
    await settle(w, *living(1))
    w.directory.accounts.clear()
    for hours in (0, 12):
        w.clock.pass_time(timedelta(hours=hours))
        await w.run()
        assert changes(w) == []
    w.clock.pass_time(timedelta(hours=12))
    await w.run()
    assert changes(w) == [("user", "create", mail(1), "applied")]


async def test_a_tenant_stays_while_somebodys_record_cannot_be_read(world: MakeWorld) -> None:
    w = await settled(world, *living(1))
    town(w).flawed = [Flaw("record 9", "no object", "m9")]
    w.write([])
    await w.run()
    assert (changes(w), town(w).ids("tenant")) == ([("user", "delete", mail(1), "applied")], {"north"})
    town(w).flawed = []
    await w.run()
    assert town(w).ids("tenant") == set()


async def test_a_tenant_stays_while_a_create_in_it_is_in_doubt(world: MakeWorld) -> None:
    """The account is not listed yet, nobody can be asked, and the only other one leaves."""
    w = await settled(world, *living(1))
    w.directory.hidden = {"m2"}
    w.directory.fail_next("create", InDoubt("no answer"), after=True)
    w.directory.fail_next("find", Retryable("busy"))
    w.write(living(1, 2))
    await w.run()
    w.directory.fail_next("find", Retryable("busy"))
    w.write(living(2))
    await w.run()
    assert (changes(w), town(w).ids("tenant")) == ([("user", "delete", mail(1), "applied")], {"north"})
    await w.run()
    assert (changes(w), w.pending(), town(w).ids("tenant")) == ([], [], {"north"}), "found by itself, it lives there"
    w.directory.hidden = set()
    await rests(w)


async def test_a_tenant_stays_while_who_is_to_live_there_rests(world: MakeWorld) -> None:
    w = await settled(world, *people(1))
    w.write(people(1) + living(2))
    for _ in range(3):
        town(w).refused = {mail(2)}
        await w.run()
    await w.run()
    assert (changes(w), town(w).ids("tenant")) == ([], {"north"}), "not made and removed over and over"
    town(w).refused = set()
    w.clock.pass_time(timedelta(hours=2))
    await settle(w, *people(1), *living(2))


async def test_beside_a_listing_that_broke_off_people_enter_only_what_was_seen(world: MakeWorld) -> None:
    w = await settled(world, *living(1))
    town(w).broken = {"tenant"}
    w.write([*living(1, 2), *living(3, tenant="south")])
    report, _ = await w.run()
    assert report.failed
    assert sorted(changes(w)) == [("user", "create", mail(2), "applied"), ("user", "create", mail(3), "skipped")]
    assert w.store.value("SELECT error FROM change WHERE who = :who AND state = 'skipped'", who=mail(3)) == (
        "tenant south was not seen, and the listing did not reach its end"
    )
    town(w).broken = set()
    await settle(w, *living(1, 2), *living(3, tenant="south"))


async def test_a_tenant_is_not_to_go_while_those_who_leave_it_are_held(world: MakeWorld) -> None:
    w = await settled(world, *living(1, 2), limits=LIMITS)
    w.write([])
    await w.run()
    assert sorted(changes(w)) == [("user", "delete", mail(1), "held"), ("user", "delete", mail(2), "held")]
    w.release()
    await w.run()
    assert (names(w), town(w).ids("tenant")) == (set(), set())


async def test_what_is_to_go_is_not_renamed_before(world: MakeWorld) -> None:
    w = await settled(world, *living(1))
    town(w).named = {"tenant": {"north": {"name": "North"}}}
    w.write([])
    await w.run()
    assert [row[:3] for row in changes(w)] == [("user", "delete", mail(1)), ("tenant", "delete", "north")]
