"""A sandbox on loopback, a client with its credentials, and a clock that only tests move."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import ExitStack
from datetime import UTC, datetime, timedelta
from typing import Any

import httpx
import pytest

from syncd.environment import Environment
from syncd.sandbox import Sandbox, serve

from .waii_served import MakeServed, serving


class Clock(Environment):
    """Time stands still until `advance`; what is slept through is counted, not waited for."""

    def __init__(self) -> None:
        super().__init__(seed=0)
        self.elapsed = 0.0
        self.slept: list[float] = []

    def now(self) -> datetime:
        return datetime(2026, 1, 1, 12, 0, 0, 999_000, tzinfo=UTC) + timedelta(seconds=self.elapsed)

    def monotonic(self) -> float:
        return self.elapsed

    async def sleep(self, seconds: float) -> None:
        self.slept.append(seconds)

    def advance(self, seconds: float) -> None:
        self.elapsed += seconds


class Tenant:
    """A served sandbox and a client of it; a test reads the directory's truth on ``sandbox`` and speaks HTTP with the rest."""

    def __init__(self, sandbox: Sandbox, url: str, client: httpx.Client) -> None:
        self.sandbox, self.url, self.client = sandbox, url, client

    def get(self, path: str) -> httpx.Response:
        return self.client.get(path)

    def post(self, path: str, **fields: str) -> httpx.Response:
        return self.client.post(path, data=fields)

    def walk(self, path: str = "/v1/Users?PageSize=50", most: int = 20) -> list[list[str]]:
        """The identities of each page, following next_page_url to its end, or for ``most`` pages."""
        pages: list[list[str]] = []
        following: str | None = path
        while following and len(pages) < most:
            document = self.get(following).raise_for_status().json()
            pages.append([one["identity"] for one in document["users"]])
            following = document["meta"]["next_page_url"]
        return pages


Make = Callable[..., Tenant]


@pytest.fixture
def tenant() -> Iterator[Make]:
    """Makes a `Tenant` of a sandbox with the given options."""
    with ExitStack() as stack:

        def make(**options: Any) -> Tenant:
            sandbox = Sandbox(**options)
            url = stack.enter_context(serve(sandbox))
            auth = (sandbox.twilio.account_sid, sandbox.twilio.auth_token)
            client = stack.enter_context(httpx.Client(base_url=url, auth=auth, trust_env=False, timeout=10))
            return Tenant(sandbox, url, client)

        yield make


@pytest.fixture
def clock() -> Clock:
    return Clock()


@pytest.fixture
def waii() -> Iterator[MakeServed]:
    """Makes a served Waii with the given options of a sandbox."""
    with serving() as make:
        yield make
