"""The emulated Appwrite's listings: pages behind a user, queries and what is refused, the pitfalls of cursors, lag and listing faults."""

from __future__ import annotations

import json
from collections.abc import Callable, Iterator
from contextlib import ExitStack
from typing import Any

import httpx
import pytest

from syncd.sandbox import Sandbox, serve
from syncd.sandbox.appwrite import Appwrite
from syncd.sandbox.people import person

from .conftest import Clock

HEADERS = {"X-Appwrite-Project": Appwrite.project_id, "X-Appwrite-Key": Appwrite.api_key}


def q(method: str, *values: Any, attribute: str | None = None) -> str:
    return json.dumps({"method": method, **({"attribute": attribute} if attribute else {}), "values": values})


class Served:
    def __init__(self, sandbox: Sandbox, client: httpx.Client) -> None:
        self.sandbox, self.client, self.project = sandbox, client, sandbox.appwrite.project

    def ask(self, *queries: str, **parameters: str) -> httpx.Response:
        return self.client.get("/v1/users", params={**{f"queries[{n}]": text for n, text in enumerate(queries)}, **parameters})

    def ids(self, *queries: str) -> list[str]:
        return [user["$id"] for user in self.ask(*queries).raise_for_status().json()["users"]]

    def said(self, *queries: str) -> tuple[int, str]:
        answer = self.ask(*queries)
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


def test_pages_in_order_of_creation_behind_a_user(served: Make) -> None:
    one = served(users=60)
    ids = list(one.project.users)
    assert one.ids() == ids[:25]
    assert one.ids(q("limit", 100)) == ids
    assert one.ids(q("limit", 2), q("cursorAfter", ids[9])) == ids[10:12]
    assert one.ids(q("limit", 2), q("cursorBefore", ids[9])) == ids[7:9]
    assert one.ids(q("limit", 2), q("offset", 58)) == ids[58:]
    assert one.ids(q("cursorAfter", ids[-1])) == []
    assert one.ask().json()["users"][0]["email"] == person(1).email


def test_totals_are_capped_and_can_be_left_out(served: Make) -> None:
    one = served(users=5001)
    assert one.ask(q("limit", 1)).json()["total"] == 5000
    assert one.ask(q("limit", 1), total="false").json()["total"] == 0
    assert one.ask(q("limit", 1), q("equal", person(7).email, attribute="email")).json()["total"] == 1


def test_filters(served: Make) -> None:
    one = served()
    for id, name, email, labels in (("a", "Ada", "ada@x.co", ("vip",)), ("b", "Bea", None, ()), ("c", "Cle", "cle@x.co", ("vip", "old"))):
        one.project.create(id, email, name=name)
        one.project.update(id, labels=labels, status=id != "c")
    for query, found in (
        (q("equal", "b", "c", attribute="$id"), ["b", "c"]), (q("equal", "ADA@x.co", attribute="email"), ["a"]),
        (q("notEqual", "Ada", attribute="name"), ["b", "c"]), (q("equal", True, attribute="status"), ["a", "b"]),
        (q("contains", "vip", attribute="labels"), ["a", "c"]), (q("isNull", attribute="email"), ["b"]),
        (q("isNotNull", attribute="email"), ["a", "c"]), (q("startsWith", "B", attribute="name"), ["b"]),
        (q("endsWith", "e", attribute="name"), ["c"]), (q("lessThan", "Bea", attribute="name"), ["a"]),
        (q("greaterThan", 5, attribute="name"), []),
    ):  # fmt: skip
        assert one.ids(query) == found, query
    one.project.update("b", phone="")
    assert one.ids(q("isNull", attribute="phone")) == ["a", "b", "c"]
    assert one.ids(q("orderDesc", attribute="name")) == ["c", "b", "a"]
    assert one.ids(q("orderDesc", attribute="name"), q("cursorAfter", "c")) == ["b", "a"]
    assert one.ids(q("orderDesc", attribute="name"), q("cursorBefore", "a")) == ["c", "b"]
    assert one.ids(q("orderAsc", attribute="status")) == ["c", "a", "b"]


def test_who_changed_since_an_instant(served: Make, clock: Clock) -> None:
    one = served(users=10, environment=clock)
    ids = list(one.project.users)
    clock.advance(3600)
    for n in (7, 3, 5):
        clock.advance(1)
        one.project.update(ids[n], name="x")
    since = "2026-01-01T14:00:02.999+01:00"
    asked = q("greaterThanEqual", since, attribute="$updatedAt"), q("orderAsc", attribute="$updatedAt")
    assert one.ids(*asked) == [ids[3], ids[5]]
    assert one.ids(q("greaterThan", since, attribute="$updatedAt")) == [ids[5]]
    assert one.ids(q("equal", since, attribute="$updatedAt")) == [ids[3]]
    assert len(one.ids(q("greaterThanEqual", "2026-01-01T12:00:00+00:00", attribute="$updatedAt"))) == 10


def test_a_cursor_counts_as_the_user_it_is_now(served: Make, clock: Clock) -> None:
    """The pitfall for which a walk in the order of changes may not be led by users."""
    one = served(environment=clock)
    for id in "abcd":
        clock.advance(1)
        one.project.create(id)
    order = q("orderAsc", attribute="$updatedAt")
    assert one.ids(order, q("cursorAfter", "a")) == ["b", "c", "d"]
    clock.advance(1)
    one.project.update("a", name="x")
    assert one.ids(order, q("cursorAfter", "a")) == []
    one.project.delete("a")
    answer = one.ask(order, q("cursorAfter", "a"))
    assert (answer.status_code, answer.json()["type"]) == (400, "general_cursor_not_found")
    assert answer.json()["message"] == "User 'a' for the 'cursor' value not found."


def test_what_is_refused(served: Make) -> None:
    one = served(users=1)
    invalid = (400, "general_argument_invalid")
    for query in (
        "limit(1)", "[1]", "", q("limit"), q("limit", 0), q("limit", "1"), q("limit", True), q("offset", -1), q("cursorAfter", 1),
        q("select", "name"), q("equal", "x", attribute="password"), q("orderAsc", attribute="colour"), q("equal", attribute="name"),
        q("fly", "x", attribute="name"), q("greaterThan", "yesterday", attribute="$updatedAt"), q("equal", *range(501), attribute="name"),
        q("equal", "x" * 4100, attribute="name"), '{"method":"equal","attribute":"name","values":["\\ud800"]}',
    ):  # fmt: skip
        assert one.said(query) == invalid, query
    assert one.said(*[q("limit", 1)] * 101) == invalid
    (id,) = one.project.users
    one.project.create("ada")
    assert one.said(q("orderAsc", attribute="phone"), q("cursorAfter", id)) == (400, "database_query_order_null")


def test_listings_lag_and_nothing_else_does(served: Make, clock: Clock) -> None:
    one = served(users=2, environment=clock)
    one.sandbox.list_lag = 30
    ids = list(one.project.users)
    since = q("greaterThan", "2026-01-01T12:00:00.999+00:00", attribute="$updatedAt")
    clock.advance(5)
    one.project.create("ada")
    one.project.delete(ids[0])
    assert one.ids() == ids
    assert one.ids(since) == []
    assert one.client.get("/v1/users/ada").status_code == 200
    clock.advance(30)
    assert one.ids() == [ids[1], "ada"]
    assert one.ids(since) == ["ada"]


def test_listing_faults(served: Make) -> None:
    one = served(users=6)
    ids = list(one.project.users)
    for fault, shown in (
        ("duplicate", [*ids, ids[-1]]), ("missed", ids[1:]), ("short", []), ("shrink", ids[:3]), ("endless", ids), ("loop", ids),
    ):  # fmt: skip
        one.sandbox.faults = f"{fault}@list"
        assert one.ids() == shown, fault
    for fault in ("loop", "endless"):
        one.sandbox.faults = f"{fault}@page"
        assert one.ids(q("cursorAfter", ids[-1])) == ids, fault
    one.sandbox.faults = "cursor@page"
    assert one.said(q("cursorAfter", ids[0])) == (400, "general_cursor_not_found")
    one.sandbox.faults = "502@list,503@list"
    assert one.said() == (502, "general_unknown")
    assert one.said() == (503, "general_unknown")
