"""Tenants and organizations: made before the people who need them, named by the configuration, removed after the last of them."""

from __future__ import annotations

from typing import Any

import pytest

from syncd.sandbox.waii_tree import HOME
from tests.end_to_end.company import DELETE, Company, person

pytestmark = pytest.mark.anyio

LEAVERS = "deprovision: {out_of_scope: delete, departed: delete, grace: 0s}"
TENANTS = f"{{attributes: {{tenant_id: tenant}}, {LEAVERS}}}"
BOTH = f"{{revoke: false, attributes: {{org_id: organization, tenant_id: tenant}}, {LEAVERS}}}"
REPLACING = BOTH.replace("{revoke", "{on_key_change: replace, revoke")


def changes(one: Company) -> list[tuple[str, str, str, str]]:
    """(object, kind, who, state) of every change of the last run, in order of planning."""
    return one._asked("SELECT object, kind, who, state FROM change WHERE run = (SELECT max(id) FROM run) ORDER BY seq")


def operations(one: Company) -> list[str]:
    return [operation for operation, _ in one.writes()]


async def test_a_missing_tenant_is_made_before_its_people_and_removed_after_the_last_of_them(open_company: Any) -> None:
    one = open_company(TENANTS)
    await one.settled(person(1, tenant="north"), person(2, tenant="north"), person(3))
    assert operations(one)[0] == "create-tenant" and sorted(operations(one)[1:]) == ["create-user"] * 3
    tenant = one.tree.tenants["north"]
    assert (tenant["name"], tenant["org_id"], tenant["variables"].keys()) == ("north", HOME, {"syncd"})
    assert one.people()["p1@x.co"]["tenant_id"] == "north"
    await one.settled(person(1, tenant="south"), person(2, tenant="north"), person(3))
    assert operations(one)[4:] == ["create-tenant", "update-user"]
    await one.settled(person(1, tenant="south"), person(3))
    assert operations(one)[6:] == ["delete-user", "delete-tenant"]
    assert {*one.tree.tenants} == {"south"}


async def test_the_configuration_names_tenants_and_organizations(open_company: Any) -> None:
    more = f"""organizations: {{beta: {{name: Beta, variables: {{size: 3}}}}, {HOME}: {{}}}}
    tenants: {{north: {{organization: beta, name: The North}}}}"""
    one = open_company(BOTH, more)
    await one.settled(person(1, organization="beta", tenant="north"), person(2, organization=HOME))
    assert operations(one)[:2] == ["create-org", "create-tenant"]
    beta, north = one.tree.organizations["beta"], one.tree.tenants["north"]
    assert (beta["name"], beta["variables"]["size"], north["name"], north["org_id"]) == ("Beta", 3, "The North", "beta")
    text = (one.root / "syncd.yaml").read_text().replace("The North", "North").replace("size: 3", "size: 4")
    (one.root / "syncd.yaml").write_text(text)
    await one.run()
    assert operations(one)[4:] == ["update-org", "update-tenant"]
    assert (one.tree.tenants["north"]["name"], one.tree.organizations["beta"]["variables"]["size"]) == ("North", 4)
    await one.settled(person(2, organization=HOME))
    assert "north" not in one.tree.tenants and "beta" in one.tree.organizations, "an organization that is configured stays"


async def test_an_organization_that_is_not_named_is_not_made(open_company: Any) -> None:
    one = open_company(BOTH, f"organizations: {{{HOME}: {{}}, beta: {{}}}}")
    one.employ(person(1, organization="bate"), person(2, organization="beta"))
    report, _ = await one.run()
    assert (report.results[1].rejected, report.results[1].applied["create"]) == (1, 1)
    assert one.pending() == [("rejected", "p1@x.co", "organization bate does not exist, and `organizations` does not name it")]
    assert ("organization", "create", "bate", "passed") not in changes(one)
    assert {*one.tree.organizations} == {HOME, "beta"}


async def test_what_is_not_ours_or_not_empty_stays(open_company: Any) -> None:
    one = open_company(TENANTS)
    one.tree.create_tenant("theirs", name="Theirs", org_id=HOME)
    await one.settled(person(1, tenant="theirs"), person(2, tenant="ours"))
    one.tree.create_user("guest@x.co", name="A guest", tenant_id="ours", org_id=HOME)
    await one.settled()
    assert {*one.tree.tenants} == {"theirs", "ours"}
    assert one.people().keys() == {"guest@x.co"}
    one.tree.delete_user("guest@x.co")
    await one.run()
    assert {*one.tree.tenants} == {"theirs"}


async def test_at_the_first_contact_containers_wait_with_their_people(open_company: Any) -> None:
    one = open_company(TENANTS)
    one.employ(person(1, tenant="north"))
    await one.plan()
    assert changes(one) == [("user", "create", "p1@x.co", "held"), ("tenant", "create", "north", "held")]
    assert one.writes() == []
    await one.settled(person(1, tenant="north"))


async def test_who_needs_a_tenant_that_could_not_be_made_waits_for_the_next_run(open_company: Any) -> None:
    one = open_company(TENANTS)
    await one.settled(person(1))
    one.sandbox.faults = "500@create"
    one.employ(person(1), person(2, tenant="north"), person(3))
    report, _ = await one.run()
    assert (report.results[1].applied["create"], report.results[1].skipped) == (1, 1)
    assert [state for object, _, _, state in changes(one) if object == "tenant"] == ["lost"]
    await one.settled(person(1), person(2, tenant="north"), person(3))
    assert one.people()["p2@x.co"]["tenant_id"] == "north"


async def test_a_refused_container_is_reported_until_it_can_be_made(open_company: Any) -> None:
    one = open_company(TENANTS)
    await one.settled(person(1))
    one.sandbox.faults = "400@create"
    one.employ(person(1), person(2, tenant="north"))
    report, _ = await one.run()
    assert (report.results[1].rejected, report.results[1].skipped) == (1, 1)
    assert [(state, who) for state, who, _ in one.pending()] == [("rejected", "north")]
    await one.settled(person(1), person(2, tenant="north"))
    assert one.pending() == []


async def test_a_tenant_lies_in_one_organization(open_company: Any) -> None:
    one = open_company(BOTH, f"organizations: [{HOME}, beta]")
    await one.settled(person(1, organization=HOME, tenant="north"), person(2, organization="beta"))
    one.employ(person(1, organization=HOME, tenant="north"), person(2, organization="beta", tenant="north"))
    report, _ = await one.run()
    assert report.results[1].rejected == 1
    assert one.pending() == [("rejected", "p2@x.co", f"tenant north lies in {HOME}, not in beta")]


async def test_who_moves_to_another_organization_is_replaced_there_after_a_yes(open_company: Any) -> None:
    one = open_company(REPLACING, f"organizations: [{HOME}, beta]")
    await one.settled(person(1, organization=HOME, tenant="north"), person(2, organization="beta"))
    one.employ(person(1, organization="beta", tenant="east"), person(2, organization="beta"))
    report, _ = await one.run()
    assert report.results[1].held == 3
    dies = "org_id changed from acme to beta, which the provider cannot do: release = delete account p1@x.co with all that hangs on it, "
    assert {reason for _, _, reason in one.pending()} == {dies + "and create p1@x.co"}
    assert [(object, kind, state) for object, kind, _, state in changes(one)] == [
        ("user", "delete", "held"), ("user", "create", "held"), ("tenant", "create", "held"),
    ]  # fmt: skip
    one.release()
    await one.settled(person(1, organization="beta", tenant="east"), person(2, organization="beta"))
    assert (one.people()["p1@x.co"]["org_id"], one.people()["p1@x.co"]["tenant_id"]) == ("beta", "east")
    assert operations(one)[-4:] == ["create-tenant", "delete-user", "create-user", "delete-tenant"]


async def test_who_keeps_the_organization_keeps_the_tenant(open_company: Any) -> None:
    one = open_company(BOTH, f"organizations: [{HOME}, beta]")
    await one.settled(person(1, organization=HOME, tenant="north"), person(2, organization="beta"))
    before = operations(one)
    await one.settled(person(1, organization="beta", tenant="east", name="Renamed"), person(2, organization="beta"))
    assert one.people()["p1@x.co"] | {"variables": {}} == {
        "id": "p1@x.co", "name": "Renamed", "tenant_id": "north", "org_id": HOME, "variables": {}, "roles": ["waii-api-user"],
    }  # fmt: skip
    assert operations(one)[len(before) :] == ["update-user"]


async def test_beside_an_incomplete_listing_nothing_is_made_or_removed(open_company: Any) -> None:
    one = open_company(DELETE.replace("{deprovision", "{attributes: {tenant_id: tenant}, deprovision"))
    await one.settled(person(1, tenant="north"))
    one.employ(person(2, tenant="south"))
    one.sandbox.faults = "truncated@list:9"
    report, _ = await one.run()
    assert report.failed and [object for object, *_ in changes(one) if object == "tenant"] == []
