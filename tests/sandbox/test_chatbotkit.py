"""The emulated ChatBotKit's users: who may ask, what a write entails, what stands in its way, and their tokens."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import ExitStack
from typing import Any

import httpx
import orjson
import pytest

from syncd.sandbox import Sandbox, serve
from syncd.sandbox.chatbotkit import ChatBotKit
from syncd.sandbox.chatbotkit_forms import Refused

from .conftest import Clock

HEADERS = {"Authorization": f"Bearer {ChatBotKit.secret}"}


class Served:
    """A sandbox, and an HTTP client with its secret; ``said``: (status, code) of an error."""

    def __init__(self, sandbox: Sandbox, client: httpx.Client) -> None:
        self.sandbox, self.client, self.parent = sandbox, client, sandbox.chatbotkit.parent

    def get(self, path: str, **headers: str) -> httpx.Response:
        return self.client.get(f"/v1/partner/user{path}", headers=headers)

    def post(self, path: str, body: Any = None, **headers: str) -> httpx.Response:
        return self.client.post(f"/v1/partner/user{path}", json={} if body is None else body, headers=headers)

    def said(self, path: str, body: Any = None, **headers: str) -> tuple[int, str]:
        answer = self.post(path, body, **headers)
        assert set(answer.json()) == {"message", "code"}
        return answer.status_code, answer.json()["code"]

    def make(self, **body: Any) -> str:
        answer = self.post("/create", body).raise_for_status().json()
        assert set(answer) == {"id"}
        return str(answer["id"])


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
    one = served(users=1)
    assert one.said("/create", None, Authorization="Bearer wrong") == (401, "NOT_AUTHENTICATED")
    assert one.said("/create", None, Authorization=ChatBotKit.secret) == (401, "NOT_AUTHENTICATED")
    assert one.get("/list", Authorization=f"Token {ChatBotKit.secret}").status_code == 200
    assert one.said(f"/{next(iter(one.parent.elsewhere))}/update") == (403, "NOT_AUTHORIZED")
    assert one.said("/nothing") == one.said("/a/b/c") == (404, "NOT_FOUND")
    for method, path in (("POST", "/list"), ("GET", "/create"), ("PUT", "/x/update"), ("DELETE", "/x/delete")):
        answer = one.client.request(method, f"/v1/partner/user{path}")
        assert (answer.status_code, answer.json()["code"]) == (405, "METHOD_NOT_ALLOWED")


def test_a_child_may_make_nobody(served: Make) -> None:
    one = served(users=1)
    (child,) = one.parent.users.values()
    for header, value in (("x-runas-user-id", child["id"]), ("x-runas-userid", child["id"]), ("x-runas-child-user-email", child["email"])):
        refused = one.post("/create", {}, **{header: value})
        assert (refused.status_code, refused.json()["message"]) == (403, "You are not allowed to create a user.")
        assert one.get("/list", **{header: value}).json() == {"items": []}
        assert one.said("/create", None, **{header: "nobody"}) == (401, "NOT_AUTHENTICATED")


@pytest.mark.parametrize("root", ["/v1", "/api/v1"])
@pytest.mark.parametrize("collection", ["partner/user", "user"])
def test_both_roots_and_both_names_of_the_collection(served: Make, root: str, collection: str) -> None:
    one = served(users=2)
    listed = one.client.get(f"{root}/{collection}/list").json()
    assert [user["id"] for user in listed["items"]] == list(one.parent.users)[::-1]
    one.sandbox.chatbotkit.collections = frozenset({"partner/user", "user"} - {collection})
    assert one.client.get(f"{root}/{collection}/list").json()["code"] == "NOT_FOUND"


def test_a_user_as_lists_and_fetches_show_it(served: Make, clock: Clock) -> None:
    one = served(environment=clock)
    limits = {"tokens": 1, "database": {"files": 2}}
    id = one.make(name="Zoë", email="Zoe@X.co", description="D", image="i", alias="zoe", meta={"a": {"b": 1}, "#h": 1}, limits=limits)
    fetched = one.get(f"/{id}/fetch").json()
    made = fetched["createdAt"]
    assert fetched == {
        "id": id, "name": "Zoë", "image": "i", "email": "Zoe@X.co", "limits": limits, "meta": {"a": {"b": 1}}, "createdAt": made,
        "updatedAt": made,
    }  # fmt: skip
    assert one.get("/list").json() == {"items": [{**fetched, "description": "D"}], "cursor": id}
    bare = one.make()
    assert one.get(f"/{bare}/fetch").json() | {"createdAt": 0, "updatedAt": 0} == {
        "id": bare, "name": None, "image": None, "email": None, "limits": None, "meta": None, "createdAt": 0, "updatedAt": 0,
    }  # fmt: skip
    assert len(id) == 25
    assert id[0] == "c"


def test_an_update_leaves_what_it_does_not_say_but_the_alias(served: Make, clock: Clock) -> None:
    one = served(environment=clock)
    id = one.make(name="A", email="a@x.co", description="D", image="i", alias="a", meta={"k": 1}, limits={"tokens": 1})
    before = one.parent.users[id]
    clock.advance(10)
    assert one.post(f"/{id}/update", {"name": "B", "alias": "b"}).json() == {"id": id}
    assert one.parent.users[id] == {**before, "name": "B", "alias": "b", "updated": before["updated"] + 10_000}
    one.post(f"/{id}/update", {"name": "C"})
    assert one.parent.users[id]["alias"] is None
    one.post(f"/{id}/update", {"name": None, "email": "", "image": "", "description": None, "limits": None, "meta": None})
    after = one.parent.users[id]
    assert [after[name] for name in ("name", "email", "image", "description", "limits", "meta")] == [None] * 6


def test_meta_is_replaced_or_merged(served: Make) -> None:
    one = served()
    id = one.make(meta={"a": 1, "b": {"c": 2}, "#h": 3})

    def kept(given: Any) -> Any:
        one.post(f"/{id}/update", {"meta": given}).raise_for_status()
        return one.parent.users[id]["meta"]

    assert kept({"$update": {"b": {"d": 4}, "#x": 1}}) == {"a": 1, "b": {"d": 4}, "#h": 3}
    assert kept({"new": 1, "#x": 1, "é": 2}) == {"new": 1}
    assert kept({}) == {}
    assert kept(None) is None
    assert kept({"$update": {"a": 1}}) == {"a": 1}


def test_what_is_refused(served: Make) -> None:
    one = served()
    id = one.make()
    refused = (
        {"foo": 1}, {"id": "c1"}, {"note": 1}, {"name": 5}, {"name": "é" * 96}, {"email": "a@b"}, {"email": "x"}, {"alias": "Ada"},
        {"alias": "x" * 129}, {"meta": "x"}, {"meta": {"_x": 1}}, {"meta": {"$update": {"_x": 1}}}, {"meta": {"$update": 1}},
        {"limits": 1}, {"limits": {"foo": 1}}, {"limits": {"tokens": "1"}}, {"limits": {"tokens": True}},
        {"limits": {"database": {"x": 1}}},        {"limits": {"database": 1}}, {"description": []}, ["x"],
    )  # fmt: skip
    for body in refused:
        assert one.said(f"/{id}/update", body) == (400, "BAD_REQUEST"), body
    assert one.post("/create", {"foo": 1}).json()["message"] == '"foo" is not allowed'
    assert one.client.post("/v1/partner/user/create", content=b"{").json()["code"] == "BAD_REQUEST"
    assert one.said("/create", {"image": "x" * 192}) == (500, "GENERIC_ERROR")
    assert one.said("/cnobody/update") == one.said("/cnobody/delete") == (404, "NOT_FOUND")
    assert one.get("/cnobody/fetch").status_code == 404
    statuses = [record.status for record in one.sandbox.chatbotkit.log]
    assert statuses == [200, *[400] * len(refused), 400, 400, 500, 404, 404]


def test_what_is_unique(served: Make) -> None:
    one = served(users=1)
    (seeded,) = one.parent.users.values()
    id = one.make(email="a@x.co", alias="a")
    for body in ({"email": "a@x.co"}, {"alias": "a"}, {"email": seeded["email"]}):
        assert one.said("/create", body) == (409, "CONFLICT")
        assert one.post("/create", body).json()["message"] == "Unique constraint violation"
    assert one.post(f"/{id}/update", {"email": "a@x.co", "alias": "a"}).status_code == 200
    assert one.said(f"/{id}/update", {"email": seeded["email"]}) == (409, "CONFLICT")
    one.parent.update(seeded["id"], {"email": "moved@x.co"})
    assert one.post(f"/{id}/update", {"email": seeded["email"]}).status_code == 200
    assert one.parent.by_email("moved@x.co")["id"] == seeded["id"]  # type: ignore[index]
    assert one.make(email="") and one.make(email=None)
    one.make(alias="")
    assert one.said("/create", {"alias": ""}) == (409, "CONFLICT")


def test_an_id_may_name_somebody_by_alias_or_name(served: Make) -> None:
    one = served()
    first, second = one.make(name="Ada", alias="ada"), one.make(name="Ada")
    for id in ("@ada", "%40ada", "(Ada)"):
        assert one.get(f"/{id}/fetch").json()["id"] == first
    assert one.get("/@@ada/fetch").status_code == one.get("/(Bea)/fetch").status_code == 404
    assert one.post("/(Ada)/delete").json() == {"id": first}
    assert list(one.parent.users) == [second]


def test_a_deletion_takes_tokens_along_and_is_known_the_second_time(served: Make) -> None:
    one = served()
    id = one.make(email="a@x.co")
    one.post(f"/{id}/token/create", {"name": "t"})
    assert one.post(f"/{id}/delete").json() == {"id": id}
    assert one.said(f"/{id}/delete") == (404, "NOT_FOUND")
    assert (one.parent.tokens, len(one.parent)) == ({}, 0)
    assert one.make(email="a@x.co") != id


def test_tokens(served: Make) -> None:
    one = served()
    id = one.make()
    made = [one.post(f"/{id}/token/create", {"name": name, "config": {"contactId": "c"}, "meta": {"a": 1}}).json() for name in "abc"]
    assert all(set(token) == {"id", "token", "createdAt"} and token["token"].startswith("sk-") for token in made)
    listed = one.get(f"/{id}/token/list?order=asc&take=2").json()
    assert [token["name"] for token in listed["items"]] == ["a", "b"]
    assert "token" not in listed["items"][0]
    assert [one["name"] for one in one.get(f"/{id}/token/list?order=asc&cursor={listed['cursor']}").json()["items"]] == ["c"]
    assert [one["name"] for one in one.get(f"/{id}/token/list").json()["items"]] == ["c", "b", "a"]
    lines = one.get(f"/{id}/token/list", Accept="application/jsonl").text.splitlines()
    assert [orjson.loads(line)["data"]["name"] for line in lines] == ["c", "b", "a"]
    assert one.post(f"/{id}/token/{made[0]['id']}/update", {"name": "z"}).json() == {"id": made[0]["id"]}
    assert one.post(f"/{id}/token/{made[0]['id']}/delete").json() == {"id": made[0]["id"]}
    for action in ("update", "delete"):
        assert one.said(f"/{id}/token/{made[0]['id']}/{action}") == (404, "NOT_FOUND")
    assert one.said(f"/{id}/token/create", {"token": "x"}) == (400, "BAD_REQUEST")
    assert one.get("/cnobody/token/list").status_code == 404
    assert one.get(f"/{id}/token/list?cursor=cnobody").json() == {"items": []}


def test_both_kinds_of_429(served: Make) -> None:
    one = served(users=2, faults="429@list")
    pace = one.get("/list")
    assert (pace.status_code, pace.json()["message"]) == (429, "You have exceeded your allocated rate limits: rate/poll")
    one.parent.quota = 2
    full = one.post("/create", {})
    assert (full.status_code, full.json()) == (
        429,
        {"message": "You have exceeded your allocated database limits: database/user", "code": "LIMITS_REACHED"},
    )
    assert "retry-after" not in pace.headers


def test_local_writes_are_refused_like_others_and_a_reset_forgets(served: Make) -> None:
    one = served(users=2)
    parent = one.parent
    id = parent.create({"alias": "a"}).id
    for write in (
        lambda: parent.create({"alias": "a"}), lambda: parent.update("x", {}), lambda: parent.delete("x"),
        lambda: parent.create_token("x", {}), lambda: parent.delete_token(id, "x"), lambda: parent.update_token(id, "x", {}),
    ):  # fmt: skip
        with pytest.raises(Refused):
            write()
    assert [record.status for record in one.sandbox.chatbotkit.log] == [200, 409, *[404] * 5]
    assert {record.origin for record in one.sandbox.chatbotkit.log} == {"local"}
    state = one.client.get("/_sandbox/state").json()["chatbotkit"]
    assert ([user["id"] for user in state["users"]][2], len(state["log"]), state["requests"]) == (id, 7, {})
    one.sandbox.reset()
    assert (len(one.sandbox.chatbotkit.parent), one.sandbox.chatbotkit.log, one.sandbox.chatbotkit.requests) == (2, [], [])


def test_the_config_points_at_it() -> None:
    text = Sandbox().config_yaml("http://127.0.0.1:1", ["chatbotkit"])
    assert f"    connector: chatbotkit\n    base_url: http://127.0.0.1:1/v1\n    secret: {ChatBotKit.secret}\n" in text
