"""Faults in what is answered, as a client meets them: other answers, lying listings, records that cannot be read."""

from __future__ import annotations

import json
import zlib

import pytest

from syncd.sandbox import Fault
from syncd.sandbox.faults import KINDS

from .conftest import Make, Tenant


@pytest.mark.parametrize("status", [kind for kind in KINDS if kind.isdigit()])
def test_a_status_comes_with_the_providers_error_and_nothing_is_done(tenant: Make, status: str) -> None:
    one = tenant(faults=f"{status}@create")
    answer = one.post("/v1/Users", Identity="ada")
    assert (answer.status_code, answer.json()["status"]) == (int(status), int(status))
    assert one.sandbox.twilio.service().users == {}
    assert one.post("/v1/Users", Identity="ada").status_code == 201


def test_a_status_after_the_commit(tenant: Make) -> None:
    one = tenant(faults="503@create;when=after")
    assert one.post("/v1/Users", Identity="ada").status_code == 503
    assert one.sandbox.twilio.service().by_identity("ada")
    assert [record.status for record in one.sandbox.twilio.log] == [201]


@pytest.mark.parametrize("wait", ["2", "Fri, 31 Dec 1999 23:59:59 GMT", "-1", "1000000000", "soon, or later"])
def test_retry_after_is_sent_raw(tenant: Make, wait: str) -> None:
    one = tenant()
    one.sandbox.faults.add(Fault("429", "list", retry_after=wait))
    answer = one.get("/v1/Users")
    assert (answer.status_code, answer.headers["retry-after"]) == (429, wait)


def test_pages_for_people_error_bodies_and_nothing_all_say_200(tenant: Make) -> None:
    one = tenant(faults="html@list,error_body@list,empty@list")
    html, error, empty = (one.get("/v1/Users") for _ in range(3))
    assert {html.status_code, error.status_code, empty.status_code} == {200}
    assert html.headers["content-type"].startswith("text/html")
    assert error.json()["code"] == 20500
    assert empty.content == b""


def test_a_redirect_names_its_place(tenant: Make) -> None:
    one = tenant(faults="redirect@list;url=http%3A%2F%2Fevil.invalid;status=307")
    answer = one.get("/v1/Users?PageSize=5")
    assert (answer.status_code, answer.headers["location"]) == (307, "http://evil.invalid/v1/Users?PageSize=5")


def test_a_wrong_content_type_leaves_the_body_alone(tenant: Make) -> None:
    one = tenant(users=1, faults="content_type@list;value=application/xml")
    answer = one.get("/v1/Users")
    assert answer.headers["content-type"] == "application/xml"
    assert len(json.loads(answer.content)["users"]) == 1


def test_a_cut_body_is_well_framed_and_no_json(tenant: Make) -> None:
    one = tenant(users=1, faults="cut@list")
    answer = one.get("/v1/Users")
    with pytest.raises(json.JSONDecodeError):
        answer.json()


def test_a_bomb_grows_when_decoded(tenant: Make) -> None:
    one = tenant(users=1, faults="bomb@list;bytes=5000000")
    with one.client.stream("GET", "/v1/Users") as answer:
        raw = b"".join(answer.iter_raw())
    assert answer.headers["content-encoding"] == "gzip"
    decoded = zlib.decompress(raw, wbits=31)
    assert len(raw) < 50_000 < 5_000_000 < len(decoded)
    assert len(json.loads(decoded)["users"]) == 1


def everyone(one: Tenant) -> list[str]:
    return [user["identity"] for user in one.sandbox.twilio.service().users.values()]


PAGES = "/v1/Users?PageSize=2"


@pytest.mark.parametrize(
    ("faults", "places"),
    [
        ("", [[0, 1], [2, 3], [4, 5]]),
        ("duplicate@list", [[0, 1], [1, 2], [3, 4], [5]]),
        ("duplicate@list;after=2", [[0, 1], [2, 3], [4, 5, 5]]),
        ("missed@list;after=1", [[0, 1], [2], [4, 5]]),
        ("short@list;after=1", [[0, 1], [2, 3]]),
        ("shrink@page:*", [[0, 1], [2], [4]]),
        ("endless@list;after=2", [[0, 1], [2, 3], [4, 5], []]),
    ],
)
def test_a_listing_lies_in_its_own_way(tenant: Make, faults: str, places: list[list[int]]) -> None:
    one = tenant(users=6, faults=faults)
    identities = everyone(one)
    assert one.walk(PAGES) == [[identities[place] for place in page] for page in places]


def test_an_endless_listing_has_always_a_new_next_page(tenant: Make) -> None:
    one = tenant(users=3, faults="endless@list:*")
    urls = [one.get(PAGES).json()["meta"]["next_page_url"]]
    while len(urls) < 30:
        urls.append(one.get(urls[-1]).json()["meta"]["next_page_url"])
    assert len(set(urls)) == 30


def test_a_looping_cursor_comes_back_to_its_page(tenant: Make) -> None:
    one = tenant(users=6, faults="loop@page:*")
    pages = one.walk(PAGES, most=5)
    assert pages[1] == pages[2] == pages[4] != pages[0]


def test_a_refused_cursor_befalls_further_pages_only(tenant: Make) -> None:
    one = tenant(users=6, faults="cursor@*:*")
    first = one.get(PAGES)
    refused = one.get(first.json()["meta"]["next_page_url"])
    assert (first.status_code, refused.status_code) == (200, 400)


@pytest.mark.parametrize("url", ["http://evil.invalid", "https://127.0.0.1:1", "//evil.invalid", "http://127.0.0.1@evil.invalid"])
def test_the_next_page_may_be_on_another_host(tenant: Make, url: str) -> None:
    one = tenant(users=6)
    one.sandbox.faults = [Fault("foreign", "list", url=url)]
    assert one.get(PAGES).json()["meta"]["next_page_url"].startswith(f"{url}/v1/Users?PageSize=2&Page=1&PageToken=")
    assert len(one.walk(PAGES)) == 3


@pytest.mark.parametrize(
    ("kind", "raw"),
    [
        ("nan", b'"friendly_name":NaN,'),
        ("deep", b'"friendly_name":' + b"[" * 100_000),
        ("huge", b'"friendly_name":' + b"9" * 5000 + b","),
        ("surrogate", b'"friendly_name":"\\ud800",'),
        ("nul", b'"friendly_name":"a\\u0000b",'),
        ("drift", b'"identity":12345,'),
        ("literal;field=attributes;value=%22%7B%22", b'"attributes":"{",'),
    ],
)
@pytest.mark.parametrize("operation", ["list", "fetch"])
def test_one_field_of_one_record_is_bent(tenant: Make, kind: str, raw: bytes, operation: str) -> None:
    name, _, params = kind.partition(";")
    one = tenant(users=3, faults=f"{name}@{operation}" + (f";{params}" if params else ""))
    path = "/v1/Users" if operation == "list" else f"/v1/Users/{everyone(one)[0]}"
    body = one.get(path).content
    assert body.count(raw) == 1
    assert one.get(path).content.count(raw) == 0


def test_the_record_is_chosen_and_the_others_stay_whole(tenant: Make) -> None:
    one = tenant(users=3, faults="drift@list;record=0;field=friendly_name")
    users = one.get("/v1/Users").json()["users"]
    assert [type(user["friendly_name"]) for user in users] == [int, str, str]


def test_a_field_goes_missing(tenant: Make) -> None:
    one = tenant(users=2, faults="missing@create;field=sid,missing@list")
    assert "sid" not in one.post("/v1/Users", Identity="ada").json()
    users = one.get("/v1/Users").json()["users"]
    assert ["identity" in user for user in users] == [True, True, False]


def test_what_has_no_record_is_not_bent(tenant: Make) -> None:
    one = tenant(faults="nan@list,nan@fetch")
    assert one.get("/v1/Users").json()["users"] == []
    assert one.get("/v1/Users/nobody").json()["code"] == 20404
