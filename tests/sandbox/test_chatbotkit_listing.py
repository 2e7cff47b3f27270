"""The emulated ChatBotKit's lists: order, take, the last id as cursor and what happens when it is gone, filters, lines, lag."""

from __future__ import annotations

import json
from collections.abc import Callable, Iterator
from contextlib import ExitStack
from typing import Any

import httpx
import pytest

from syncd.sandbox import Sandbox, serve
from syncd.sandbox.chatbotkit import ChatBotKit

from .conftest import Clock


class Served:
    def __init__(self, sandbox: Sandbox, client: httpx.Client) -> None:
        self.sandbox, self.client, self.parent = sandbox, client, sandbox.chatbotkit.parent

    def ask(self, query: str = "", accept: str = "*/*") -> httpx.Response:
        return self.client.get(f"/v1/partner/user/list?{query}", headers={"Accept": accept})

    def ids(self, query: str = "") -> list[str]:
        return [user["id"] for user in self.ask(query).raise_for_status().json()["items"]]

    def lines(self, query: str = "") -> list[dict[str, Any]]:
        answer = self.ask(query, "application/jsonl")
        assert answer.headers["content-type"] == "application/jsonl"
        return [json.loads(line) for line in answer.text.splitlines()]


Make = Callable[..., Served]


@pytest.fixture
def served() -> Iterator[Make]:
    with ExitStack() as stack:

        def make(**options: Any) -> Served:
            sandbox = Sandbox(**options)
            url = stack.enter_context(serve(sandbox))
            headers = {"Authorization": f"Bearer {ChatBotKit.secret}"}
            return Served(sandbox, stack.enter_context(httpx.Client(base_url=url, headers=headers, trust_env=False, timeout=10)))

        yield make


def test_newest_first_unless_asked_otherwise(served: Make) -> None:
    one = served(users=5)
    ids = list(one.parent.users)
    assert one.ids() == one.ids("order=desc") == ids[::-1]
    assert one.ids("order=asc") == ids
    assert one.ask("order=up").status_code == 400
    created = [user["createdAt"] for user in one.ask("order=asc").json()["items"]]
    assert created == sorted(set(created))


@pytest.mark.parametrize(("take", "size"), [("", 100), ("0", 100), ("x", 100), ("7", 7), ("100", 100), ("1000", 100), ("-3", 1)])
def test_take_is_clamped(served: Make, take: str, size: int) -> None:
    assert len(served(users=120).ids(f"take={take}")) == size


def test_the_cursor_is_the_last_id_on_the_last_page_too_and_an_empty_page_has_none(served: Make) -> None:
    one = served(users=5)
    ids = list(one.parent.users)
    for order, expected in (("asc", ids), ("desc", ids[::-1])):
        page = one.ask(f"order={order}&take=3").json()
        assert page["cursor"] == expected[2]
        last = one.ask(f"order={order}&take=3&cursor={page['cursor']}").json()
        assert [user["id"] for user in last["items"]] == expected[3:]
        assert last["cursor"] == expected[4]
        assert one.ask(f"order={order}&cursor={last['cursor']}").json() == {"items": []}


def test_a_page_behind_a_deleted_user_shows_nobody_or_fails(served: Make) -> None:
    one = served(users=5)
    ids = list(one.parent.users)
    one.parent.delete(ids[2])
    assert one.ask(f"order=asc&cursor={ids[2]}").json() == {"items": []}
    one.parent.cursor_fails = True
    failed = one.ask(f"order=asc&cursor={ids[2]}")
    assert (failed.status_code, failed.json()["code"]) == (500, "GENERIC_ERROR")
    assert one.ids(f"order=asc&cursor={ids[1]}") == ids[3:]


def test_filters(served: Make) -> None:
    one = served(users=3)
    a = one.parent.create({"email": "A+1@x.co", "meta": {"k": "v", "deep": {"er": "x"}, "flag": True, "n": 5}}).id
    b = one.parent.create({"email": "b@x.co", "meta": {"k": "v", "flag": "true"}}).id
    seeded = next(iter(one.parent.users.values()))
    for query, found in (
        ("meta.k=v", [b, a]), ("meta[k]=v&order=asc", [a, b]), ("meta.k=v&take=1", [b]), ("meta.k=v&order=asc&cursor=" + a, [b]),
        ("meta.k=v&cursor=" + b, [a]), ("meta.deep.er=x", [a]), ("meta.flag=true", [a]), ("meta.n=5", []), ("meta.k=w", []),
        ("meta.k=v&meta.deep.er=x", [a]), ("email=A%2B1%40x.co", [a]), ("email=a%2B1%40x.co", []), ("email=b@x.co&meta.k=w", []),
        ("email=" + seeded["email"], [seeded["id"]]), ("email=nobody@x.co", []),
    ):  # fmt: skip
        assert one.ids(query) == found, query


def test_lines(served: Make) -> None:
    one = served(users=250)
    ids = list(one.parent.users)
    assert [line["data"]["id"] for line in one.lines()] == ids[::-1]
    assert {line["type"] for line in one.lines("take=1")} == {"item"}
    assert (len(one.lines("take=1")), len(one.lines("take=150")), len(one.lines("take=200"))) == (100, 200, 200)
    assert one.lines("order=asc&cursor=" + ids[-1]) == []
    assert "description" in one.lines("take=1")[0]["data"]


def test_lines_that_break_off_say_so_after_a_200(served: Make) -> None:
    one = served(users=6, faults="error_line@list")
    *items, nop, error = one.lines()
    assert len(items) == 3
    assert (nop, error["type"], error["data"]["code"]) == ({"type": "nop", "data": {}}, "error", "GENERIC_ERROR")


@pytest.mark.parametrize(
    ("accept", "status"), [("*/*", 200), ("application/json", 200), ("application/json, text/plain;q=0.5", 200), ("text/html", 400)]
)
def test_formats(served: Make, accept: str, status: int) -> None:
    answer = served().ask("", accept)
    assert (answer.status_code, answer.headers["content-type"]) == (status, "application/json")


def test_lists_may_lag_and_single_users_never_do(served: Make, clock: Clock) -> None:
    one = served(users=2, environment=clock)
    ids = list(one.parent.users)
    one.sandbox.list_lag = 30.0
    new = one.parent.create({"email": "new@x.co", "meta": {"k": "v"}}).id
    one.parent.delete(ids[0])
    assert one.ids("order=asc") == ids
    assert one.ids("meta.k=v") == one.ids("email=new@x.co") == []
    assert one.client.get(f"/v1/partner/user/{new}/fetch").status_code == 200
    clock.advance(30)
    assert one.ids("order=asc") == [ids[1], new]
    assert one.ids("meta.k=v") == one.ids("email=new@x.co") == [new]


def test_faults_of_a_page(served: Make) -> None:
    one = served(users=6)
    ids = list(one.parent.users)
    for kind, shown in (
        ("missed", ids[1:]), ("short", []), ("shrink", ids[:3]), ("duplicate", [*ids, ids[-1]]), ("endless", ids), ("loop", ids),
    ):  # fmt: skip
        one.sandbox.faults = f"{kind}@list"
        assert one.ids("order=asc") == shown, kind
    one.sandbox.faults = "loop@page"
    assert one.ids(f"order=asc&cursor={ids[2]}") == ids
    one.sandbox.faults = "endless@page"
    assert one.ids(f"order=asc&cursor={ids[-1]}") == ids
    one.sandbox.faults = "cursor@page,error_body@list"
    refused = one.ask(f"cursor={ids[0]}")
    assert (refused.status_code, refused.json()["code"]) == (400, "BAD_REQUEST")
    late = one.ask()
    assert (late.status_code, set(late.json())) == (200, {"message", "code"})
