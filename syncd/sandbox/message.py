"""A request as an emulated provider reads it, and the answer it gives."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from urllib.parse import parse_qsl, unquote

from starlette.datastructures import Headers
from starlette.requests import Request
from starlette.types import Receive, Scope

JSON = "application/json"


@dataclass(slots=True)
class Answer:
    """What is sent back; ``status`` 0 = nothing is."""

    status: int
    body: bytes = b""
    media: str = JSON
    headers: dict[str, str] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class Shape:
    """Where faults find things in a provider's answers: the key of a list answer's records, a record's key field, and one of plain text."""

    collection: str
    key: str
    text: str


@dataclass(frozen=True, slots=True)
class Call:
    """``path`` as sent (still percent-encoded); ``params`` its decoded parts; ``base``: scheme and host by which the client reached us."""

    method: str
    path: str
    params: Mapping[str, str]
    query: Mapping[str, str]
    query_text: str
    headers: Headers
    body: bytes
    base: str

    @classmethod
    async def read(cls, scope: Scope, receive: Receive) -> Call:
        headers = Headers(scope=scope)
        host, port = scope["server"]
        query = scope["query_string"].decode("latin-1")
        return cls(
            method=scope["method"],
            path=scope["path"],
            params={name: unquote(value) for name, value in scope.get("path_params", {}).items()},
            query=dict(parse_qsl(query, keep_blank_values=True)),
            query_text=query,
            headers=headers,
            body=await Request(scope, receive).body(),
            base=f"{scope['scheme']}://{headers.get('host') or f'{host}:{port}'}",
        )
