"""TLS, with a real handshake: who proves who they are, who does not, and that the guards of a plain connection hold within it."""

from __future__ import annotations

import asyncio
import ssl
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest
import trustme
from loopback import (
    Impatient,
    asked_in_the_step_of_each_write,
    client,
    get,
    noticed_once_the_server_has_closed,
    post,
    raw_server,
    reply,
    scripted,
)
from test_stream import Lease, body
from test_transport import dying_on_reuse

from syncd.connectors import transport
from syncd.connectors.retry import Budget
from syncd.connectors.stream import Backend, Stream
from syncd.errors import InDoubt, Quarantined, Retryable

pytestmark = pytest.mark.anyio
OWN = "; if the authority is your own: SSL_CERT_FILE=FILE"


class Authority:
    def __init__(self) -> None:
        self.made = trustme.CA()

    def certify(self, name: str = "127.0.0.1", days: tuple[float, float] = (-1, 1)) -> ssl.SSLContext:
        """A server called so; ``days``: from now, the beginning and the end."""
        context, (begin, end) = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER), (datetime.now(UTC) + timedelta(one) for one in days)
        self.made.issue_cert(name, not_before=begin, not_after=end).configure_cert(context)
        return context


@pytest.fixture(autouse=True)
def anew() -> Iterator[None]:
    """The authorities are read once a process."""
    transport._ssl_context.cache_clear()
    yield
    transport._ssl_context.cache_clear()


@pytest.fixture
def authority(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Authority:
    """Trusted, in the way that is documented."""
    made = Authority()
    made.made.cert_pem.write_to_path(tmp_path / "authority.pem")
    monkeypatch.setenv("SSL_CERT_FILE", str(tmp_path / "authority.pem"))
    return made


async def test_who_is_certified_is_spoken_to_on_one_connection(authority: Authority) -> None:
    long = b"x" * 2**20
    async with scripted(reply(long), certified=authority.certify()) as server, client(server.url) as http:
        assert [await http.send(one, body) for one in (get(), post())] == [long, long]
    assert (server.connections, [one.method for one in server.received]) == (1, ["GET", "POST"])


@pytest.mark.parametrize(
    ("name", "days", "said"),
    [
        ("127.0.0.2", (-1, 1), "IP address mismatch, certificate is not valid for '127.0.0.1'; `base_url` has to say an address"),
        ("127.0.0.1", (-2, -1), "certificate has expired; it has to be renewed there"),
        ("127.0.0.1", (1, 2), "certificate is not yet valid; compare this machine's clock"),
    ],
)
async def test_who_proves_somebody_else_or_proves_it_too_late_is_refused(
    authority: Authority, name: str, days: tuple[float, float], said: str
) -> None:
    await refused(authority.certify(name, days), said)


async def refused(certified: ssl.SSLContext, said: str, url: str = "") -> None:
    """Without another try, and before anything is sent."""
    environment = Impatient()
    async with scripted(reply(), certified=certified) as server:
        async with client(url.format(server.port) or server.url, environment=environment) as http:
            with pytest.raises(Retryable) as caught:
                await http.send(post(), body)
        assert f"is not trusted: its certificate is refused: {said}" in str(caught.value)
        assert (server.received, http.meter.requests, environment.slept) == ([], 0, [])


async def test_another_host_name_is_refused(authority: Authority) -> None:
    said = "Hostname mismatch, certificate is not valid for 'localhost'; `base_url` has to say a name that it was made for"
    await refused(authority.certify("chat.example"), said, "https://localhost:{}")


async def test_an_authority_that_nobody_named_is_unknown(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv("SSL_CERT_FILE", raising=False)
    await refused(Authority().certify(), f"unable to get local issuer certificate{OWN}")


@pytest.mark.parametrize(("content", "said"), [(None, "No such file or directory"), ("nothing", "NO_CERTIFICATE")])
async def test_authorities_that_cannot_be_read_are_named(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, content: str | None, said: str
) -> None:
    file = tmp_path / "authorities.pem"
    if content is not None:
        file.write_text(content)
    monkeypatch.setenv("SSL_CERT_FILE", str(file))
    async with client("https://127.0.0.1:9") as http:
        with pytest.raises(Retryable, match=f"SSL_CERT_FILE names {file}, which holds no certificates that can be read: .*{said}"):
            await http.send(get(), body)


async def test_who_never_ends_the_handshake_is_given_up_and_hung_up_on() -> None:
    async def converse(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        await reader.read()
        ended.set()
        writer.close()

    ended = asyncio.Event()
    async with await asyncio.start_server(converse, "127.0.0.1") as server:
        url = f"https://127.0.0.1:{server.sockets[0].getsockname()[1]}"
        async with client(url, deadline=0.05, budget=Budget(tries=1)) as http:
            with pytest.raises(Retryable, match="cannot be reached: no complete answer"):
                await http.send(post(), body)
        await ended.wait()


@pytest.mark.parametrize("after", [1, 2])
async def test_a_request_whose_lease_is_lost_before_its_last_byte_is_never_whole(authority: Authority, after: int) -> None:
    async with scripted(reply(), certified=authority.certify()) as server, client(server.url) as http:
        http.permit = Lease(after)
        with pytest.raises(Quarantined, match="lease"):
            await http.send(post(), body)
        assert (server.received, http.meter.requests) == ([], 0)
        http.permit = Lease(99)
        await http.send(post(), body)
    assert len(server.received) == 1


async def test_nothing_else_runs_between_the_question_and_the_write_of_the_encrypted_bytes(authority: Authority) -> None:
    """Down to the transport below the encryption."""
    async with scripted(reply(), certified=authority.certify()) as server:
        backend = Backend()
        plain = await backend.connect_tcp("127.0.0.1", server.port)
        assert isinstance(plain, Stream)
        below = plain._transport
        made = await plain.start_tls(transport._ssl_context(), "127.0.0.1")
        await asked_in_the_step_of_each_write(backend, below, made)


async def test_a_kept_connection_that_turns_out_dead_is_replaced_for_what_is_harmless_alone(authority: Authority) -> None:
    environment = Impatient()
    async with (
        raw_server(dying_on_reuse(2), authority.certify()) as server,
        client(server.url, environment=environment, concurrency=1) as http,
    ):
        await http.send(get(), body)
        with pytest.raises(InDoubt):
            await http.send(post("/again"), body)
        await http.send(get(), body)
        await http.send(get("/again"), body)
    assert [one.connection for one in server.received] == [1, 1, 2, 2, 3]
    assert environment.slept == [0.0]


async def test_a_connection_the_server_has_closed_is_noticed_before_anything_is_sent(authority: Authority) -> None:
    await noticed_once_the_server_has_closed(authority.certify())


@pytest.mark.parametrize(("but", "said"), [("", True), ("127.0.0.0/8,127.0.0.1", False)])
async def test_who_expects_a_proxy_is_told_that_none_is_asked(monkeypatch: pytest.MonkeyPatch, but: str, said: bool) -> None:
    monkeypatch.setenv("HTTPS_PROXY", "http://127.0.0.1:9")
    monkeypatch.setenv("NO_PROXY", but)
    async with scripted(reply()) as server:
        gone = server.url.replace("http", "https")
    async with client(gone) as http:
        with pytest.raises(Retryable, match="cannot be reached: Connection refused") as caught:
            await http.send(get(), body)
    assert ("HTTPS_PROXY is set, but syncd asks no proxy" in str(caught.value)) is said
