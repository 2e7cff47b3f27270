"""The vendor's own SDK for Python against the emulated Appwrite: a client we did not write is content with our answers."""

from __future__ import annotations

from collections.abc import Iterator

import pytest
from appwrite.client import Client
from appwrite.exception import AppwriteException
from appwrite.query import Query
from appwrite.services.users import Users

from syncd.sandbox import Sandbox, serve


@pytest.fixture
def sandbox() -> Sandbox:
    made = Sandbox(users=7)
    made.appwrite.version = "2.5.0"  # the format this SDK asks for
    return made


@pytest.fixture
def sdk(sandbox: Sandbox, monkeypatch: pytest.MonkeyPatch) -> Iterator[Users]:
    for name in ("HTTP_PROXY", "http_proxy", "ALL_PROXY", "all_proxy"):
        monkeypatch.delenv(name, raising=False)
    with serve(sandbox) as url:
        yield Users(Client().set_endpoint(f"{url}/v1").set_project(sandbox.appwrite.project_id).set_key(sandbox.appwrite.api_key))


def test_every_operation(sdk: Users, sandbox: Sandbox, capsys: pytest.CaptureFixture[str]) -> None:
    made = sdk.create("ada", "Ada@Example.com", "+12025550100", "a-password", "Zoë")
    assert (made.id, made.email, made.name, made.status, made.labels) == ("ada", "ada@example.com", "Zoë", True, [])
    assert str(made.password).startswith("$argon2id$")
    assert [target.identifier for target in made.targets] == ["ada@example.com", "+12025550100"]
    assert sdk.update_email_verification("ada", True).emailverification is True
    assert sdk.update_phone_verification("ada", True).phoneverification is True
    assert sdk.update_email("ada", "bea@example.com").emailverification is False
    assert sdk.update_phone("ada", "+12025550101").phoneverification is False
    assert sdk.update_name("ada", "").name == ""
    assert sdk.update_labels("ada", ["vip", "vip"]).labels == ["vip"]
    assert sdk.update_status("ada", False).status is False
    assert sdk.update_mfa("ada", True).mfa is True
    assert sdk.update_password("ada", "another-password").password != made.password
    sdk.update_prefs("ada", {"k": 1})
    assert sandbox.appwrite.project.users["ada"]["prefs"] == '{"k":1}'
    sdk.get_prefs("ada")
    assert sdk.get("ada").phone == "+12025550101"
    sandbox.appwrite.project.sign_in("ada")
    sdk.delete_sessions("ada")
    assert sandbox.appwrite.project.sessions == {}
    sdk.delete("ada")
    assert "ada" not in sandbox.appwrite.project.users
    assert capsys.readouterr().err == ""


def test_an_older_server_warns_the_sdk(sdk: Users, sandbox: Sandbox, capsys: pytest.CaptureFixture[str]) -> None:
    sandbox.appwrite.version = "1.8.1"
    assert sdk.list().total == 7
    said = capsys.readouterr()
    assert "the current Appwrite server version is 1.8.1" in said.err + said.out


def test_the_sdk_pages_to_the_end_and_asks_for_changes(sdk: Users, sandbox: Sandbox) -> None:
    project = sandbox.appwrite.project
    ids: list[str] = []
    while True:
        page = sdk.list(queries=[Query.limit(3), *([Query.cursor_after(ids[-1])] if ids else [])], total=False)
        assert page.total == 0
        if not page.users:
            break
        ids += [user.id for user in page.users]
    assert ids == list(project.users)
    since = project.update(ids[3], name="Other").updated
    changed = sdk.list(queries=[Query.greater_than_equal("$updatedAt", since), Query.order_asc("$updatedAt"), Query.limit(100)])
    assert [user.id for user in changed.users] == [ids[3]]


def test_errors_reach_the_sdk_with_their_types(sdk: Users, sandbox: Sandbox) -> None:
    sdk.create("ada", "ada@example.com")
    for call, code, type in (
        (lambda: sdk.create("ada"), 409, "user_already_exists"),
        (lambda: sdk.create("bea", "ada@example.com"), 409, "user_already_exists"),
        (lambda: sdk.update_email("ada", "ada@example.com"), 409, "user_target_already_exists"),
        (lambda: sdk.get("nobody"), 404, "user_not_found"),
        (lambda: sdk.create("_ada"), 400, "general_argument_invalid"),
        (lambda: sdk.list(queries=[Query.cursor_after("nobody")]), 400, "general_cursor_not_found"),
        (lambda: sdk.list(queries=[Query.equal("colour", "red")]), 400, "general_argument_invalid"),
    ):
        with pytest.raises(AppwriteException) as caught:
            call()
        assert (caught.value.code, caught.value.type) == (code, type)
    sandbox.faults = "429@fetch"
    with pytest.raises(AppwriteException) as busy:
        sdk.get("ada")
    assert (busy.value.code, busy.value.type) == (429, "general_rate_limit_exceeded")
