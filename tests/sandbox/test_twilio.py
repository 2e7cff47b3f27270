"""The emulated Twilio against the facts of its documentation, over HTTP."""

from __future__ import annotations

import asyncio
import re
import threading
import time
from collections.abc import Callable
from urllib.parse import quote, urlsplit

import httpx
import pytest

from syncd.environment import Environment
from syncd.sandbox import Sandbox
from syncd.sandbox.twilio_service import Absent, Conflict
from syncd.sandbox.twilio_users import Sids

from .conftest import Clock, Tenant

Make = Callable[..., Tenant]
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


# ---- listing -------------------------------------------------------------------------------------------------------


def test_every_user_is_listed_once_in_creation_order(tenant: Make) -> None:
    one = tenant(users=120)
    one.post("/v1/Users", Identity="last")
    pages = one.walk()
    assert [len(page) for page in pages] == [50, 50, 21]
    identities = [identity for page in pages for identity in page]
    assert identities == [user["identity"] for user in one.sandbox.twilio.service().users.values()]
    assert identities[-1] == "last"


def test_meta_names_the_pages_around(tenant: Make) -> None:
    one = tenant(users=5)
    pages = [one.get("/v1/Users?PageSize=2").json()]
    while pages[-1]["meta"]["next_page_url"]:
        pages.append(one.get(pages[-1]["meta"]["next_page_url"]).json())
    assert [page["meta"]["page"] for page in pages] == [0, 1, 2]
    assert pages[0]["meta"]["previous_page_url"] is None
    assert one.get(pages[2]["meta"]["previous_page_url"]).json()["users"] == pages[1]["users"]
    assert one.get(pages[1]["meta"]["previous_page_url"]).json()["users"] == pages[0]["users"]
    for page in pages:
        assert (page["meta"]["page_size"], page["meta"]["key"]) == (2, "users")
        assert one.get(page["meta"]["url"]).json() == page
        assert one.get(page["meta"]["first_page_url"]).json() == pages[0]


def test_page_size_is_50_at_most_and_by_default(tenant: Make) -> None:
    one = tenant(users=60)
    for query in ("", "?PageSize=51", "?PageSize=1000"):
        document = one.get(f"/v1/Users{query}").json()
        assert (len(document["users"]), document["meta"]["page_size"]) == (50, 50)


@pytest.mark.parametrize("query", ["PageSize=0", "PageSize=-1", "PageSize=x", "Page=-1", "Page=x", "PageToken=x", "PageToken="])
def test_a_senseless_query_is_refused(tenant: Make, query: str) -> None:
    assert tenant(users=3).get(f"/v1/Users?{query}").status_code == 400


def test_a_further_page_needs_its_token(tenant: Make) -> None:
    one = tenant(users=60)
    assert one.get("/v1/Users?Page=0").status_code == 200
    refused = one.get("/v1/Users?Page=1")
    assert (refused.status_code, refused.json()["code"], refused.json()["message"]) == (400, 20001, "PageToken is required for paging.")


def test_a_token_survives_only_verbatim(tenant: Make) -> None:
    one = tenant(users=60)
    url = one.get("/v1/Users").json()["meta"]["next_page_url"]
    assert one.get(url).status_code == 200
    assert one.get(url.replace("%2B", "+")).status_code == 400
    token = urlsplit(url).query.rsplit("PageToken=", 1)[1]
    for broken in (token[:-3], token.replace("PT:", "PT:1"), token.lower()):
        assert one.get(f"/v1/Users?PageSize=50&Page=1&PageToken={broken}").status_code == 400


def test_a_token_works_after_its_place_was_deleted(tenant: Make) -> None:
    one = tenant(users=6)
    service = one.sandbox.twilio.service()
    everyone = [user["identity"] for user in service.users.values()]
    url = one.get("/v1/Users?PageSize=3").json()["meta"]["next_page_url"]
    for identity in everyone[2:4]:
        service.delete(identity)
    assert one.walk(url) == [everyone[4:]]


def test_listings_lag_and_fetches_do_not(tenant: Make, clock: Clock) -> None:
    one = tenant(environment=clock, users=1)
    one.sandbox.list_lag = 10
    old = one.walk()[0][0]
    one.post("/v1/Users", Identity="new")
    one.client.delete(f"/v1/Users/{old}")
    assert one.walk() == [[old]]
    assert [one.get(f"/v1/Users/{identity}").status_code for identity in ("new", old)] == [200, 404]
    clock.advance(10)
    assert one.walk() == [["new"]]


# ---- credentials and refusals --------------------------------------------------------------------------------------


def test_both_pairs_of_credentials_are_good_and_no_other(tenant: Make) -> None:
    one = tenant()
    twilio = one.sandbox.twilio
    good = [(twilio.account_sid, twilio.auth_token), (twilio.api_key_sid, twilio.api_key_secret)]
    bad = [(twilio.account_sid, twilio.api_key_secret), ("AC" + "0" * 32, twilio.auth_token), (twilio.account_sid, "")]
    statuses = [httpx.get(f"{one.url}/v1/Users", auth=pair, trust_env=False).status_code for pair in [*good, *bad]]
    assert statuses == [200, 200, 401, 401, 401]
    anonymous = httpx.get(f"{one.url}/v1/Users", trust_env=False)
    assert (anonymous.status_code, anonymous.json()["code"]) == (401, 20003)
    assert anonymous.headers["www-authenticate"].startswith("Basic")


def test_an_error_has_the_documented_body(tenant: Make) -> None:
    missing = tenant().get("/v1/Users/nobody")
    assert missing.json() == {
        "code": 20404,
        "message": "The requested resource /Users/nobody was not found",
        "more_info": "https://www.twilio.com/docs/errors/20404",
        "status": 404,
    }


@pytest.mark.parametrize(
    ("method", "path", "status"), [("PUT", "/v1/Users", 405), ("PATCH", "/v1/Users/x", 405), ("GET", "/v1/Users/", 404), ("GET", "/", 404)]
)
def test_other_methods_and_paths_are_refused_in_json(tenant: Make, method: str, path: str, status: int) -> None:
    refused = tenant().client.request(method, path)
    assert (refused.status_code, refused.json()["status"]) == (status, status)


# ---- traffic -------------------------------------------------------------------------------------------------------


def test_the_rate_limit_refuses_without_doing(tenant: Make, clock: Clock) -> None:
    one = tenant(environment=clock, per_second=2, burst=1)
    statuses = [one.post("/v1/Users", Identity=str(n)).status_code for n in range(5)]
    assert statuses == [201, 201, 201, 429, 429]
    assert len(one.sandbox.twilio.log) == len(one.sandbox.twilio.service()) == 3
    clock.advance(0.5)
    assert [one.post("/v1/Users", Identity=str(n)).status_code for n in (3, 4)] == [201, 429]


def test_the_refusal_is_20429_and_counts_the_requests_in_flight(tenant: Make) -> None:
    one = tenant(concurrency=0)
    refused = one.get("/v1/Users")
    assert (refused.status_code, refused.json()["code"], refused.headers["twilio-concurrent-requests"]) == (429, 20429, "0")
    one.sandbox.traffic.concurrency = None
    assert one.get("/v1/Users").headers["twilio-concurrent-requests"] == "1"


class Gate(Environment):
    """Requests wait in their latency until the gate is opened."""

    def __init__(self) -> None:
        super().__init__()
        self.waiting = 0
        self.open = threading.Event()

    async def sleep(self, seconds: float) -> None:
        self.waiting += 1
        await asyncio.to_thread(self.open.wait)


def test_the_concurrency_limit_counts_what_is_under_way(tenant: Make) -> None:
    gate = Gate()
    one = tenant(environment=gate, latency=1, concurrency=2)
    answers: list[httpx.Response] = []
    clients = [threading.Thread(target=lambda n=n: answers.append(one.post("/v1/Users", Identity=str(n)))) for n in range(3)]
    for client in clients:
        client.start()
    deadline = time.monotonic() + 5
    while gate.waiting < 3 and time.monotonic() < deadline:
        time.sleep(0.002)
    gate.open.set()
    for client in clients:
        client.join()
    assert sorted(answer.status_code for answer in answers) == [201, 201, 429]
    assert len(one.sandbox.twilio.service()) == 2
    assert max(int(answer.headers["twilio-concurrent-requests"]) for answer in answers) == 2
    assert one.post("/v1/Users", Identity="later").status_code == 201


def test_latency_is_slept_through_the_environment(tenant: Make, clock: Clock) -> None:
    one = tenant(environment=clock, latency=7.5)
    one.get("/v1/Users")
    assert clock.slept == [7.5]


# ---- the tester's view ---------------------------------------------------------------------------------------------


def test_writes_are_logged_with_who_what_and_outcome(tenant: Make, clock: Clock) -> None:
    one = tenant(environment=clock)
    service = one.sandbox.twilio.service()
    sid = one.client.post("/v1/Users", data={"Identity": "ada"}, headers={"X-Twilio-Webhook-Enabled": "true"}).json()["sid"]
    one.post("/v1/Users", Identity="ada")
    one.post("/v1/Users/eve", FriendlyName="Eve")
    service.update("ada", friendly_name="Ada")
    one.client.delete(f"/v1/Users/{sid}")
    log = one.sandbox.twilio.log
    assert [(r.method, r.path, r.sid, r.identity, r.status, r.origin, r.webhook) for r in log] == [
        ("POST", "/v1/Users", sid, "ada", 201, "http", "true"),
        ("POST", "/v1/Users", None, "ada", 409, "http", None),
        ("POST", "/v1/Users/eve", None, None, 404, "http", None),
        ("POST", f"/v1/Services/{service.sid}/Users/ada", sid, "ada", 200, "local", None),
        ("DELETE", f"/v1/Users/{sid}", sid, "ada", 204, "http", None),
    ]
    assert [dict(r.body) for r in log][2:4] == [{"FriendlyName": "Eve"}, {"friendly_name": "Ada"}]
    assert {r.at for r in log} == {clock.now()}


def test_requests_are_noted_before_their_answer(tenant: Make) -> None:
    one = tenant()
    one.get("/v1/Users?PageSize=7")
    one.get("/v1/Users/nobody")
    requests = one.sandbox.twilio.requests
    assert [(r.method, r.path, r.status, r.operation, r.query) for r in requests] == [
        ("GET", "/v1/Users", 200, "list", "PageSize=7"),
        ("GET", "/v1/Users/nobody", 404, "fetch", ""),
    ]
    requests.clear()
    assert one.sandbox.twilio.journal.counts() == {}


def test_somebody_else_writes_without_http() -> None:
    service = Sandbox(users=2).twilio.service()
    sid = service.create("ada", "Ada", '{"a":1}')["sid"]
    before = service.users
    service.update("ada", role_sid="RL" + "0" * 32)
    assert before[sid]["role_sid"] != service.users[sid]["role_sid"] == "RL" + "0" * 32
    assert service.by_identity("ada") == service.users[sid]
    with pytest.raises(Conflict):
        service.create("ada")
    with pytest.raises(ValueError, match="immutable"):
        service.update("ada", identity="eve")
    service.delete(sid)
    assert service.by_identity("ada") is None
    for act in (service.delete, service.update):
        with pytest.raises(Absent):
            act(sid)


def test_seeds_are_repeatable_and_differ() -> None:
    first, same, other = (list(Sandbox(users=5, seed=seed).twilio.service().users) for seed in (1, 1, 2))
    assert first == same != other


def test_sids_lead_back_to_their_ordinals() -> None:
    sids = Sids("salt")
    assert [sids.ordinal(sids.of(n)) for n in (1, 2, 10**9)] == [1, 2, 10**9]
    assert sids.ordinal("US" + "0" * 31) is sids.ordinal("ada") is sids.ordinal(sids.of(1).upper()) is None
