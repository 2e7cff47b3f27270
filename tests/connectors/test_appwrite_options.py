"""The keys of an Appwrite connection: what is refused and why, what binds it, which dialect it speaks, and what `check` finds."""

from __future__ import annotations

import re
from datetime import timedelta

import pytest
from appwrite_world import options, world
from loopback import Impatient, reply, scripted
from pydantic import ValidationError

from syncd.connectors.appwrite import AppwriteConnector, AppwriteOptions
from syncd.connectors.appwrite_table import CAPABILITY
from syncd.environment import Environment
from syncd.errors import Quarantined, Retryable
from syncd.model import Mutability, Rate, Ref

pytestmark = pytest.mark.anyio
LEAST = {"project": "my-project", "api_key": "k3y-value"}


def test_the_least_one_must_say() -> None:
    one = AppwriteOptions.model_validate(LEAST)
    assert one.binding() == {"root": "https://cloud.appwrite.io/v1", "project": "my-project"}
    assert one.capability() is CAPABILITY
    assert (one.dialect, one.page_size) == ("auto", 100)
    assert "k3y-value" not in repr(one)


@pytest.mark.parametrize(
    ("given", "reason"),
    [
        ({"project": ""}, "project"),
        ({"project": "a b"}, "project"),
        ({"api_key": None}, "api_key"),
        ({"dialect": "0.9"}, "0.9 has not arrived yet; there are auto, 1.5, 1.6, 1.7, 1.8"),
        ({"dialect": 1.4}, "1.4 has not arrived yet"),
        ({"dialect": "2.0"}, "dialect"),
        ({"page_size": 0}, "page_size"),
        ({"page_size": 1001}, "page_size"),
        ({"base_url": "http://appwrite.example/v1"}, "base_url plain http is only for loopback"),
        ({"base_url": "https://u:p@host"}, "base_url must hold no user name"),
        ({"colour": "red"}, "colour"),
    ],
)
def test_what_is_refused(given: dict[str, object], reason: str) -> None:
    with pytest.raises(ValidationError, match=f"(?s){reason}") as caught:
        AppwriteOptions.model_validate({**LEAST, **given})
    assert "k3y-value" not in str(caught.value)


def test_a_dialect_may_be_written_as_a_number() -> None:
    assert AppwriteOptions.model_validate({**LEAST, "dialect": 1.8}).dialect == "1.8"


def test_what_appwrite_can_do() -> None:
    assert CAPABILITY.key == "$id"
    assert CAPABILITY.own_ids
    assert CAPABILITY.attributes["$id"].mutability is Mutability.IMMUTABLE
    assert [name for name, spec in CAPABILITY.attributes.items() if spec.trusted] == [CAPABILITY.marker] == ["syncd"]
    assert CAPABILITY.attributes["email"].trusted_if == "emailVerification"
    assert CAPABILITY.marked_late
    assert CAPABILITY.switch == ("status", True, False)
    assert CAPABILITY.gone
    assert CAPABILITY.delta
    assert CAPABILITY.write_defaults == {"name": "displayName", "email": "email", "phone": "phone", "status": "active"}
    assert CAPABILITY.read_defaults == {"displayName": "name", "email": "email", "phone": "phone", "active": "status"}


@pytest.mark.parametrize(
    ("version", "dialect"), [("1.5.11", "1.5"), ("1.7.4", "1.7"), ("1.8.1", "1.8"), ("1.9.6", "1.8"), ("2.5.0", "1.8")]
)
async def test_the_dialect_is_asked_of_the_server_once(version: str, dialect: str) -> None:
    async with world(dialect=None) as w:
        w.appwrite.version = version
        for _ in range(2):
            await w.connector.list(None)
    assert w.lines == ["get /users", "get /users", "get /users"]
    assert [one.headers.get("x-appwrite-response-format") for one in w.sent] == [None, f"{dialect}.0", f"{dialect}.0"]


@pytest.mark.parametrize(("version", "said"), [("1.4.13", "before 1.5 have not arrived yet"), ("x", "say in `dialect`")])
async def test_a_server_too_old_stops_the_connection(version: str, said: str) -> None:
    async with world(dialect=None) as w:
        w.appwrite.version = version
        with pytest.raises(Quarantined, match=said):
            await w.connector.list(None)
        assert not (await w.connector.check()).ok


async def test_an_address_that_is_no_api_is_told() -> None:
    async with scripted(reply({}, 404)) as server, world(base_url=server.url, dialect=None) as w:
        with pytest.raises(Retryable, match="base_url"):
            await w.connector.fetch(Ref("ada"))


async def test_check_finds_a_healthy_connection() -> None:
    async with world(sandbox={"users": 3}) as w:
        health = await w.connector.check()
        assert (health.ok, health.permissions, health.problems) == (True, {"users.read": True, "users.write": True}, ())
        assert {one["name"] for one in w.project.users.values()} != {""}
    assert len(w.sent) == 2


async def test_check_tells_a_missing_scope_even_where_nothing_may_be_written() -> None:
    async with world(api_key="sandbox-appwrite-reading-key-5b5b5b5b", writable=False) as w:
        health = await w.connector.check()
    assert health.permissions == {"users.read": True, "users.write": False}
    async with world(api_key="writes-only") as w:
        w.appwrite.keys["writes-only"] = frozenset({"users.write"})
        health = await w.connector.check()
    assert (health.ok, health.permissions) == (False, {"users.read": False})
    assert re.search(r'missing scopes \(\["users.read"\]\)', health.problems[0])


@pytest.mark.parametrize(
    ("more", "faults", "problem"),
    [
        ({"api_key": "wrong"}, "", "general_unauthorized_scope.*check project and api_key"),
        ({"project": "other"}, "", "project_not_found.*check project and api_key"),
        ({}, "500@list:*", "general_unknown"),
        ({}, "html@list:*", "text/html"),
        ({}, "empty@list:*", "."),
        ({}, "500@update:*", "general_unknown"),
    ],
)
async def test_check_names_the_problem(more: dict[str, str], faults: str, problem: str) -> None:
    async with world(sandbox={"faults": faults}, **more) as w:
        health = await w.connector.check()
    assert not health.ok
    assert len(health.problems) == 1
    assert re.search(problem, health.problems[0])


async def test_check_finds_a_dialect_that_the_server_does_not_speak_yet() -> None:
    async with world(dialect="1.8") as w:
        w.appwrite.version = "1.6.2"
        health = await w.connector.check()
    assert health.problems == (
        "The current SDK is built for Appwrite 1.8.0. However, the current Appwrite server version is 1.6.2: "
        "say `dialect: auto`, or the server's own",
    )


async def test_check_finds_that_nobody_listens() -> None:
    async with scripted(b"") as server:
        url = server.url
    connector = AppwriteConnector(options(url), environment=Impatient(), rate=Rate(), writable=False)
    health = await connector.check()
    assert not health.ok
    assert "cannot be reached" in health.problems[0]


class Elsewhen(Impatient):
    def __init__(self, offset: timedelta) -> None:
        super().__init__()
        self.offset = offset

    def now(self):  # type: ignore[no-untyped-def]
        return Environment.now(self) + self.offset


@pytest.mark.parametrize(("minutes", "said"), [(6, "ahead of"), (-6, "behind"), (4, "")])
async def test_check_finds_a_wrong_clock(minutes: int, said: str) -> None:
    async with world(environment=Elsewhen(timedelta(minutes=minutes))) as w:
        health = await w.connector.check()
    assert health.ok is (said == "")
    assert said in " ".join(health.problems)
