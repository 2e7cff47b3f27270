"""`syncd check` of an Appwrite connection: what its key may do, held against what the connection is for."""

from __future__ import annotations

import json

import pytest

from syncd.sandbox.appwrite import Appwrite
from tests.cli.office import Office

APP = """\
version: 1
connections:
  people: {{connector: file, path: people.csv, id: employeeNumber, authoritative: true}}
  app:
    connector: appwrite
    base_url: {url}/v1
    project: {project}
    api_key: {key}
    {more}
"""


def check(
    office: Office, *, key: str = Appwrite.api_key, project: str = Appwrite.project_id, more: str = "write: {}"
) -> tuple[int, dict[str, object]]:
    """(exit code, the document's part for the connection)."""
    office.hire(1)
    office.config.write_text(APP.format(url=office.url, key=key, project=project, more=more))
    said = office.run("check", "--json")
    return said.code, json.loads(said.out)["connections"][1]


def test_a_target_whose_key_may_read_and_write_is_sound(office: Office) -> None:
    code, app = check(office)
    assert (code, app["ok"], app["permissions"]) == (0, True, {"users.read": True, "users.write": True})
    assert app["capabilities"] == ["read", "create", "update", "disable (native)", "delete", "reads changes only", "proves absence"]


def test_a_key_that_only_reads_is_a_problem_of_a_target_and_none_of_a_source(office: Office) -> None:
    code, app = check(office, key=Appwrite.reading_key)
    assert (code, app["ok"], app["permissions"]) == (1, False, {"users.read": True, "users.write": False})
    assert app["problems"] == ["needs users.write: give it to these credentials, or remove `write` to only read here"]
    code, app = check(office, key=Appwrite.reading_key, more="read: {attributes: {userName: email}}")
    assert (code, app["ok"], app["problems"], app["permissions"]) == (0, True, [], {"users.read": True, "users.write": False})
    assert office.sandbox.appwrite.log == [], "what may be done is found out without doing it"


@pytest.mark.parametrize(
    ("given", "told"),
    [
        ({"key": "sandbox-appwrite-key-of-somebody-else"}, "missing scopes"),
        ({"project": "other"}, "project_not_found"),
    ],
)
def test_a_wrong_key_or_project_is_told_with_the_cure(office: Office, given: dict[str, str], told: str) -> None:
    code, app = check(office, **given)
    (problem,) = app["problems"]  # type: ignore[misc]
    assert (code, app["ok"]) == (1, False) and told in problem and "check project and api_key" in problem
    assert "somebody-else" not in json.dumps(app)


def test_a_dialect_that_the_server_does_not_speak_is_told(office: Office) -> None:
    office.sandbox.appwrite.version = "1.6.2"
    code, app = check(office, more="dialect: 1.8\n    write: {}")
    (problem,) = app["problems"]  # type: ignore[misc]
    assert (code, app["ok"]) == (1, False) and "1.6.2" in problem and "say `dialect: auto`" in problem
    code, app = check(office, more="write: {}")
    assert (code, app["ok"], app["problems"]) == (0, True, [])
