"""Where requests go: only to the configured address, whatever an answer says; and when nobody is there, the next run is in time."""

from __future__ import annotations

import socket
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import pytest

from syncd.sandbox import Sandbox, serve
from syncd.sandbox.faults import ALWAYS, Fault
from tests.end_to_end.conftest import MakeOffice
from tests.end_to_end.office import Office, result
from tests.world import Clock

pytestmark = [pytest.mark.anyio, pytest.mark.usefixtures("small_pages")]


@contextmanager
def elsewhere() -> Iterator[int]:
    """The port of a second server, to which nobody ever connects: it receives not one byte."""
    with socket.create_server(("127.0.0.1", 0)) as listener:
        listener.setblocking(False)
        yield int(listener.getsockname()[1])
        with pytest.raises(BlockingIOError):
            listener.accept()


ELSEWHERE = {
    "host": "http://localhost:{own}",
    "host behind ours": "http://127.0.0.1.directory.invalid:{other}",
    "port": "http://127.0.0.1:{other}",
    "scheme": "https://127.0.0.1:{own}",
    "scheme and port": "https://127.0.0.1:{other}",
    "userinfo": "http://somebody:secret@127.0.0.1:{own}",
    "userinfo like our host": "http://127.0.0.1:{own}@127.0.0.1:{other}",
    "no scheme": "//127.0.0.1:{other}",
    "backslash": "http://127.0.0.1:{other}\\@127.0.0.1:{own}",
    "unreadable port": "http://127.0.0.1:99999999",
    "path": "http://127.0.0.1:{own}/elsewhere/..",
}


@pytest.mark.parametrize("address", ELSEWHERE.values(), ids=ELSEWHERE)
async def test_a_next_page_elsewhere_is_never_asked_for(make_office: MakeOffice, address: str) -> None:
    one = await make_office().opened()
    own = one.config.read_text().split("base_url: http://127.0.0.1:")[1].split()[0]
    with elsewhere() as other:
        one.sandbox.faults = [Fault("foreign", "list", times=ALWAYS, url=address.format(own=own, other=other))]
        report = await one.run()
        assert "the next page's address" in result(report).error
        assert one.asked("list") == 1 and one.deletions() == []
    await one.recovers()


@pytest.mark.parametrize(("operation", "status"), [("list", 301), ("list", 307), ("create", 307), ("update", 308), ("delete", 303)])
async def test_a_redirect_is_never_followed_and_the_credentials_stay_here(make_office: MakeOffice, operation: str, status: int) -> None:
    one = await make_office().opened()
    with elsewhere() as other:
        one.sandbox.faults = [Fault("redirect", operation, times=ALWAYS, status=status, url=f"http://127.0.0.1:{other}")]
        report = await one.run()
        told = result(report).error or one.pending()[0][2]
        assert f"{status} is a redirect, which is never followed" in told
    await one.recovers()


async def test_a_provider_that_refuses_connections_is_tried_again_in_the_next_run(tmp_path: Path) -> None:
    clock = Clock()
    sandbox = Sandbox(clock)
    with serve(sandbox) as url:
        one = await Office(tmp_path, sandbox, url, clock).opened()
    report = await one.run()
    assert result(report).error == f"GET /v1/Users: {url} cannot be reached: Connection refused"
    assert result(report).requests == 0
    with serve(sandbox, port=int(url.rpartition(":")[2])):
        await one.recovers()


async def test_a_name_that_does_not_resolve_is_tried_again_in_the_next_run(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    known = {"chat.localhost"}
    resolve = socket.getaddrinfo

    def resolved(host: str, *rest: Any, **more: Any) -> Any:
        if host not in known:
            raise socket.gaierror(socket.EAI_NONAME, "Name or service not known")
        return resolve("127.0.0.1", *rest, **more)

    clock = Clock()
    sandbox = Sandbox(clock)
    with serve(sandbox) as url:
        monkeypatch.setattr(socket, "getaddrinfo", resolved)
        one = await Office(tmp_path, sandbox, url.replace("127.0.0.1", "chat.localhost"), clock).opened()
        known.clear()
        report = await one.run()
        assert "cannot be reached: [Errno -2] Name or service not known" in result(report).error
        assert one.twilio.requests == []
        known.add("chat.localhost")
        await one.recovers()


async def test_no_byte_in_the_clear_leaves_where_tls_was_configured(tmp_path: Path) -> None:
    """The server at the other end speaks no TLS."""
    clock = Clock()
    sandbox = Sandbox(clock)
    with serve(sandbox) as url:
        one = Office(tmp_path, sandbox, url.replace("http://", "https://"), clock)
        one.employ([("e1", "p1@corp.example", "Person 1", "Support")])
        report = await one.run()
    assert "SSL" in result(report).error and "cannot be reached" in result(report).error
    assert one.twilio.requests == []
