"""What the client makes of answers: success, refusals, doubt; what leaves, and what never does."""

from __future__ import annotations

import asyncio
import base64
import logging
from typing import Any

import pytest
from loopback import SECRET, client, get, post, reply, scripted

from syncd.connectors.answer import Answer, Conflict, NotFound
from syncd.connectors.http import Credentials, Request
from syncd.errors import InDoubt, Quarantined, Rejected, Retryable, Unauthorized

pytestmark = pytest.mark.anyio


def body(answer: Answer) -> bytes:
    return answer.body


async def test_what_leaves_is_exactly_what_was_asked() -> None:
    async with scripted(reply()) as server, client(server.url) as http:
        target = "/v1/a%2Fb/../c?Token=PT:2024-01-18T03:17:17.005Z_x%2By="
        assert await http.send(post(target, headers={"Content-Type": "text/x"}), body) == b"{}"
    (request,) = server.received
    assert (request.method, request.target, request.body) == ("POST", target, b"a=1")
    assert request.headers["authorization"] == "Basic " + base64.b64encode(f"AC1:{SECRET}".encode()).decode()
    assert request.headers["host"] == f"127.0.0.1:{server.port}"
    assert request.headers["content-type"] == "text/x"
    assert request.headers["accept"] == "application/json"


def test_credentials_of_other_kinds() -> None:
    assert Credentials.bearer("t0ken").headers == {"Authorization": "Bearer t0ken"}
    for token in ("t0\nken", "t0kén"):
        with pytest.raises(ValueError, match="cannot carry") as caught:
            Credentials.bearer(token)
        assert token not in str(caught.value)


async def test_the_environments_proxy_is_not_asked(monkeypatch: pytest.MonkeyPatch) -> None:
    async with scripted(reply()) as proxy, scripted(reply()) as server:
        for name in ("HTTP_PROXY", "http_proxy", "ALL_PROXY", "all_proxy"):
            monkeypatch.setenv(name, proxy.url)
        async with client(server.url) as http:
            await http.send(get(), body)
    assert (proxy.connections, len(server.received)) == (0, 1)


async def test_cookies_are_neither_kept_nor_sent() -> None:
    async with scripted(reply(set_cookie="a=1; Path=/")) as server, client(server.url) as http:
        await http.send(get(), body)
        await http.send(get(), body)
    assert "cookie" not in server.received[1].headers


@pytest.mark.parametrize(
    ("status", "error"), [(400, Rejected), (401, Unauthorized), (403, Quarantined), (404, NotFound), (409, Conflict), (422, Rejected)]
)
async def test_a_refusal_names_the_callers_next_move(status: int, error: type[Exception]) -> None:
    answer = reply({"code": 20404, "message": "was not\nfound", "status": status}, status)
    async with scripted(answer) as server, client(server.url) as http:
        with pytest.raises(error, match=rf"POST /thing: {status} \(code 20404\) was not found") as caught:
            await http.send(post(), body)
    assert type(caught.value) is error
    assert len(server.received) == 1
    if isinstance(caught.value, Rejected):
        assert caught.value.code == "20404"


@pytest.mark.parametrize(
    ("document", "said"),
    [
        (
            {"type": "https://x", "title": "Bad", "status": 400, "code": 20001, "detail": "PageToken is required"},
            "20001.*PageToken is required",
        ),
        ({"type": "https://x", "title": "Bad", "status": 400, "code": 20001}, "20001.*Bad"),
        ({"detail": "no such user"}, "no such user"),
        ({"detail": [{"loc": ["x"]}]}, "400"),
        (["unexpected"], "400"),
    ],
)
async def test_error_bodies_of_several_shapes_are_understood(document: Any, said: str) -> None:
    async with scripted(reply(document, 400)) as server, client(server.url) as http:
        with pytest.raises(Rejected, match=said):
            await http.send(get(), body)


async def test_an_error_without_code_goes_by_its_status_and_html_is_not_quoted() -> None:
    async with scripted(reply(b"<html>gone</html>", 404, content_type="text/html")) as server, client(server.url) as http:
        with pytest.raises(NotFound) as caught:
            await http.send(get(), body)
    assert caught.value.code == "404"
    assert "html" not in str(caught.value)


async def test_the_secret_is_masked_in_whatever_the_provider_echoes() -> None:
    pair = base64.b64encode(f"AC1:{SECRET}".encode()).decode()
    said = f"{SECRET} s3cr3t%2F%2B%3Dtoken s3cr3t%2f%2b%3dtoken {base64.b64encode(SECRET.encode()).decode()} {pair} {pair.rstrip('=')}"
    async with scripted(reply({"code": 1, "message": said}, 400)) as server, client(server.url) as http:
        with pytest.raises(Rejected, match=r"1\) \*\*\* \*\*\* \*\*\* \*\*\* \*\*\* \*\*\*$"):
            await http.send(get(), body)


async def test_a_long_message_is_cut() -> None:
    async with scripted(reply({"message": "x" * 5000}, 400)) as server, client(server.url) as http:
        with pytest.raises(Rejected) as caught:
            await http.send(get(), body)
    assert len(str(caught.value)) < 400


async def test_the_dry_run_door_lets_no_byte_of_a_write_through() -> None:
    async with scripted(reply()) as server, client(server.url, writable=False) as http:
        for method in ("POST", "PUT", "PATCH", "DELETE"):
            with pytest.raises(Rejected, match="not sent") as caught:
                await http.send(Request(method, "/thing", f"{method} /thing", repeatable=True), body)
            assert caught.value.code == "read_only"
        assert server.connections == 0
        await http.send(get(), body)
        await http.send(post(reads=True), body)
    assert [one.method for one in server.received] == ["GET", "POST"]


async def test_a_redirect_is_an_error_and_its_target_gets_nothing() -> None:
    async with scripted(reply()) as other, scripted(reply(b"", 302, location=other.url + "/x")) as server, client(server.url) as http:
        with pytest.raises(Retryable, match="redirect, which is never followed: base_url"):
            await http.send(get(), body)
        with pytest.raises(InDoubt, match="redirect"):
            await http.send(post(), body)
    assert other.connections == 0


async def test_a_server_that_speaks_no_tls_never_sees_the_credentials() -> None:
    heard = b""

    async def listen(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        nonlocal heard
        heard += await reader.read(4096)
        writer.write(b"HTTP/1.1 400 Bad\r\n\r\n")
        writer.close()

    server = await asyncio.start_server(listen, "127.0.0.1", 0)
    async with server, client(f"https://127.0.0.1:{server.sockets[0].getsockname()[1]}") as http:
        with pytest.raises(Retryable, match="cannot be reached"):
            await http.send(post(), body)
    assert heard[:1] == b"\x16"  # a TLS handshake record
    assert b"uthorization" not in heard


@pytest.mark.parametrize("kind", ["application/json; charset=utf-8", "Application/JSON", "application/problem+json"])
async def test_json_content_types(kind: str) -> None:
    async with scripted(reply(content_type=kind)) as server, client(server.url) as http:
        assert await http.send(get(), body) == b"{}"


async def test_no_content_needs_no_content_type() -> None:
    async with scripted(b"HTTP/1.1 204 X\r\n\r\n") as server, client(server.url) as http:
        assert await http.send(Request("DELETE", "/x", "DELETE", success=frozenset({204})), body) == b""
    assert "content-length" not in server.received[0].headers


async def test_totals_of_traffic() -> None:
    async with scripted(reply()) as server, client(server.url) as http:
        for _ in range(4):
            await http.send(get(), body)
    assert http.meter.requests == 4
    assert 0 < http.meter.seconds < 1


def test_the_libraries_log_no_address(caplog: pytest.LogCaptureFixture) -> None:
    caplog.set_level(logging.DEBUG)
    for name in ("httpx", "httpcore", "httpcore.http11", "httpcore.connection"):
        assert not logging.getLogger(name).isEnabledFor(logging.INFO)
