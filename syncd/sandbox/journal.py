"""What an emulated provider writes down: every request it answered and every write it was asked for, its own view of the truth."""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any, NamedTuple


@dataclass(frozen=True, slots=True)
class WriteRecord:
    """A write that reached the directory, refused ones included; ``status`` is what was decided, even if the answer was lost.

    ``origin``: "http", or "local" for a write made by a test playing somebody else. ``sid`` is None where there is no account.
    ``webhook``: the request's X-Twilio-Webhook-Enabled header.
    """

    at: datetime
    method: str
    path: str
    sid: str | None
    identity: str | None
    status: int
    body: Mapping[str, Any]
    origin: str
    webhook: str | None = None


class RequestRecord(NamedTuple):
    """A request over HTTP; ``status`` 0 = it got no answer."""

    method: str
    path: str
    status: int
    operation: str = ""
    query: str = ""


@dataclass(frozen=True, slots=True)
class Note:
    """What is known of a write before it is decided; by default it is a local one."""

    method: str
    path: str
    body: Mapping[str, Any]
    origin: str = "local"
    webhook: str | None = None


@dataclass(slots=True)
class Journal:
    """Both lists, in order of happening. A request is noted before its answer is sent."""

    log: list[WriteRecord] = field(default_factory=list)
    requests: list[RequestRecord] = field(default_factory=list)

    def clear(self) -> None:
        self.log.clear()
        self.requests.clear()

    def counts(self) -> dict[str, int]:
        """Requests by operation and status, e.g. ``{"list 200": 3}``."""
        return dict(Counter(f"{one.operation} {one.status}" for one in self.requests))

    def write(self, note: Note, at: datetime, status: int, sid: str | None, identity: str | None) -> None:
        self.log.append(WriteRecord(at, note.method, note.path, sid, identity, status, note.body, note.origin, note.webhook))
