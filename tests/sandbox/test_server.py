"""The server on its own: what it gives an application, and how it ends."""

from __future__ import annotations

import asyncio
import socket
import threading

import httpx
import pytest
from starlette.responses import PlainTextResponse
from starlette.types import Receive, Scope, Send

from syncd.sandbox import Sandbox, serve
from syncd.sandbox.delivery import TRANSPORT


async def option(scope: Scope, receive: Receive, send: Send) -> None:
    """Answers with the connection's TCP_NODELAY."""
    connection = scope["state"][TRANSPORT].get_extra_info("socket")
    await PlainTextResponse(str(connection.getsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY)))(scope, receive, send)


def test_answers_are_not_held_back_by_nagles_algorithm() -> None:
    with serve(option) as url:
        assert httpx.get(url, trust_env=False).text == "1"


def test_it_listens_on_loopback_at_the_port_asked_for_and_frees_it() -> None:
    with socket.create_server(("127.0.0.1", 0)) as probe:
        port = probe.getsockname()[1]
    for _ in range(2):
        with serve(option, port) as url:
            assert url == f"http://127.0.0.1:{port}"
            with pytest.raises(OSError, match="in use"), serve(option, port):
                pass
    with pytest.raises(httpx.ConnectError):
        httpx.get(url, trust_env=False)


def test_what_is_under_way_is_finished_before_it_ends() -> None:
    begun, release = threading.Event(), threading.Event()
    finished: list[bool] = []

    async def slow(scope: Scope, receive: Receive, send: Send) -> None:
        begun.set()
        await asyncio.to_thread(release.wait)
        finished.append(True)
        await PlainTextResponse("done")(scope, receive, send)

    with serve(slow) as url:
        host, port = url.removeprefix("http://").split(":")
        with socket.create_connection((host, int(port))) as client:
            client.sendall(b"GET / HTTP/1.1\r\nHost: x\r\n\r\n")
            begun.wait()
        threading.Timer(0.05, release.set).start()
    assert finished == [True]


def test_a_request_cut_off_in_its_body_does_nothing(caplog: pytest.LogCaptureFixture) -> None:
    sandbox = Sandbox()
    with serve(sandbox) as url:
        host, port = url.removeprefix("http://").split(":")
        with socket.create_connection((host, int(port))) as client:
            client.sendall(b"POST /v1/Users HTTP/1.1\r\nHost: x\r\nContent-Length: 100\r\n\r\nIdentity=ada")
        assert httpx.get(f"{url}/v1/Users", trust_env=False).status_code == 401
    assert [record.method for record in sandbox.twilio.requests] == ["GET"]
    assert caplog.records == []
