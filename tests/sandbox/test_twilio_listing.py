"""The emulated Twilio's listing: pages, tokens, meta and lag, over HTTP."""

from __future__ import annotations

from urllib.parse import urlsplit

import pytest

from .conftest import Clock, Make


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
