"""The way of a notice to its reader: a webhook or a mail, from a thread of its own; what fails is logged and forgotten."""

from __future__ import annotations

import http.client
import json
import queue
import smtplib
import ssl
import threading
from collections.abc import Callable
from email.message import EmailMessage
from typing import TYPE_CHECKING, Any
from urllib.parse import parse_qs, unquote, urlsplit

import structlog

from syncd.settings.service import Notice

if TYPE_CHECKING:
    from syncd.daemon.notices import Message

Post = Callable[["Notice", "Message"], None]
TIMEOUT = 10.0
MOST = 100
"""Messages that wait; what comes while so many do is dropped."""
log = structlog.get_logger("syncd")


class Postman:
    """Called, it returns at once; the thread lives and dies with the process."""

    def __init__(self) -> None:
        self._waiting: queue.Queue[tuple[Notice, Message]] = queue.Queue(MOST)
        self._thread = threading.Thread(target=self._deliver, name="syncd-notices", daemon=True)

    def __call__(self, notice: Notice, message: Message) -> None:
        if not self._thread.is_alive():
            self._thread.start()
        try:
            self._waiting.put_nowait((notice, message))
        except queue.Full:
            log.warning("notice dropped", event_of=message.event, connection=message.connection)

    def drain(self, seconds: float) -> None:
        """Wait a little for what was just said."""
        waiting = threading.Thread(target=self._waiting.join, daemon=True)
        waiting.start()
        waiting.join(seconds)

    def _deliver(self) -> None:
        while True:
            notice, message = self._waiting.get()
            try:
                send(notice, message)
            except Exception as error:
                log.warning("notice failed", topic=message.event, connection=message.connection, error=f"{type(error).__name__}: {error}")
            finally:
                self._waiting.task_done()


def send(notice: Notice, message: Message) -> None:
    """Raises OSError, an SMTP error, or ValueError for an answer that is no success."""
    if notice.format == "smtp":
        _mail(notice.url.get_secret_value(), message)
    else:
        _webhook(notice.url.get_secret_value(), _body(notice.format, message))


def _body(format: str, message: Message) -> dict[str, Any]:
    text = f"syncd ({message.instance}): {message.text}. `{message.command}`"
    if format == "slack":
        return {"text": text}
    return {
        "version": 1, "kind": "notice", "event": message.event, "instance": message.instance, "connection": message.connection,
        "count": message.count, "text": text, "command": message.command,
    }  # fmt: skip


def _webhook(url: str, body: dict[str, Any]) -> None:
    """No redirect is followed, no proxy asked: the address holds a secret."""
    parts = urlsplit(url)
    secure = parts.scheme == "https"
    kind = http.client.HTTPSConnection if secure else http.client.HTTPConnection
    door = kind(parts.hostname or "", parts.port, timeout=TIMEOUT)
    try:
        target = (parts.path or "/") + (f"?{parts.query}" if parts.query else "")
        door.request("POST", target, json.dumps(body), {"Content-Type": "application/json", "User-Agent": "syncd"})
        status = door.getresponse().status
    finally:
        door.close()
    if not 200 <= status < 300:
        raise ValueError(f"the answer was {status}")


def _mail(url: str, message: Message) -> None:
    """STARTTLS wherever the server offers it, and before any password."""
    parts = urlsplit(url)
    query, trusted = parse_qs(parts.query), ssl.create_default_context()
    mail = EmailMessage()
    mail["Subject"] = f"syncd ({message.instance}): {message.text}"
    mail["From"], mail["To"] = query["from"][0], ", ".join(query["to"])
    mail.set_content(f"{message.text}.\n\n  {message.command}\n")
    host, port = parts.hostname or "", parts.port or 0
    at_once = parts.scheme == "smtps"
    with smtplib.SMTP_SSL(host, port, timeout=TIMEOUT, context=trusted) if at_once else smtplib.SMTP(host, port, timeout=TIMEOUT) as door:
        if not at_once and ((door.ehlo()[0] == 250 and door.has_extn("starttls")) or parts.password):
            door.starttls(context=trusted)
        if parts.username:
            door.login(unquote(parts.username), unquote(parts.password or ""))
        door.send_message(mail)
