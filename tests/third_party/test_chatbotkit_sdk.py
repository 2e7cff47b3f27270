"""The vendor's own SDK for JavaScript against the emulated ChatBotKit: a client we did not write is content with our answers."""

from __future__ import annotations

import json
import subprocess
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from syncd.sandbox import Sandbox, serve
from syncd.sandbox.chatbotkit import ChatBotKit

SCRIPT = Path(__file__).parent / "calls.mjs"


class Refused(Exception):
    """The SDK's FetchError; ``args``: its code and message."""


class Sdk:
    """Calls `PartnerUserClient` by the names of its methods: ``sdk("token.list", id)``; ``.stream`` behind a name gathers the stream."""

    def __init__(self, process: subprocess.Popen[str]) -> None:
        self._process = process

    def __call__(self, name: str, *args: Any) -> Any:
        assert self._process.stdin is not None and self._process.stdout is not None
        self._process.stdin.write(json.dumps([name, *args]) + "\n")
        self._process.stdin.flush()
        outcome = json.loads(self._process.stdout.readline())
        if "error" in outcome:
            raise Refused(outcome["error"]["code"], outcome["error"]["message"])
        return outcome.get("value")


@pytest.fixture
def sandbox() -> Sandbox:
    return Sandbox(users=7)


@pytest.fixture
def sdk(node: str, sandbox: Sandbox) -> Iterator[Sdk]:
    with serve(sandbox) as url:
        command = [node, str(SCRIPT), url.removeprefix("http://"), ChatBotKit.secret]
        with subprocess.Popen(command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True) as process:
            yield Sdk(process)


def test_a_user_from_creation_to_deletion(sdk: Sdk, sandbox: Sandbox) -> None:
    parent = sandbox.chatbotkit.parent
    asked = {"name": "Zoë", "email": "Ada@Example.com", "image": "https://x.co/1", "alias": "ada", "meta": {"k": {"n": 1}}}
    made = sdk("create", {**asked, "description": "D", "limits": {"tokens": 1, "database": {"datasets": 2}}})
    assert set(made) == {"id"}
    user = sdk("fetch", made["id"])
    assert {name: user[name] for name in ("name", "email", "image", "meta")} == {name: asked[name] for name in asked if name != "alias"}
    assert "alias" not in user and "description" not in user
    assert user["limits"] == {"tokens": 1, "database": {"datasets": 2}}
    assert sdk("fetch", "@ada") == user, "an alias stands for its user"
    assert sdk("update", made["id"], {"name": "N2", "alias": "ada", "meta": {"$update": {"a": 1}}}) == made
    assert (sdk("fetch", made["id"])["name"], sdk("fetch", made["id"])["meta"]) == ("N2", {"k": {"n": 1}, "a": 1})
    assert sdk("update", made["id"], {"meta": None}) == made
    assert sdk("fetch", made["id"])["meta"] is None
    assert parent.users[made["id"]]["alias"] is None, "an update that says none erases it"
    assert sdk("delete", made["id"]) == made
    assert made["id"] not in parent.users


def test_lists_and_streams(sdk: Sdk, sandbox: Sandbox) -> None:
    ids = list(sandbox.chatbotkit.parent.users)
    newest = sdk("list")
    assert ([one["id"] for one in newest["items"]], newest["cursor"]) == (ids[::-1], ids[0])
    page = sdk("list", {"order": "asc", "take": 3, "cursor": ids[1]})
    assert ([one["id"] for one in page["items"]], page["cursor"]) == (ids[2:5], ids[4])
    assert sdk("list", {"cursor": ids[0]}) == {"items": []}
    marked = sdk("create", {"email": "a+b@x.io", "meta": {"ext id": "a&b", "tier": "x"}})["id"]
    for asked in ({"meta": {"ext id": "a&b", "tier": "x"}}, {"email": "a+b@x.io"}):
        assert [one["id"] for one in sdk("list", asked)["items"]] == [marked]
    assert sdk("list", {"meta": {"tier": "y"}})["items"] == []
    streamed = sdk("list.stream", {"order": "asc"})
    assert [(one["type"], one["data"]["id"]) for one in streamed] == [("item", id) for id in [*ids, marked]]
    assert streamed[0]["data"] == newest["items"][-1]


def test_tokens(sdk: Sdk, sandbox: Sandbox) -> None:
    id = next(iter(sandbox.chatbotkit.parent.users))
    made = sdk("token.create", id, {"name": "tok", "description": "d", "config": {"contactId": "c"}, "meta": {"a": 1}})
    assert set(made) == {"id", "token", "createdAt"}
    other = sdk("token.create", id, {})
    listed = sdk("token.list", id, {"order": "asc", "take": 5})
    assert ([one["id"] for one in listed["items"]], listed["cursor"]) == ([made["id"], other["id"]], other["id"])
    assert made["token"] not in json.dumps(listed)
    assert [one["data"]["id"] for one in sdk("token.list.stream", id)] == [other["id"], made["id"]]
    assert sdk("token.update", id, made["id"], {"name": "tok2"}) == {"id": made["id"]}
    assert sdk("token.list", id, {"order": "asc", "take": 1})["items"][0]["name"] == "tok2"
    for one in (made, other):
        assert sdk("token.delete", id, one["id"]) == {"id": one["id"]}
    assert sdk("token.list", id) == {"items": []}


def test_errors_reach_the_sdk_with_their_codes(sdk: Sdk, sandbox: Sandbox) -> None:
    parent = sandbox.chatbotkit.parent
    id, other = list(parent.users)[:2]
    taken = parent.users[other]["email"]
    for code, call, *args in (
        ("NOT_FOUND", "fetch", "cnobody"),
        ("NOT_AUTHORIZED", "fetch", next(iter(parent.elsewhere))),
        ("CONFLICT", "create", {"email": taken}),
        ("CONFLICT", "update", id, {"email": taken}),
        ("BAD_REQUEST", "create", {"colour": "red"}),
        ("BAD_REQUEST", "update", id, {"meta": {"_k": 1}}),
        ("NOT_FOUND", "token.delete", id, "cnothing"),
    ):
        with pytest.raises(Refused) as caught:
            sdk(call, *args)
        assert caught.value.args[0] == code
    sandbox.faults = "429@fetch"
    with pytest.raises(Refused, match="rate limits: rate/poll"):
        sdk("fetch", id)
    parent.quota = len(parent.users)
    with pytest.raises(Refused, match="allocated database limits: database/user"):
        sdk("create", {})
