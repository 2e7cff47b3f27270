"""The vendor's own SDK through the ten operations, on both levels, over HTTP: a client we did not write is content with our answers."""

from __future__ import annotations

from collections.abc import Iterator

import pytest
from twilio.base.exceptions import TwilioRestException
from twilio.http.http_client import TwilioHttpClient
from twilio.rest import Client

from syncd.sandbox import Sandbox, serve

LEVELS = pytest.mark.parametrize("named", [False, True], ids=["default service", "named service"])


@pytest.fixture
def sandbox() -> Sandbox:
    return Sandbox()


@pytest.fixture
def sdk(sandbox: Sandbox, monkeypatch: pytest.MonkeyPatch) -> Iterator[Client]:
    for name in ("TWILIO_EDGE", "TWILIO_REGION", "HTTP_PROXY", "http_proxy", "ALL_PROXY", "all_proxy"):
        monkeypatch.delenv(name, raising=False)
    http = TwilioHttpClient()
    with serve(sandbox) as url:
        client = Client(sandbox.twilio.account_sid, sandbox.twilio.auth_token, http_client=http)
        client.conversations.base_url = url
        yield client
        http.session.close()


@LEVELS
def test_create_fetch_update_list_delete(sdk: Client, sandbox: Sandbox, named: bool) -> None:
    level = sdk.conversations.v1.services(sandbox.twilio.service_sid) if named else sdk.conversations.v1
    service = sandbox.twilio.service(sandbox.twilio.service_sid if named else None)
    role = "RL" + "0" * 32
    created = level.users.create(
        identity="ada@example.com", friendly_name="Zoë", attributes='{"k": 1}', role_sid=role, x_twilio_webhook_enabled="true"
    )
    assert (created.identity, created.friendly_name, created.attributes, created.role_sid) == ("ada@example.com", "Zoë", '{"k": 1}', role)
    assert (created.chat_service_sid, created.account_sid) == (service.sid, sandbox.twilio.account_sid)
    assert created.date_created is not None and created.date_created.tzinfo is not None
    assert level.users("ada@example.com").fetch().sid == level.users(created.sid).fetch().sid == created.sid
    updated = level.users(created.sid).update(friendly_name="", attributes="{}", x_twilio_webhook_enabled="false")
    assert (updated.friendly_name, updated.attributes, updated.role_sid) == (None, "{}", role)
    assert [user.sid for user in level.users.list()] == [created.sid]
    assert level.users(created.sid).delete(x_twilio_webhook_enabled="true") is True
    assert service.users == {}
    log = sandbox.twilio.log
    assert [(record.method, record.status) for record in log] == [("POST", 201), ("POST", 200), ("DELETE", 204)]
    assert [record.webhook for record in log[:2]] == ["true", "false"]  # release 9.13 forgets the header when it deletes


@LEVELS
def test_the_sdk_pages_to_the_end(sdk: Client, sandbox: Sandbox, named: bool) -> None:
    level = sdk.conversations.v1.services(sandbox.twilio.service_sid) if named else sdk.conversations.v1
    service = sandbox.twilio.service(sandbox.twilio.service_sid if named else None)
    expected = [service.create(f"user{n}")["sid"] for n in range(7)]
    assert [user.sid for user in level.users.stream(page_size=3)] == expected
    last = level.users.page(page_size=3).next_page().next_page()
    assert [user.sid for user in last] == expected[6:]
    assert [user.sid for user in last.previous_page()] == expected[3:6]


def test_errors_reach_the_sdk_with_their_codes(sdk: Client, sandbox: Sandbox) -> None:
    users = sdk.conversations.v1.users
    users.create(identity="ada")
    with pytest.raises(TwilioRestException) as taken:
        users.create(identity="ada")
    assert (taken.value.status, taken.value.code, taken.value.msg) == (409, 50201, "Unable to create record: User already exists")
    with pytest.raises(TwilioRestException) as missing:
        users("nobody").fetch()
    assert (missing.value.status, missing.value.code) == (404, 20404)
    sandbox.faults = "429@fetch"
    with pytest.raises(TwilioRestException) as busy:
        users("ada").fetch()
    assert (busy.value.status, busy.value.code) == (429, 20429)


def test_an_api_key_does_as_well(sandbox: Sandbox, sdk: Client) -> None:
    twilio = sandbox.twilio
    other = Client(twilio.api_key_sid, twilio.api_key_secret, twilio.account_sid, http_client=sdk.http_client)
    other.conversations.base_url = sdk.conversations.base_url
    assert other.conversations.v1.users.list() == []
