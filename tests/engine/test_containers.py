"""Containers in the plan: who needs them, what holds them, which are removed, and what a person says to that."""

from __future__ import annotations

import pytest

from syncd.core.correlation import identity_id
from syncd.engine.narrowing import Narrowing
from syncd.store import connections
from tests.engine.town import changes, living, make, ours, reasons, rests, settled, town
from tests.engine.worlds import MakeWorld, mail, names, people, settle, target, writes
from tests.world import LIMITS, World

pytestmark = pytest.mark.anyio
# ---- made and removed --------------------------------------------------------------------------------------------------------------------


async def test_a_tenant_is_made_first_and_removed_last(world: MakeWorld) -> None:
    w = make(world)
    await settle(w, *living(1, 2))
    assert writes(w)[0] == ("create", "north") and sorted(writes(w)[1:]) == [("create", mail(1)), ("create", mail(2))]
    assert ours(w, "tenant", "north")
    await settle(w, *living(1))
    await rests(w)
    await settle(w)
    assert writes(w)[-2:] == [("delete", mail(1)), ("delete", "north")]
    await rests(w)


async def test_a_container_within_one_that_is_ours_goes_with_it_innermost_first(world: MakeWorld) -> None:
    w = make(world)
    town(w).named = {"organization": {"beta": {"name": "Beta"}}}
    await settle(w, *living(1, organization="beta"))
    assert [who for _, who in writes(w)] == ["beta", "north", mail(1)]
    await settle(w)
    assert [who for _, who in writes(w)[3:]] == [mail(1), "north"], "an organization that is named stays"
    town(w).named = {}
    await w.run()
    assert writes(w)[-1] == ("delete", "beta")


async def test_what_the_configuration_names_is_kept_so_and_what_it_does_not_is_left_alone(world: MakeWorld) -> None:
    w = make(world)
    town(w).named = {"tenant": {"north": {"organization": "acme", "name": "North", "meta": {"size": 3}}}}
    town(w).add("tenant", "theirs", organization="acme", name="Theirs")
    await settle(w, *living(1), *living(2, tenant="south"), *living(3, tenant="theirs"))
    town(w).found["tenant", "north"].update(name="Changed", other=1)
    town(w).found["tenant", "south"]["name"] = "Changed"
    town(w).named["tenant"]["theirs"] = {"organization": "acme", "name": "Mine"}
    await w.run()
    assert changes(w) == [("tenant", "update", "north", "applied")]
    assert {id: town(w).found["tenant", id].get("name") for id in ("north", "south", "theirs")} == {
        "north": "North", "south": "Changed", "theirs": "Theirs",
    }  # fmt: skip
    assert town(w).found["tenant", "north"]["other"] == 1
    await rests(w)


async def test_a_name_that_the_provider_does_not_take_is_reported_and_not_written_again(world: MakeWorld) -> None:
    w = await settled(world, *living(1))
    town(w).stubborn = True
    town(w).named = {"tenant": {"north": {"name": "North"}}}
    for _ in range(3):
        await w.run()
        assert reasons(w) == [("rejected", "north", "app kept name = null")]
    assert [method for method, who in writes(w) if who == "north"] == ["create", "update"]
    town(w).named = {}
    await rests(w)
    assert reasons(w) == []


async def test_nobody_elses_container_is_ours(world: MakeWorld) -> None:
    w = await settled(world, *living(1))
    town(w).add("tenant", "empty", organization="acme")
    town(w).add("tenant", "other", organization="acme", meta={"syncd": "other:5b1b4f3e-0000-5000-8000-000000000000"})
    await settle(w)
    assert town(w).ids("tenant") == {"empty", "other"}


async def test_a_lost_store_knows_its_containers_again_and_changes_nothing(world: MakeWorld) -> None:
    w = await settled(world, *living(1))
    with w.store.transaction():
        for table in ("change", "step", "pending", "link", "account_key", "account", "dirty", "connection"):
            w.store.run(f"DELETE FROM {table}")
    await w.run()
    assert [row[:3] for row in changes(w)] == [("user", "adopt", mail(1))]
    await settle(w, *living(1, name="Renamed"))
    await settle(w)
    assert town(w).ids("tenant") == set()


async def test_a_connection_that_is_called_otherwise_has_its_containers_still(world: MakeWorld) -> None:
    w = await settled(world, *living(1))
    connections.rename(w.store, "app", "other")
    connections.rename(w.store, "other", "app")
    identity = w.store.value("SELECT identity FROM change WHERE object = 'tenant'")
    assert identity == identity_id("default", "memory/tenant", "north"), "nothing of it is the connection's name"


# ---- who holds them ----------------------------------------------------------------------------------------------------------------------


async def test_a_tenant_that_only_held_people_need_is_held_and_released_with_them(world: MakeWorld) -> None:
    w = await settled(world, *people(*range(1, 11)), limits=LIMITS)
    w.write([*people(*range(1, 11)), *living(*range(11, 22))])
    report, plan = await w.run()
    assert changes(w)[-1] == ("tenant", "create", "north", "held") and report.results[1].held == 12
    assert plan.connections[1].counts["create"] == 11
    w.release()
    report, _ = await w.run()
    assert (report.converged, report.results[1].applied["create"], town(w).ids("tenant")) == (True, 11, {"north"})
    await rests(w)


async def test_a_no_to_people_is_a_no_to_the_tenant_they_needed(world: MakeWorld) -> None:
    w = await settled(world, *people(*range(1, 11)), limits=LIMITS)
    w.write([*people(*range(1, 11)), *living(*range(11, 22))])
    await w.run()
    w.reject()
    report, _ = await w.run()
    assert (changes(w), town(w).ids("tenant"), report.waiting) == ([], set(), False)
    w.write([*people(*range(1, 11)), *living(*range(11, 23))])
    await w.run()
    assert names(w) >= {mail(22)} and town(w).ids("tenant") == {"north"}, "who comes after them is let in"


async def test_where_nothing_is_ever_sent_containers_are_not_either(world: MakeWorld) -> None:
    w = await settled(world, *living(1))
    w.target = target("delete", apply="never")
    town(w).named = {"tenant": {"north": {"name": "North"}}}
    w.write(living(1) + living(2, tenant="south"))
    for _ in range(2):
        await w.run()
        assert [state for *_, state in changes(w)] == ["held"] * 3
        w.release()
    assert town(w).ids("tenant") == {"north"} and writes(w)[-1] == ("create", mail(1))


async def test_a_plan_writes_nothing(world: MakeWorld) -> None:
    w = await settled(world, *living(1))
    before = writes(w)
    w.write(living(2, tenant="south"))
    await w.run("plan")
    assert [row[:3] for row in changes(w)] == [
        ("user", "delete", mail(1)), ("user", "create", mail(2)), ("tenant", "create", "south"), ("tenant", "delete", "north"),
    ]  # fmt: skip
    assert (writes(w), town(w).ids("tenant")) == (before, {"north"})


# ---- first contact -----------------------------------------------------------------------------------------------------------------------


async def anew(world: MakeWorld) -> World:
    """As after a lost store: nothing of this connection has been changed yet; nobody differs, and the tenant is named otherwise."""
    w = await settled(world, *living(1))
    town(w).named = {"tenant": {"north": {"name": "North"}}}
    with w.store.transaction():
        w.store.run("UPDATE connection SET settled = 0")
    return w


async def test_a_yes_to_the_first_contact_lets_a_name_go(world: MakeWorld) -> None:
    w = await anew(world)
    await w.run(yes=False)
    assert changes(w) == [("tenant", "update", "north", "held")]
    _, plan = await w.run()
    assert plan.first_contacts == ("app",)
    assert town(w).found["tenant", "north"]["name"] == "North"


async def test_a_release_lets_it_go_too(world: MakeWorld) -> None:
    w = await anew(world)
    await w.run("plan")
    w.release()
    _, plan = await w.run()
    assert plan.first_contacts == (), "nobody is asked again"
    assert town(w).found["tenant", "north"]["name"] == "North"


async def test_an_end_waits_for_the_first_contact_to_be_over_and_a_no_to_it_is_remembered(world: MakeWorld) -> None:
    w = await settled(world, *living(1), *living(2, tenant="south"))
    for account in w.directory.accounts.values():
        account["tenant"] = "north"
    w.write(living(1, 2))
    with w.store.transaction():
        w.store.run("UPDATE connection SET settled = 0")
    await w.run(yes=True)
    assert changes(w) == [("tenant", "delete", "south", "held")]
    w.reject()
    with w.store.transaction():
        w.store.run("UPDATE connection SET settled = 1 WHERE name = 'app'")
    for _ in range(2):
        report, _ = await w.run()
        assert (report.converged, town(w).ids("tenant")) == (True, {"north", "south"})
    w.take_back()
    await w.run()
    assert town(w).ids("tenant") == {"north"}


# ---- some people only --------------------------------------------------------------------------------------------------------------------


async def test_for_some_people_only_what_they_need_is_made(world: MakeWorld) -> None:
    w = await settled(world, *living(1, 2), *living(3, tenant="west"))
    town(w).named = {"tenant": {"west": {"name": "The West"}}}
    w.write([*living(3, tenant="west"), *living(4, tenant="south"), *living(5, tenant="east")])
    await w.run("plan")
    chosen = w.store.value("SELECT identity FROM identity_key WHERE attribute = 'userName' AND key = :who", who=mail(4))
    await w.run(narrowing=Narrowing(only=lambda: [chosen]))
    assert changes(w) == [("user", "create", mail(4), "applied"), ("tenant", "create", "south", "applied")]
    await w.run()
    assert town(w).ids("tenant") == {"west", "south", "east"} and town(w).found["tenant", "west"]["name"] == "The West"


async def test_what_waits_of_tenants_that_others_need_waits_on(world: MakeWorld) -> None:
    w = make(world)
    w.write([*living(1), *living(2, tenant="south")])
    await w.run("plan")
    before = reasons(w)
    assert [who for _, who, _ in before] == ["north", mail(1), mail(2), "south"]
    chosen = w.store.value("SELECT identity FROM identity_key WHERE attribute = 'userName' AND key = :who", who=mail(1))
    await w.run("plan", narrowing=Narrowing(only=lambda: [chosen]))
    assert reasons(w) == before


async def test_a_tenant_stays_while_those_who_are_to_leave_it_are_too_many_for_one_run(world: MakeWorld) -> None:
    w = await settled(world, *living(1, 2), *living(3, tenant="west"))
    w.write(living(3, tenant="west"))
    report, _ = await w.run(narrowing=Narrowing(most=1))
    assert changes(w)[-1] == ("tenant", "delete", "north", "skipped") and report.results[1].skipped == 1
    await w.run()
    assert town(w).ids("tenant") == {"west"}
