"""People in Waii, whole cycles: weak evidence, accounts that are never touched, keys that end with their owner, and lost answers."""

from __future__ import annotations

from datetime import timedelta
from typing import Any

import pytest

from syncd.sandbox.waii_tree import ADMIN, HOME
from tests import stores
from tests.end_to_end.company import DELETE, ROLES, person

pytestmark = pytest.mark.anyio


async def test_people_come_change_and_are_in_step(open_company: Any) -> None:
    one = open_company()
    await one.settled(person(1), person(2))
    assert one.people()["p1@x.co"] | {"variables": {}} == {
        "id": "p1@x.co", "name": "Person 1", "tenant_id": None, "org_id": HOME, "variables": {}, "roles": ["waii-api-user"],
    }  # fmt: skip
    assert {*one.people()["p1@x.co"]["variables"]} == {"externalId", "syncd"}
    one.tree.update_user("p2@x.co", name="Person 2", variables={**one.people()["p2@x.co"]["variables"], "theirs": 1}, roles=["waii-user"])
    await one.settled(person(1, name="Renamed"), person(2, name="Also"))
    assert one.people()["p1@x.co"]["name"] == "Renamed"
    assert (one.people()["p2@x.co"]["variables"]["theirs"], one.people()["p2@x.co"]["roles"]) == (1, ["waii-user"])
    assert one.writes() == [("create-user", 200)] * 2 + [("update-user", 200)] * 2


async def test_a_lost_store_takes_its_accounts_back_and_writes_nothing(open_company: Any) -> None:
    one = open_company()
    await one.settled(person(1), person(2))
    stores.lose(one.root)
    report, plan = await one.run()
    assert (plan, report.converged) == ([("adopt", "p1@x.co"), ("adopt", "p2@x.co")], True)
    assert one.writes() == [("create-user", 200)] * 2


async def test_leavers_are_deleted_with_their_keys_and_one_with_a_nameless_key_is_not(open_company: Any) -> None:
    one = open_company(DELETE)
    await one.settled(person(1), person(2), person(3))
    one.tree.create_key("p1@x.co", "laptop")
    one.tree.create_key("p2@x.co", None)
    one.employ(person(3))
    report, _ = await one.run()
    assert {*one.people()} == {"p2@x.co", "p3@x.co"}
    assert report.waiting
    ((state, who, reason),) = one.pending()
    assert (state, who) == ("rejected", "p2@x.co")
    assert "one has no name" in reason
    assert [key.user_id for key in one.tree.keys.values()] == [ADMIN, "p2@x.co"]


async def test_disabling_by_roles_and_back(open_company: Any) -> None:
    one = open_company(ROLES)
    await one.settled(person(1, title="Lead"), person(2))
    assert [one.people()[f"p{n}@x.co"]["roles"] for n in (1, 2)] == [["waii-admin-user"], ["waii-user"]]
    one.tree.create_key("p1@x.co", "laptop")
    await one.settled(person(1, title="Lead", active="no"), person(2))
    assert (one.people()["p1@x.co"]["roles"], len(one.tree.keys)) == (["waii-trial-user"], 1)
    await one.settled(person(1, title="Lead"), person(2))
    assert one.people()["p1@x.co"]["roles"] == ["waii-admin-user"]


async def test_an_account_that_vanishes_is_made_again_only_after_three_listings_over_a_day(open_company: Any) -> None:
    one = open_company()
    await one.settled(person(1), person(2))
    one.tree.delete_user("p1@x.co")
    for hours in (0, 12, 12):
        one.clock.pass_time(timedelta(hours=hours))
        report, plan = await one.run()
        assert not report.failed
    assert plan == [("create", "p1@x.co")]
    assert {*one.people()} == {"p1@x.co", "p2@x.co"}
    assert (await one.run())[0].converged


async def test_an_account_that_a_listing_missed_and_a_look_up_shows_proves_it_incomplete(open_company: Any) -> None:
    one = open_company(DELETE)
    await one.settled(person(1), person(2))
    one.employ(person(1))
    one.sandbox.faults = "missed@page;after=1"
    report, plan = await one.run()
    assert (plan, report.failed) == ([], True)
    report, plan = await one.run()
    assert (plan, report.converged) == ([("delete", "p2@x.co")], True)


async def test_an_organization_that_vanished_proves_the_listing_incomplete(open_company: Any) -> None:
    one = open_company(write="{attributes: {org_id: organization}}", organizations="")
    one.tree.create_organization("bolt")
    await one.settled(person(1, organization=HOME), person(2, organization="bolt"))
    hidden = one.tree.organizations.pop("bolt")
    for _ in range(4):
        one.clock.pass_time(timedelta(hours=12))
        report, plan = await one.run()
        assert (plan, report.failed) == ([], True)
        assert "bolt is not listed any more" in next(each.error for each in report.results if each.name == "sql")
    one.tree.organizations["bolt"] = hidden
    assert (await one.run())[0].converged


async def test_a_person_who_moves_between_organizations_keeps_account_and_tenant(open_company: Any) -> None:
    one = open_company(write="{attributes: {org_id: organization, tenant_id: tenant}}", organizations="")
    one.tree.create_organization("bolt")
    one.tree.create_tenant("acme-eu", HOME)
    one.tree.create_tenant("bolt-eu", "bolt")
    await one.settled(person(1, organization=HOME, tenant="acme-eu"))
    await one.settled(person(1, organization="bolt", tenant="bolt-eu", name="Renamed"))
    assert (one.people()["p1@x.co"]["org_id"], one.people()["p1@x.co"]["tenant_id"]) == (HOME, "acme-eu")
    assert one.people()["p1@x.co"]["name"] == "Renamed"


async def test_our_own_account_and_those_who_may_do_more_are_nobodys(open_company: Any) -> None:
    one = open_company(DELETE)
    one.tree.update_user(ADMIN, roles=["waii-org-admin-user"])
    one.tree.create_user("boss@x.co", roles=["waii-super-admin-user"])
    before = one.tree.users
    one.employ(person(1), person(2, email=ADMIN), person(3, email="boss@x.co"))
    report, _ = await one.run()
    assert report.waiting
    assert {id: user for id, user in one.tree.users.items() if id in before} == before
    assert [(state, who) for state, who, _ in one.pending()] == [("held", ADMIN), ("held", "boss@x.co")]


async def test_who_comes_to_may_more_than_we_is_never_touched_again(open_company: Any) -> None:
    one = open_company(DELETE)
    one.tree.update_user(ADMIN, roles=["waii-org-admin-user"])
    await one.settled(person(1), person(2))
    one.tree.update_user("p1@x.co", name="Person 1", variables=one.people()["p1@x.co"]["variables"], roles=["waii-super-admin-user"])
    one.employ(person(2))
    await one.run()
    assert "p1@x.co" in one.people()
    assert any("never touched" in reason for _, _, reason in one.pending()), one.pending()


@pytest.mark.parametrize("fault", ["reset@create;when=after", "reset@create", "500@create;when=after", "error_body@create;when=after"])
async def test_a_lost_answer_to_a_create_doubles_nobody(open_company: Any, fault: str) -> None:
    one = open_company()
    one.employ(person(1), person(2))
    one.sandbox.faults = fault
    await one.run()
    one.clock.pass_time(timedelta(minutes=1))
    report, _ = await one.run()
    assert report.converged
    assert {*one.people()} == {"p1@x.co", "p2@x.co"}
    assert [status for operation, status in one.writes() if operation == "create-user"] == [200, 200]


async def test_somebody_elses_account_of_that_id_in_a_hidden_place_is_reported(open_company: Any) -> None:
    one = open_company()
    one.tree.create_organization("bolt")
    one.tree.create_user("p1@x.co", "bolt")
    one.employ(person(1), person(2))
    report, _ = await one.run()
    assert report.waiting
    ((state, who, reason),) = one.pending()
    assert (state, who) == ("rejected", "p1@x.co")
    assert "User p1@x.co already exists" in reason
