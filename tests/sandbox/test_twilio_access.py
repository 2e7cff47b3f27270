"""Who the emulated Twilio lets in, how it refuses, and what it writes down of it all."""

from __future__ import annotations

import httpx
import pytest

from syncd.sandbox import Sandbox
from syncd.sandbox.twilio_service import Absent, Conflict
from syncd.sandbox.twilio_users import Sids

from .conftest import Clock, Make


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
