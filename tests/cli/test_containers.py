"""Tenants as a person reads them: in plans, in what waits, and what the command line says when they cannot be made."""

from __future__ import annotations

import re

import pytest

from syncd.sandbox.waii_tree import HOME
from tests import stores
from tests.cli.office import Office, person
from tests.cli.schemas import valid

CONFIG = """\
version: 1
connections:
  people: {{connector: file, path: people.csv, id: employeeNumber, authoritative: true}}
  sql:
    connector: waii
    base_url: {url}/api/
    api_key: {key}
    organizations: [{home}]
    {more}
    write: {{attributes: {{tenant_id: lower(department)}}, deprovision: {{out_of_scope: delete, departed: delete, grace: 0s}}}}
"""


def configure(office: Office, more: str = "") -> None:
    office.config.write_text(CONFIG.format(url=office.url, key=office.sandbox.waii.api_key, home=HOME, more=more))


def employ(office: Office, **departments: str) -> None:
    """``p1="Sales"``: person 1 works there."""
    office.rows = [{**person(int(who[1:])), "department": department} for who, department in departments.items()]
    office.save()


@pytest.fixture
def desk(office: Office) -> Office:
    configure(office)
    return office


def test_a_plan_says_for_whom_a_tenant_is_made(desk: Office) -> None:
    employ(desk, p1="Sales", p2="Sales", p3="Sales", p4="Law")
    said = desk.run("plan")
    assert "! 6 held (4 to create, 2 tenants to create): first contact" in said.out
    assert re.search(r"    \+ create tenant sales: for p[123]@corp.example and 2 more\n        id ", said.out)
    assert "    + create tenant law: for p4@corp.example\n" in said.out
    assert said.last == "Plan: 0 to create, 0 to adopt, 0 to update, 0 to disable, 0 to delete; 4 held."
    assert {*desk.sandbox.waii.tree.tenants} == set() and desk.sandbox.waii.log == []
    assert desk.run("sync", "--yes").code == 0
    assert {*desk.sandbox.waii.tree.tenants} == {"sales", "law"}


def test_as_data_a_container_has_its_object_and_only_users_are_counted(desk: Office) -> None:
    employ(desk, p1="Sales", p2="Law")
    assert desk.run("sync", "--yes").code == 0
    employ(desk, p1="Sales", p3="Art")
    plan = desk.run("--json", "plan").json
    valid(plan, "plan")
    sql = plan["connections"][1]
    assert (sql["counts"], sql["verdict"], sql["requests"]) == (
        {"create": 1, "adopt": 0, "update": 0, "disable": 0, "delete": 1},
        "passed",
        5,
    )
    containers = [each for each in plan["changes"] if each["object"] != "user"]
    assert [(each["object"], each["kind"], each["who"], each["account"], each["reason"], each["held"]) for each in containers] == [
        ("tenant", "create", "art", None, "for p3@corp.example", None),
        ("tenant", "delete", "law", "law", "ours, and nobody lives there any more", None),
    ]  # fmt: skip
    assert {name: after for name, (_, after) in containers[0]["attributes"].items() if name != "variables.syncd"} == {
        "id": "art", "org_id": HOME,
    }  # fmt: skip
    report = desk.run("--json", "sync", "--yes").json
    valid(report, "report")
    assert report["connections"][1]["applied"] == {"create": 1, "adopt": 0, "update": 0, "disable": 0, "delete": 1}
    assert {*desk.sandbox.waii.tree.tenants} == {"sales", "art"}


def test_a_saved_plan_makes_and_removes_tenants(desk: Office) -> None:
    employ(desk, p1="Sales", p2="Law")
    plan = str(desk.root / "syncd.plan")
    for people, tenants in (({"p1": "Sales", "p2": "Law"}, {"sales", "law"}), ({"p1": "Sales", "p3": "Art"}, {"sales", "art"})):
        employ(desk, **people)
        assert desk.run("plan", "--out", plan).code == 0
        said = desk.run("apply", plan)
        assert (said.code, said.last) == (0, "Applied."), said
        assert {*desk.sandbox.waii.tree.tenants} == tenants
    assert desk.run("sync", "--yes").last == "In step."


def test_a_tenant_alone_can_be_all_that_is_held(desk: Office) -> None:
    employ(desk, p1="Sales")
    assert desk.run("sync", "--yes").code == 0
    stores.lose(desk.root)
    assert desk.run("sync", "--yes").code == 0
    configure(desk, f"tenants: {{sales: {{organization: {HOME}, name: The shop}}}}")
    assert desk.run("--json", "plan").json["connections"][1]["verdict"] == "held"
    assert "! 1 held (1 tenant to update): first contact" in desk.run("plan").out
    said = desk.run("held", "list")
    assert "update  tenant sales" in said.out and "syncd held release" in said.out
    assert desk.run("sync", "--yes").code == 0
    assert desk.sandbox.waii.tree.tenants["sales"]["name"] == "The shop"


def test_a_refused_tenant_waits_with_a_command_to_paste(desk: Office) -> None:
    employ(desk, p1="Sales")
    assert desk.run("sync", "--yes").code == 0
    employ(desk, p1="Sales", p2="Law")
    desk.sandbox.faults = "400@create"
    assert desk.run("sync", "--yes").code == 3
    pending = desk.run("--json", "pending").json
    valid(pending, "pending")
    ((item),) = pending["items"]
    assert (item["state"], item["change"] != "", item["who"], item["command"]) == ("rejected", True, "law", "syncd plan")
    line = next(line for line in desk.run("pending").out.splitlines() if "tenant law" in line)
    assert line.split()[:3] == ["create", "tenant", "law"] and line.endswith("syncd plan")
