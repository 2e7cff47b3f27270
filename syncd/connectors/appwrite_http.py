"""What every request to Appwrite has in common: the pinned response format, its error bodies, its way to say when to come back."""

from __future__ import annotations

import asyncio
import re
from collections.abc import Callable
from dataclasses import replace
from datetime import UTC, datetime
from email.utils import format_datetime
from typing import Any, TypeVar

import orjson

from syncd.connectors.answer import Answer, NotFound, Problem, problem
from syncd.connectors.http import Credentials, Http, Request
from syncd.connectors.retry import Malformed
from syncd.connectors.url import Root
from syncd.environment import Environment
from syncd.errors import Quarantined
from syncd.model import Rate

T = TypeVar("T")
DIALECTS = ("1.5", "1.6", "1.7", "1.8")
FORMAT = "X-Appwrite-Response-Format"
WARNING = "x-appwrite-warning"
_NO_LISTING = "queries%5B0%5D=version&limit=version"


def explain(answer: Answer) -> Problem:
    """``{message, code, type, version}``: the type says what the code only repeats of the status."""
    told = problem(answer)
    return told._replace(code=_member(answer, "type") or told.code)


class AppwriteHttp(Http):
    """``dialect``: one of `DIALECTS`, or None: asked for once, before the first request, unless it is `recall`ed from an earlier time.

    Every request says its response format, which the server's filters then keep: without it, an upgrade changes the answers.
    """

    def __init__(
        self, root: Root, credentials: Credentials, *, environment: Environment, rate: Rate, writable: bool, dialect: str | None
    ) -> None:
        super().__init__(root, credentials, environment=environment, rate=rate, writable=writable, explain=explain)
        self._dialect, self._asking = dialect, asyncio.Lock()
        self._asks, self._recalled = dialect is None, False

    @property
    def found(self) -> str | None:
        """The dialect that was asked for, or recalled and not contradicted; None where there is nothing to remember."""
        return self._dialect if self._asks else None

    def recall(self, dialect: str) -> None:
        """The server spoke it before: it is not asked again, unless an answer contradicts."""
        if self._asks and self._dialect is None and dialect in DIALECTS:
            self._dialect, self._recalled = dialect, True

    async def dialect(self) -> str:
        """Raises Quarantined for a server older than all of them."""
        async with self._asking:
            if self._dialect is None:
                self._dialect = await self._ask()
            return self._dialect

    async def send(self, request: Request, decode: Callable[[Answer], T]) -> T:
        """As `Http.send`; a project that is not there stops the whole connection."""
        pinned = replace(request, headers={FORMAT: f"{await self.dialect()}.0", **request.headers})
        try:
            return await super().send(pinned, decode)
        except NotFound as error:
            if error.code == "project_not_found":
                raise Quarantined(str(error)) from error
            raise

    async def _ask(self) -> str:
        """Every refusal names the server's version, and this is a listing to none of them: `queries` took functions, then JSON; before 1.0
        ``limit`` was a number of its own."""
        probe = Request("GET", f"{self.root.path}/users?{_NO_LISTING}", "GET /users", success=frozenset({400, 401, 403, 404}))
        version = await super().send(probe, _version)
        numbers = _numbers(version)
        if len(numbers) < 2:
            raise Quarantined(f"the server names {version[:40]!r} as its version: say in `dialect` which one it speaks")
        if numbers < (1, 5):
            raise Quarantined(f"the server is Appwrite {version[:40]}, and dialects before {DIALECTS[0]} have not arrived yet")
        return _dialect(numbers)

    async def _on_the_wire(self, request: Request, attempt: Any, fresh: bool) -> Answer:
        """A refusal for pace says when to come back as an instant of its own (unix seconds), never as Retry-After."""
        answer = await super()._on_the_wire(request, attempt, fresh)
        if self._recalled and _contradicts(answer, self._dialect):
            self._dialect, self._recalled = None, False
        reset = answer.headers.get("x-ratelimit-reset", "")
        if answer.status != 429 or "retry-after" in answer.headers or not re.fullmatch("[0-9]{1,11}", reset):
            return answer
        return replace(
            answer, headers={**answer.headers, "retry-after": format_datetime(datetime.fromtimestamp(int(reset), UTC), usegmt=True)}
        )


def _contradicts(answer: Answer, dialect: str | None) -> bool:
    """The server warns of a format newer than itself, and names its version in every refusal."""
    version = None if answer.status < 400 else _member(answer, "version")
    return WARNING in answer.headers or (version is not None and _dialect(_numbers(version)) != dialect)


def _numbers(version: str) -> tuple[int, ...]:
    return tuple(map(int, re.findall("[0-9]+", version)[:2]))


def _dialect(numbers: tuple[int, ...]) -> str:
    """That of a version; the newest for one that is newer than all."""
    return next((one for one in DIALECTS if one == ".".join(map(str, numbers))), DIALECTS[-1])


def _version(answer: Answer) -> str:
    version = _member(answer, "version")
    if version is None:
        raise Malformed("the answer does not name the server's version: is base_url the API's root, ending in /v1?")
    return version


def _member(answer: Answer, name: str) -> str | None:
    try:
        body = orjson.loads(answer.body)
    except ValueError:
        return None
    value = body.get(name) if isinstance(body, dict) else None
    return value if isinstance(value, str) and value else None
