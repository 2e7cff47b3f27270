"""The emulated Twilio against the facts of its documentation, over HTTP."""

from __future__ import annotations

import re
from urllib.parse import quote

import pytest

from syncd.sandbox import Sandbox

from .conftest import Clock, Make

LEVELS = ["/v1/Users", f"/v1/Services/{Sandbox().twilio.service_sid}/Users"]


@pytest.mark.parametrize("users", LEVELS)
def test_the_five_operations_answer_with_their_status(tenant: Make, users: str) -> None:
    one = tenant()
    created = one.post(users, Identity="ada", FriendlyName="Ada", Attributes='{"team": 1}')
    sid = created.json()["sid"]
    assert created.status_code == 201
    assert one.get(f"{users}/{sid}").json() == created.json()
    updated = one.post(f"{users}/{sid}", FriendlyName="Ada L.")
    assert (updated.status_code, updated.json()["friendly_name"], updated.json()["attributes"]) == (200, "Ada L.", '{"team": 1}')
    assert [user["sid"] for user in one.get(users).json()["users"]] == [sid]
    deleted = one.client.delete(f"{users}/{sid}")
    assert (deleted.status_code, deleted.content) == (204, b"")
    assert one.get(f"{users}/{sid}").status_code == 404


def test_a_new_user_has_the_documented_fields(tenant: Make, clock: Clock) -> None:
    one = tenant(environment=clock)
    user = one.post("/v1/Users", Identity="ada").json()
    sid = user["sid"]
    assert re.fullmatch("US[0-9a-f]{32}", sid)
    assert user == {
        "sid": sid,
        "account_sid": one.sandbox.twilio.account_sid,
        "chat_service_sid": one.sandbox.twilio.default_service_sid,
        "role_sid": one.sandbox.twilio.role_sid,
        "identity": "ada",
        "friendly_name": None,
        "attributes": "{}",
        "is_online": False,
        "is_notifiable": False,
        "date_created": "2026-01-01T12:00:00Z",
        "date_updated": "2026-01-01T12:00:00Z",
        "url": f"{one.url}/v1/Users/{sid}",
        "links": {"user_conversations": f"{one.url}/v1/Users/{sid}/Conversations"},
    }


def test_presence_is_null_in_lists_and_real_in_a_fetch(tenant: Make) -> None:
    one = tenant()
    sid = one.sandbox.twilio.service().create("ada")["sid"]
    one.sandbox.twilio.service().update(sid, is_online=True)
    listed = one.get("/v1/Users").json()["users"][0]
    assert (listed["is_online"], listed["is_notifiable"]) == (None, None)
    fetched = one.get(f"/v1/Users/{sid}").json()
    assert (fetched["is_online"], fetched["is_notifiable"]) == (True, False)


def test_services_are_separate_directories_and_the_default_one_has_a_sid_too(tenant: Make) -> None:
    one = tenant()
    twilio = one.sandbox.twilio
    assert one.post("/v1/Users", Identity="ada").status_code == 201
    assert one.post(f"/v1/Services/{twilio.service_sid}/Users", Identity="ada").status_code == 201
    assert one.post(f"/v1/Services/{twilio.default_service_sid}/Users", Identity="ada").status_code == 409
    assert [len(twilio.service(sid)) for sid in (None, twilio.service_sid)] == [1, 1]
    unknown = one.get("/v1/Services/IS" + "0" * 32 + "/Users")
    assert (unknown.status_code, unknown.json()["code"]) == (404, 20404)


def test_urls_in_answers_use_the_host_and_the_level_of_the_request(tenant: Make) -> None:
    one = tenant(users=2)
    path = f"/v1/Services/{one.sandbox.twilio.default_service_sid}/Users"
    document = one.client.get(f"{path}?PageSize=1", headers={"Host": 'localhost:1"x'}).json()
    base = f'http://localhost:1"x{path}'
    assert document["meta"]["next_page_url"].startswith(base + "?PageSize=1&Page=1&PageToken=")
    assert document["users"][0]["url"] == f"{base}/{document['users'][0]['sid']}"


IDENTITIES = ["a b/c?d#e@f", "ada@example.com", "Zoë+1", "100%", "..%2F", "日本"]


@pytest.mark.parametrize("identity", IDENTITIES)
def test_a_user_is_found_by_its_percent_encoded_identity(tenant: Make, identity: str) -> None:
    one = tenant()
    sid = one.post("/v1/Users", Identity=identity).json()["sid"]
    place = "/v1/Users/" + quote(identity, safe="")
    assert one.get(place).json()["sid"] == sid
    assert one.post(place, FriendlyName="x").json()["identity"] == identity
    assert one.client.delete(place).status_code == 204
    assert one.sandbox.twilio.service().users == {}


def test_identity_is_case_sensitive_unique_and_immutable(tenant: Make) -> None:
    one = tenant()
    sid = one.post("/v1/Users", Identity="ada").json()["sid"]
    assert one.post("/v1/Users", Identity="Ada").status_code == 201
    again = one.post("/v1/Users", Identity="ada")
    assert (again.status_code, again.json()["code"], again.json()["message"]) == (409, 50201, "User already exists")
    assert one.post(f"/v1/Users/{sid}", Identity="eve").json()["identity"] == "ada"


def test_a_freed_identity_can_be_taken_again(tenant: Make) -> None:
    one = tenant(users=3)
    first = one.get("/v1/Users").json()["users"][0]
    one.client.delete(f"/v1/Users/{first['sid']}")
    assert one.get(f"/v1/Users/{quote(first['identity'])}").status_code == 404
    again = one.post("/v1/Users", Identity=first["identity"]).json()
    assert again["sid"] != first["sid"]
    assert one.get(f"/v1/Users/{quote(first['identity'])}").json()["sid"] == again["sid"]


def test_attributes_are_kept_as_sent_and_replaced_whole(tenant: Make) -> None:
    one = tenant()
    text = '{ "b" : 1,\n "a": "é" }'
    sid = one.post("/v1/Users", Identity="ada", Attributes=text).json()["sid"]
    assert one.get(f"/v1/Users/{sid}").json()["attributes"] == text
    assert one.post(f"/v1/Users/{sid}", Attributes='{"c":2}').json()["attributes"] == '{"c":2}'


def test_an_empty_friendly_name_clears_and_an_absent_one_does_not(tenant: Make) -> None:
    one = tenant()
    sid = one.post("/v1/Users", Identity="ada", FriendlyName="Ada").json()["sid"]
    assert one.post(f"/v1/Users/{sid}", Attributes="{}").json()["friendly_name"] == "Ada"
    assert one.post(f"/v1/Users/{sid}", FriendlyName="").json()["friendly_name"] is None


def test_the_update_date_moves_only_with_a_real_change(tenant: Make, clock: Clock) -> None:
    one = tenant(environment=clock)
    sid = one.post("/v1/Users", Identity="ada", FriendlyName="Ada").json()["sid"]
    clock.advance(60)
    assert one.post(f"/v1/Users/{sid}", FriendlyName="Ada").json()["date_updated"] == "2026-01-01T12:00:00Z"
    changed = one.post(f"/v1/Users/{sid}", FriendlyName="Ada L.").json()
    assert (changed["date_created"], changed["date_updated"]) == ("2026-01-01T12:00:00Z", "2026-01-01T12:01:00Z")


REFUSED = [
    {},
    {"Identity": ""},
    {"Identity": "a" * 257},
    {"Identity": "a", "FriendlyName": "é" * 257},
    {"Identity": "a", "Attributes": "{"},
    {"Identity": "a", "Attributes": "[]"},
    {"Identity": "a", "Attributes": ""},
    {"Identity": "a", "Attributes": '{"k":"' + "é" * 2045 + '"}'},
    {"Identity": "a", "RoleSid": "RL123"},
    {"Identity": "a", "RoleSid": ""},
]


@pytest.mark.parametrize("fields", REFUSED, ids=lambda fields: str(fields)[:40])
def test_what_breaks_a_limit_is_refused_and_noted(tenant: Make, fields: dict[str, str]) -> None:
    one = tenant()
    refused = one.post("/v1/Users", **fields)
    assert (refused.status_code, refused.json()["code"]) == (400, 20001)
    assert one.sandbox.twilio.service().users == {}
    assert [record.status for record in one.sandbox.twilio.log] == [400]


def test_what_just_keeps_the_limits_is_taken(tenant: Make) -> None:
    one = tenant()
    attributes = '{"k":"' + "é" * 2044 + '"}'
    assert len(attributes.encode()) == 4096
    fields = {"Identity": "é" * 256, "FriendlyName": "é" * 256, "Attributes": attributes, "RoleSid": "RL" + "aF" * 16}
    assert one.post("/v1/Users", **fields).json()["role_sid"] == fields["RoleSid"]


@pytest.mark.parametrize(
    ("body", "media"),
    [
        (b'{"Identity":"a"}', "application/json"),
        (b"Identity=%ED%A0%80", "application/x-www-form-urlencoded"),
        (b"Identity=\xff", "application/x-www-form-urlencoded"),
    ],
)
def test_a_body_that_is_no_form_is_refused(tenant: Make, body: bytes, media: str) -> None:
    assert tenant().client.post("/v1/Users", content=body, headers={"Content-Type": media}).status_code == 400
