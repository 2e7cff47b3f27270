"""The emulated Appwrite's users: who may ask, what a write entails, what stands in its way, and what a deletion leaves behind."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import ExitStack
from typing import Any

import httpx
import pytest

from syncd.sandbox import Sandbox, serve
from syncd.sandbox.appwrite import Appwrite
from syncd.sandbox.appwrite_forms import Refused

from .conftest import Clock

HEADERS = {"X-Appwrite-Project": Appwrite.project_id, "X-Appwrite-Key": Appwrite.api_key}


class Served:
    """A sandbox, and an HTTP client with its key; ``said``: (status, type) of an error."""

    def __init__(self, sandbox: Sandbox, client: httpx.Client) -> None:
        self.sandbox, self.client, self.project = sandbox, client, sandbox.appwrite.project

    def send(self, method: str, path: str, body: Any = None, **headers: str) -> httpx.Response:
        return self.client.request(method, f"/v1/users{path}", json=body, headers=headers)

    def said(self, method: str, path: str, body: Any = None, **headers: str) -> tuple[int, str]:
        answer = self.send(method, path, body, **headers)
        return answer.status_code, answer.json()["type"]


Make = Callable[..., Served]


@pytest.fixture
def served() -> Iterator[Make]:
    with ExitStack() as stack:

        def make(**options: Any) -> Served:
            sandbox = Sandbox(**options)
            url = stack.enter_context(serve(sandbox))
            return Served(sandbox, stack.enter_context(httpx.Client(base_url=url, headers=HEADERS, trust_env=False, timeout=10)))

        yield make


def test_who_may_ask(served: Make) -> None:
    one = served()
    assert one.said("GET", "", **{"X-Appwrite-Project": "other"}) == (404, "project_not_found")
    refused = one.send("GET", "", **{"X-Appwrite-Key": "wrong"})
    assert (refused.status_code, refused.json()) == (
        401,
        {
            "message": 'User (role: guests) missing scopes (["users.read"])',
            "code": 401,
            "type": "general_unauthorized_scope",
            "version": "1.8.1",
        },
    )
    reading = {"X-Appwrite-Key": Appwrite.reading_key}
    assert one.send("GET", "", **reading).status_code == 200
    assert one.said("POST", "", {"userId": "ada"}, **reading) == (401, "general_unauthorized_scope")
    assert one.said("POST", "/ada", {}) == (404, "general_route_not_found")
    assert one.said("GET", "/ada/nothing") == (404, "general_route_not_found")


def test_a_user_as_a_key_sees_it(served: Make, clock: Clock) -> None:
    one = served(environment=clock)
    made = one.send("POST", "", {"userId": "ada", "email": "Ada@X.co", "password": "a-password"})
    assert made.status_code == 201
    user = made.json()
    assert user == one.send("GET", "/ada").json() == one.send("GET", "/ADA").json()
    assert user["password"].startswith("$argon2id$")
    assert {name: user[name] for name in ("name", "phone", "accessedAt", "prefs", "labels", "status", "email")} == {
        "name": "", "phone": "", "accessedAt": "", "prefs": {}, "labels": [], "status": True, "email": "ada@x.co",
    }  # fmt: skip
    assert user["$createdAt"] == user["$updatedAt"] == user["registration"] == user["passwordUpdate"] == "2026-01-01T12:00:00.999+00:00"
    assert len(one.send("POST", "", {"userId": "unique()"}).json()["$id"]) == 20


def test_what_is_already_there(served: Make) -> None:
    one = served(users=1)
    (seeded,) = one.project.users.values()
    one.send("POST", "", {"userId": "ada", "email": "ada@x.co", "phone": "+12025550100"})
    for body in (
        {"userId": "ADA"}, {"userId": "b", "email": "ADA@x.co"}, {"userId": "b", "phone": "+12025550100"},
        {"userId": "b", "email": seeded["email"]}, {"userId": seeded["id"]},
    ):  # fmt: skip
        assert one.said("POST", "", body) == (409, "user_already_exists")
    assert one.said("PATCH", "/ada/email", {"email": "ada@x.co"}) == (409, "user_target_already_exists")
    assert one.said("PATCH", "/ada/email", {"email": seeded["email"]}) == (409, "user_target_already_exists")
    assert one.said("PATCH", "/ada/phone", {"number": "+12025550100"}) == (409, "user_target_already_exists")
    one.project.update(seeded["id"], email="moved@x.co")
    assert one.send("PATCH", "/ada/email", {"email": seeded["email"]}).status_code == 200
    assert one.send("PATCH", f"/{seeded['id']}/email", {"email": "ada@x.co"}).status_code == 200
    assert one.project.by_email("ada@x.co")["id"] == seeded["id"]  # type: ignore[index]
    assert one.project.by_email("moved@x.co") is None


def test_many_have_no_phone_but_only_one_an_empty_email(served: Make) -> None:
    one = served()
    for id in ("ada", "bea", "cle"):
        one.project.create(id, f"{id}@x.co" if id != "cle" else None, f"+1202555010{len(one.project)}")
        assert one.send("PATCH", f"/{id}/phone", {"number": ""}).json()["phone"] == ""
    assert one.send("PATCH", "/ada/email", {"email": ""}).status_code == 200
    assert one.send("PATCH", "/ada/email", {"email": ""}).status_code == 200
    assert one.said("PATCH", "/bea/email", {"email": ""}) == (409, "user_email_already_exists")


def test_another_address_is_not_verified(served: Make) -> None:
    one = served()
    one.project.create("ada", "ada@x.co", "+12025550100")
    one.project.update("ada", emailVerification=True, phoneVerification=True)
    assert one.send("PATCH", "/ada/email", {"email": "bea@x.co"}).json()["emailVerification"] is False
    user = one.send("PATCH", "/ada/phone", {"number": "+12025550101"}).json()
    assert (user["phoneVerification"], [target["identifier"] for target in user["targets"]]) == (False, ["bea@x.co", "+12025550101"])
    assert one.send("PATCH", "/ada/verification/phone", {"phoneVerification": True}).json()["phoneVerification"] is True


def test_labels_and_prefs_are_replaced_and_prefs_answered_alone(served: Make) -> None:
    one = served()
    one.project.create("ada")
    assert one.send("PUT", "/ada/labels", {"labels": ["b", "a", "b"]}).json()["labels"] == ["b", "a"]
    assert one.send("PUT", "/ada/labels", {"labels": ["c"]}).json()["labels"] == ["c"]
    assert one.send("PATCH", "/ada/prefs", {"prefs": {"a": 1, "b": 2}}).json() == {"a": 1, "b": 2}
    assert one.send("PATCH", "/ada/prefs", {"prefs": {"c": 3}}).json() == {"c": 3}
    assert one.send("GET", "/ada/prefs").json() == one.send("GET", "/ada").json()["prefs"] == {"c": 3}


def test_only_what_changes_something_moves_the_instant_of_change(served: Make, clock: Clock) -> None:
    one = served(environment=clock)
    before = one.project.create("ada", name="Ada").updated
    clock.advance(10)
    assert one.send("PATCH", "/ada/name", {"name": "Ada"}).json()["$updatedAt"] == before
    assert one.send("PATCH", "/ada/status", {"status": True}).json()["$updatedAt"] == before
    assert one.send("PATCH", "/ada/name", {"name": "Zoë"}).json()["$updatedAt"] > before
    clock.advance(10)
    user = one.project.sign_in("ada")
    assert user.updated == user.accessed > before


def test_what_is_refused(served: Make) -> None:
    one = served()
    one.project.create("ada")
    for method, path, body in (
        ("POST", "", {}), ("POST", "", {"userId": "a b"}), ("POST", "", {"userId": "x" * 37}), ("POST", "", {"userId": "b", "email": "x"}),
        ("POST", "", {"userId": "b", "email": ""}), ("POST", "", {"userId": "b", "phone": "0"}), ("POST", "", {"userId": "b", "name": 5}),
        ("POST", "", {"userId": "b", "password": "short"}), ("PATCH", "/ada/name", {"name": "x" * 129}), ("PATCH", "/ada/name", {}),
        ("PATCH", "/ada/phone", {"phone": "+12025550100"}), ("PATCH", "/ada/status", {"status": "false"}),
        ("PUT", "/ada/labels", {"labels": ["a-b"]}), ("PUT", "/ada/labels", {"labels": ["x" * 37]}), ("PUT", "/ada/labels", {"labels": ""}),
        ("PATCH", "/ada/prefs", {"prefs": "x"}), ("PATCH", "/ada/prefs", {"prefs": {"x": "y" * 65_536}}),
        ("PATCH", "/ada/email", {"email": None}),
    ):  # fmt: skip
        assert one.said(method, path, body) == (400, "general_argument_invalid"), (method, path, body)
    assert one.said("PATCH", "/ada/name", ["x"]) == (400, "general_bad_request")
    assert one.client.patch("/v1/users/ada/name", content=b"{", headers={"Content-Type": "application/json"}).status_code == 400
    assert one.client.patch("/v1/users/ada/name", content=b"name=x").status_code == 400
    assert one.said("PATCH", "/nobody/name", {"name": "x"}) == one.said("DELETE", "/nobody") == (404, "user_not_found")
    assert [record.status for record in one.sandbox.appwrite.log] == [201, *[400] * 21, 404, 404]


def test_a_deletion_may_leave_an_address_behind_for_a_while(served: Make, clock: Clock) -> None:
    one = served(environment=clock)
    one.project.leftover = 60.0
    one.project.create("ada", "ada@x.co")
    one.project.create("bea", "bea@x.co")
    gone = one.send("DELETE", "/ada")
    assert (gone.status_code, gone.content, gone.headers["content-type"]) == (204, b"", "text/plain")
    assert one.said("GET", "/ada") == (404, "user_not_found")
    for body in ({"userId": "ada"}, {"userId": "new", "email": "ada@x.co"}):
        assert one.said("POST", "", body) == (409, "user_already_exists")
    assert one.said("PATCH", "/bea/email", {"email": "ada@x.co"}) == (409, "user_target_already_exists")
    clock.advance(60)
    assert one.send("POST", "", {"userId": "ada", "email": "ada@x.co"}).status_code == 201


def test_sessions_end_all_at_once_and_with_the_user(served: Make) -> None:
    one = served()
    for id in ("ada", "bea"):
        one.project.create(id)
        one.project.sign_in(id)
    one.project.sign_in("ada")
    assert one.project.sessions == {"ada": 2, "bea": 1}
    assert one.send("DELETE", "/ada/sessions", {}).status_code == 204
    one.send("DELETE", "/bea", {})
    assert one.project.sessions == {}


def test_a_refusal_for_pace_says_when_as_an_instant(served: Make, clock: Clock) -> None:
    one = served(environment=clock, faults="429@fetch")
    answer = one.send("GET", "/ada")
    assert answer.json()["type"] == "general_rate_limit_exceeded"
    assert "retry-after" not in answer.headers
    assert 0 < int(answer.headers["x-ratelimit-reset"]) - clock.now().timestamp() <= 2


def test_an_older_server_warns_who_asks_for_a_newer_format(served: Make) -> None:
    one = served()
    assert "x-appwrite-warning" not in one.send("GET", "", **{"X-Appwrite-Response-Format": "1.8.0"}).headers
    said = one.send("GET", "", **{"X-Appwrite-Response-Format": "2.5.0"}).headers["x-appwrite-warning"]
    assert said.startswith("The current SDK is built for Appwrite 2.5.0. However, the current Appwrite server version is 1.8.1.")


def test_local_writes_are_refused_like_others_and_a_reset_forgets(served: Make) -> None:
    one = served(users=2)
    project = one.project
    project.create("ada")
    for write in (lambda: project.create("ada"), lambda: project.delete("x"), lambda: project.update("x"), lambda: project.sign_out("x")):
        with pytest.raises(Refused):
            write()
    assert [(record.status, record.origin) for record in one.sandbox.appwrite.log] == [
        *((201, "local"), (409, "local"), (404, "local"), (404, "local"), (404, "local")),
    ]
    state = one.client.get("/_sandbox/state").json()["appwrite"]
    assert ([user["id"] for user in state["users"]][2], len(state["log"]), state["requests"]) == ("ada", 5, {})
    one.sandbox.reset()
    assert (len(one.sandbox.appwrite.project), one.sandbox.appwrite.log) == (2, [])


def test_the_config_points_at_it() -> None:
    text = Sandbox().config_yaml("http://127.0.0.1:1", ["twilio", "appwrite"])
    assert f"    base_url: http://127.0.0.1:1/v1\n    project: {Appwrite.project_id}\n    api_key: {Appwrite.api_key}\n" in text
    assert "appwrite" not in Sandbox().config_yaml("http://127.0.0.1:1", ["twilio"])
