"""What a person is told: once until it is over, counts and commands alone, and never at the cost of a cycle."""

from __future__ import annotations

import http.server
import json
import socketserver
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from smtplib import SMTPException
from typing import Any

import pytest
from pydantic import SecretStr

from syncd.daemon.notices import Message
from syncd.daemon.posting import MOST, Postman, send
from syncd.errors import Retryable, Unauthorized
from syncd.settings.service import Notice
from tests.daemon.conftest import MakeDesk
from tests.daemon.test_failing import broken

NOTIFY = "notify: [{{url: 'https://hooks.example/T0/secret', format: slack{on}}}]"
HELD = Message("held", "prod", "chat", "chat: 3 held for you", "syncd held list", 3)


@pytest.mark.anyio
async def test_what_is_held_is_said_once_until_it_is_over(desk: MakeDesk) -> None:
    one = desk(more=NOTIFY.format(on=""))
    one.hire(1, 2)
    await one.wait(minutes=30, step=10)
    one.restart()
    await one.wait(minutes=30, step=10)
    assert [(m.event, m.connection, m.count, m.command) for m in one.told] == [("held", "app", 2, "syncd held list")]
    one.release()
    await one.wait(minutes=6, step=10)
    assert one.events() == ["held", "recovered"] and one.told[-1].text == "app: recovered (held)"
    one.hire()
    await one.wait(minutes=6, step=10)
    assert one.events() == ["held", "recovered", "held"], "what comes again is said again"
    assert not any("corp.example" in repr(message) or "Person" in repr(message) for message in one.told)


@pytest.mark.anyio
async def test_only_what_was_asked_for_is_told(desk: MakeDesk) -> None:
    one = desk(more=NOTIFY.format(on=", on: [failed, recovered]"))
    one.hire(1)
    await one.wait(minutes=10, step=10)
    assert one.told == []


@pytest.mark.anyio
async def test_one_failure_is_not_worth_a_word_and_two_are(desk: MakeDesk) -> None:
    one = desk(more=NOTIFY.format(on=""))
    await one.settle(1)
    one.told.clear()
    one.directory.fail_next("list", Retryable("not now"))
    await one.wait(minutes=10, step=5)
    assert one.told == []
    broken(one, Retryable("cannot be reached"))
    await one.wait(hours=2, step=30)
    assert one.events() == ["failed", "stale"]
    one.directory.calm()
    await one.wait(minutes=16, step=10)
    assert one.events()[-1] == "recovered" and "failed" in one.told[-1].text


@pytest.mark.anyio
async def test_refused_credentials_have_a_word_of_their_own(desk: MakeDesk) -> None:
    one = desk(more=NOTIFY.format(on=""))
    await one.settle(1)
    one.told.clear()
    broken(one, Unauthorized("401"))
    await one.wait(minutes=20, step=10)
    assert (one.events(), one.told[0].command) == (["credentials"], "syncd check")


@pytest.fixture
def hook() -> Iterator[Any]:
    """A webhook: what was posted to it, and with which status it answers."""

    class Hook(http.server.BaseHTTPRequestHandler):
        def do_POST(self) -> None:
            server: Any = self.server
            server.posted.append((self.path, json.loads(self.rfile.read(int(self.headers["Content-Length"])))))
            self.send_response(server.status)
            self.send_header("Location", "/elsewhere")
            self.send_header("Content-Length", "0")
            self.end_headers()

        def log_message(self, *given: Any) -> None:
            """Nothing is printed."""

    with http.server.HTTPServer(("127.0.0.1", 0), Hook) as server:
        made: Any = server
        made.posted, made.status = [], 200
        thread = threading.Thread(target=server.serve_forever, daemon=True)
        thread.start()
        made.url = f"http://127.0.0.1:{server.server_address[1]}/services/T0?x=1"
        yield made
        server.shutdown()
        thread.join()


def notice(url: str, format: str) -> Notice:
    return Notice.model_validate({"url": SecretStr(url), "format": format})


def test_slack_and_json(hook: Any) -> None:
    send(notice(hook.url, "slack"), HELD)
    send(notice(hook.url, "json"), HELD)
    text = "syncd (prod): chat: 3 held for you. `syncd held list`"
    assert hook.posted == [
        ("/services/T0?x=1", {"text": text}),
        ("/services/T0?x=1", {
            "version": 1, "kind": "notice", "event": "held", "instance": "prod", "connection": "chat", "count": 3, "text": text,
            "command": "syncd held list",
        }),
    ]  # fmt: skip


@pytest.mark.parametrize("status", [302, 404, 500])
def test_an_answer_that_is_no_success_is_a_failure_and_no_redirect_is_followed(hook: Any, status: int) -> None:
    hook.status = status
    with pytest.raises(ValueError, match=f"the answer was {status}"):
        send(notice(hook.url, "json"), HELD)
    assert len(hook.posted) == 1


@contextmanager
def mailbox(*offers: str) -> Iterator[tuple[str, list[str]]]:
    """A mail server for one connection: its HOST:PORT, and the lines it was told; ``offers``: its extensions."""
    said: list[str] = []

    class Door(socketserver.StreamRequestHandler):
        def handle(self) -> None:
            self.wfile.write(b"220 here\r\n")
            body = False
            for raw in self.rfile:
                line = raw.decode().rstrip()
                said.append(line)
                if not body or line == ".":
                    body = line.lower() == "data"
                    self.wfile.write(self.reply(line.lower()).encode())

        def reply(self, line: str) -> str:
            if line.startswith("ehlo"):
                return "".join(f"250-{offer}\r\n" for offer in offers) + "250 here\r\n"
            return {"data": "354 go on\r\n", "quit": "221 bye\r\n"}.get(line, "250 ok\r\n")

    with socketserver.TCPServer(("127.0.0.1", 0), Door) as server:
        thread = threading.Thread(target=server.handle_request, daemon=True)
        thread.start()
        yield f"127.0.0.1:{server.server_address[1]}", said
        thread.join(10)


def test_a_mail() -> None:
    """Over plain SMTP, where the server offers nothing better and no password is at stake."""
    with mailbox() as (address, said):
        send(notice(f"smtp://{address}?from=syncd@corp.example&to=a@corp.example&to=b@corp.example", "smtp"), HELD)
    assert "Subject: syncd (prod): chat: 3 held for you" in said and "To: a@corp.example, b@corp.example" in said
    assert [line.lower() for line in said if line.lower().startswith("rcpt")] == ["rcpt to:<a@corp.example>", "rcpt to:<b@corp.example>"]


def test_a_password_leaves_over_no_plain_connection() -> None:
    with mailbox("AUTH PLAIN LOGIN") as (address, said), pytest.raises(SMTPException, match="STARTTLS"):
        send(notice(f"smtp://who:secret@{address}?from=a@x.example&to=b@x.example", "smtp"), HELD)
    assert not any(line.lower().startswith("auth") for line in said)


def test_nobody_waits_for_a_reader_that_does_not_answer() -> None:
    """What fails is dropped; so is what comes while too much waits."""
    postman, nobody = Postman(), notice("http://127.0.0.1:1/", "json")
    for _ in range(3 * MOST):
        postman(nobody, HELD)
    postman.drain(10)
