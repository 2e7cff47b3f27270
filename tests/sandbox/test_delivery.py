"""Faults of the connection itself, as a client meets them on the wire."""

from __future__ import annotations

import socket
import threading
import time
from collections.abc import Callable

import httpx
import pytest

from syncd.sandbox import Sandbox, serve

from .conftest import Make


def until(condition: Callable[[], bool]) -> None:
    """Wait for what happens at the server after the client has turned away."""
    deadline = time.monotonic() + 5
    while not condition():
        assert time.monotonic() < deadline
        time.sleep(0.002)


@pytest.mark.parametrize(("when", "held", "left"), [("before", 0, 0), ("after", 1, 1), ("late", 0, 1)])
def test_a_timeout_holds_the_request_until_the_client_gives_up(tenant: Make, when: str, held: int, left: int) -> None:
    one = tenant(faults=f"timeout@create;when={when}")
    service, requests = one.sandbox.twilio.service(), one.sandbox.twilio.requests
    request = one.client.build_request("POST", "/v1/Users", data={"Identity": "ada"})
    credentials = httpx.BasicAuth(one.sandbox.twilio.account_sid, one.sandbox.twilio.auth_token)
    head = "".join(f"{name}: {value}\r\n" for name, value in next(credentials.auth_flow(request)).headers.items())
    with socket.create_connection((request.url.host, request.url.port or 0)) as client:
        client.sendall(f"POST /v1/Users HTTP/1.1\r\n{head}\r\nIdentity=ada".encode())
        until(lambda: len(requests) == 1)
        assert len(service) == held
    until(lambda: len(service) == left)
    assert one.get("/v1/Users").status_code == 200
    assert [record.status for record in requests] == [0, 200]


@pytest.mark.parametrize(("when", "users"), [("before", 0), ("after", 1)])
def test_a_reset_is_a_real_one(tenant: Make, when: str, users: int) -> None:
    one = tenant(faults=f"reset@create;when={when}")
    with pytest.raises(httpx.ReadError, match="reset by peer"):
        one.post("/v1/Users", Identity="ada")
    assert len(one.sandbox.twilio.service()) == users


@pytest.mark.parametrize(("when", "users"), [("before", 0), ("after", 1)])
def test_a_connection_closes_without_an_answer(tenant: Make, when: str, users: int) -> None:
    one = tenant(faults=f"close@create;when={when}")
    with pytest.raises(httpx.RemoteProtocolError, match="disconnected without"):
        one.post("/v1/Users", Identity="ada")
    assert len(one.sandbox.twilio.service()) == users


def test_a_truncated_answer_ends_before_its_announced_length(tenant: Make) -> None:
    one = tenant(users=1, faults="truncated@list,truncated@delete")
    with pytest.raises(httpx.RemoteProtocolError, match="complete message body"):
        one.get("/v1/Users")
    sid = next(iter(one.sandbox.twilio.service().users))
    with pytest.raises(httpx.RemoteProtocolError, match="received 0 bytes, expected 100"):
        one.client.delete(f"/v1/Users/{sid}")
    assert one.sandbox.twilio.service().users == {}


def test_a_drip_passes_every_read_timeout(tenant: Make) -> None:
    one = tenant(users=1, faults="drip@list;interval=0.01")
    with one.client.stream("GET", "/v1/Users", timeout=1) as answer:
        pieces = answer.iter_raw()
        first = [next(pieces) for _ in range(5)]
    assert b"".join(first).startswith(b'{"meta"'[:5])
    assert all(len(piece) < 5 for piece in first)


def test_a_drip_comes_to_its_end(tenant: Make) -> None:
    one = tenant(users=1, faults="drip@list;interval=0")
    assert len(one.get("/v1/Users").json()["users"]) == 1


def test_held_and_dripping_requests_do_not_delay_the_end(caplog: pytest.LogCaptureFixture) -> None:
    """Nothing is logged either: no exception, no unfinished answer."""
    sandbox = Sandbox(users=1, faults="timeout@fetch,drip@list;interval=1000")
    auth = (sandbox.twilio.account_sid, sandbox.twilio.auth_token)
    with serve(sandbox) as url, httpx.Client(base_url=url, auth=auth, trust_env=False) as client:
        failures: list[Exception] = []

        def fetch() -> None:
            with pytest.raises(httpx.TransportError) as failure:
                client.get("/v1/Users/x", timeout=60)
            failures.append(failure.value)

        held = threading.Thread(target=fetch)
        held.start()
        until(lambda: len(sandbox.twilio.requests) == 1)
        dripping = client.send(client.build_request("GET", "/v1/Users"), stream=True)
        before = time.monotonic()
    assert time.monotonic() - before < 4
    held.join()
    assert len(failures) == 1
    dripping.close()
    assert caplog.records == []
