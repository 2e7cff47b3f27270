"""The keys of a Twilio connection: what is refused and why, what binds it to one directory, and what `check` finds."""

from __future__ import annotations

import re
from datetime import timedelta

import pytest
from loopback import Impatient, reply, scripted
from pydantic import ValidationError
from twilio_world import options, world

from syncd.connectors.twilio import CAPABILITY, TwilioConnector, TwilioOptions
from syncd.environment import Environment
from syncd.model import Mutability, Rate
from syncd.sandbox.twilio import Twilio

pytestmark = pytest.mark.anyio
AC, IS, SK = Twilio.account_sid, Twilio.service_sid, Twilio.api_key_sid


def test_the_least_one_must_say() -> None:
    one = TwilioOptions.model_validate({"account_sid": AC, "auth_token": "t0ken-value"})
    assert one.binding() == {"root": "https://conversations.twilio.com", "account": AC}
    assert one.capability() is CAPABILITY
    assert not one.webhooks
    assert "t0ken-value" not in repr(one)


def test_the_binding_names_the_service_and_a_canonical_root() -> None:
    assert options("HTTPS://Conversations.Dublin.IE1.twilio.com:443/", service_sid=IS).binding() == {
        "root": "https://conversations.dublin.ie1.twilio.com",
        "account": AC,
        "service": IS,
    }


@pytest.mark.parametrize(
    ("given", "reason"),
    [
        ({"account_sid": "AC123"}, "account_sid.*must be AC and 32 hexadecimal digits"),
        ({"account_sid": SK}, "must be AC"),
        ({"account_sid": AC + "\n"}, "must be AC"),
        ({"service_sid": AC}, "service_sid.*must be IS and 32"),
        ({"api_key_sid": AC, "api_key_secret": "x"}, "api_key_sid.*must be SK and 32"),
        ({"auth_token": None}, "say either auth_token, or api_key_sid and api_key_secret"),
        ({"api_key_sid": SK, "api_key_secret": "x"}, "say either"),
        ({"auth_token": None, "api_key_sid": SK}, "belong together"),
        ({"auth_token": None, "api_key_secret": "x"}, "belong together"),
        ({"base_url": "http://conversations.example"}, "base_url plain http is only for loopback"),
        ({"base_url": "https://u:p@host"}, "base_url must hold no user name"),
        ({"base_url": "host"}, "base_url must be an address"),
        ({"colour": "red"}, "colour"),
    ],
)
def test_what_is_refused(given: dict[str, str | None], reason: str) -> None:
    with pytest.raises(ValidationError, match=f"(?s){reason}") as caught:
        TwilioOptions.model_validate({"account_sid": AC, "auth_token": "t0ken-value", **given})
    assert "t0ken-value" not in str(caught.value)


def test_plain_http_elsewhere_only_on_request() -> None:
    assert options("http://conversations.example", insecure_http=True).binding()["root"] == "http://conversations.example"


def test_what_twilio_can_do() -> None:
    assert CAPABILITY.key == "identity"
    assert CAPABILITY.attributes["identity"].mutability is Mutability.IMMUTABLE
    assert [name for name, spec in CAPABILITY.attributes.items() if spec.trusted] == ["identity"]
    marker = CAPABILITY.spec(CAPABILITY.marker or "")
    assert marker is not None
    assert not marker.trusted
    assert CAPABILITY.switch is None
    assert CAPABILITY.gone
    assert not CAPABILITY.delta
    assert CAPABILITY.write_defaults == {"identity": "userName", "friendly_name": "displayName", "attributes.externalId": "externalId"}
    assert CAPABILITY.read_defaults == {"userName": "identity", "displayName": "friendly_name", "externalId": "attributes.externalId"}


async def test_check_finds_a_healthy_connection_with_one_small_request() -> None:
    async with world(sandbox={"users": 3}) as w:
        health = await w.connector.check()
        assert (health.ok, health.permissions, health.problems) == (True, {"read": True}, ())
    assert [one.query for one in w.sent] == ["PageSize=1"]


@pytest.mark.parametrize(
    ("more", "faults", "problem"),
    [
        ({"auth_token": "wrong-token"}, "", r"20003.*check account_sid and its auth_token"),
        ({"service_sid": "IS" + "9" * 32}, "", r"20404.*check base_url and service_sid"),
        ({}, "500@list:*", "20500"),
        ({}, "html@list:*", "text/html"),
        ({}, "empty@list:*", "."),
    ],
)
async def test_check_names_the_problem_and_its_cure(more: dict[str, str], faults: str, problem: str) -> None:
    async with world(sandbox={"faults": faults}, **more) as w:
        health = await w.connector.check()
    assert not health.ok
    assert len(health.problems) == 1
    assert re.search(problem, health.problems[0])


async def test_check_finds_that_nobody_listens() -> None:
    async with scripted(b"") as server:
        url = server.url
    connector = TwilioConnector(options(url), environment=Impatient(), rate=Rate(), writable=False)
    health = await connector.check()
    assert not health.ok
    assert "cannot be reached" in health.problems[0]


class Elsewhen(Impatient):
    def __init__(self, offset: timedelta) -> None:
        super().__init__()
        self.offset = offset

    def now(self):  # type: ignore[no-untyped-def]
        return Environment.now(self) + self.offset


@pytest.mark.parametrize(("minutes", "said"), [(6, "ahead of"), (-6, "behind")])
async def test_check_finds_a_wrong_clock(minutes: int, said: str) -> None:
    async with world(environment=Elsewhen(timedelta(minutes=minutes))) as w:
        health = await w.connector.check()
    assert not health.ok
    assert health.permissions == {"read": True}
    assert said in health.problems[0]


async def test_check_lets_small_differences_and_missing_dates_pass() -> None:
    async with world(environment=Elsewhen(timedelta(minutes=4))) as w:
        assert (await w.connector.check()).ok
    page = {"meta": {"next_page_url": None}, "users": []}
    async with scripted(reply(page), reply(page, date="garbage")) as server:
        connector = TwilioConnector(options(server.url), environment=Impatient(), rate=Rate(), writable=False)
        assert (await connector.check()).ok
        assert (await connector.check()).ok
        await connector.aclose()
