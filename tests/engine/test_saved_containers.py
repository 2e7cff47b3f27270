"""Containers in a saved plan: asked for by themselves, made and removed as planned, or skipped with what is otherwise."""

from __future__ import annotations

import pytest

from syncd.errors import Retryable
from tests.engine.files import apply, listings, planned_file, skipped
from tests.engine.town import changes, living, make, ours, rests, settled, town
from tests.engine.worlds import MakeWorld, mail, names, settle

pytestmark = pytest.mark.anyio


async def test_a_tenant_is_made_for_those_who_are_to_live_there(world: MakeWorld) -> None:
    w = await settled(world, *living(1))
    w.write([*living(1), *living(2, tenant="south")])
    file = await planned_file(w)
    before = listings(w)["app"]
    assert (await apply(w, file)).converged
    assert changes(w) == [("user", "create", mail(2), "applied"), ("tenant", "create", "south", "applied")]
    assert ours(w, "tenant", "south") and listings(w)["app"] == before
    await rests(w)


async def test_at_the_first_contact_too(world: MakeWorld) -> None:
    w = make(world)
    w.write(living(1))
    assert (await apply(w, await planned_file(w))).converged
    assert (names(w), ours(w, "tenant", "north")) == ({mail(1)}, True)
    await rests(w)


async def test_a_tenant_that_is_there_by_now_is_not_made_again(world: MakeWorld) -> None:
    w = await settled(world, *living(1))
    w.write([*living(1), *living(2, tenant="south")])
    file = await planned_file(w)
    town(w).add("tenant", "south", organization="acme", name="Theirs")
    await apply(w, file)
    assert skipped(w) == {"south": "tenant south is there by now"}
    assert (names(w), town(w).found["tenant", "south"]["name"]) == ({mail(1), mail(2)}, "Theirs")


async def test_an_empty_tenant_is_removed_after_its_last_inhabitant(world: MakeWorld) -> None:
    w = await settled(world, *living(1), *living(2, tenant="south"))
    w.write(living(1))
    assert (await apply(w, await planned_file(w))).converged
    assert town(w).ids("tenant") == {"north"} and names(w) == {mail(1)}
    await rests(w)


async def test_but_not_when_somebody_moved_in_meanwhile(world: MakeWorld) -> None:
    """Whoever deletes a container looks again."""
    w = await settled(world, *living(1), *living(2, tenant="south"))
    w.write(living(1))
    file = await planned_file(w)
    w.directory.add(userName="stranger", tenant="south")
    await apply(w, file)
    assert town(w).ids("tenant") == {"north", "south"} and names(w) == {mail(1), "stranger"}
    assert changes(w)[-1] == ("tenant", "delete", "south", "rejected")


async def test_nor_when_it_is_not_ours_any_more(world: MakeWorld) -> None:
    w = await settled(world, *living(1), *living(2, tenant="south"))
    w.write(living(1))
    file = await planned_file(w)
    town(w).found["tenant", "south"]["meta"] = {}
    await apply(w, file)
    assert skipped(w) == {"south": "tenant south does not bear our marker any more"}


async def test_a_tenant_that_moved_is_skipped_and_one_that_did_not_is_updated(world: MakeWorld) -> None:
    w = make(world)
    town(w).named = {"tenant": {id: {"organization": "acme", "name": id.title()} for id in ("north", "south", "west")}}
    await settle(w, *living(1), *living(2, tenant="south"), *living(3, tenant="west"))
    for id in ("north", "south", "west"):
        town(w).found["tenant", id]["name"] = "Changed"
    file = await planned_file(w)
    town(w).found["tenant", "south"]["name"] = "Again"
    del town(w).found["tenant", "west"]
    await apply(w, file)
    assert skipped(w) == {"south": "tenant south was changed since the plan was made", "west": "tenant west is not shown any more"}
    assert [town(w).found["tenant", id]["name"] for id in ("north", "south")] == ["North", "Again"]


async def test_one_that_cannot_be_asked_for_lets_nobody_in(world: MakeWorld) -> None:
    w = await settled(world, *living(1))
    w.write([*living(1, phone="5"), *living(2, tenant="south")])
    file = await planned_file(w)
    w.directory.fail_next("visit", Retryable("HTTP 503"))
    await apply(w, file)
    assert skipped(w)["south"] == "tenant south could not be looked at" and mail(2) in skipped(w)
    assert (names(w), w.account(mail(1))["phone"], town(w).ids("tenant")) == ({mail(1)}, "5", {"north"})
