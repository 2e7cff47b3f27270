"""A served Waii sandbox and a client of it that speaks the way the vendor's SDKs do."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from contextlib import ExitStack, contextmanager
from typing import Any

import httpx

from syncd.sandbox import Sandbox, serve
from syncd.sandbox.waii import Waii
from syncd.sandbox.waii_tree import HOME

CONTEXT = {"org_id": "", "user_id": "", "scope": "", "tags": None, "parameters": None}
"""What the vendor's SDKs put beside the rest; it says nothing."""


class Served:
    """A sandbox, and an HTTP client with its key."""

    def __init__(self, sandbox: Sandbox, client: httpx.Client) -> None:
        self.sandbox, self.client, self.waii, self.tree = sandbox, client, sandbox.waii, sandbox.waii.tree

    def send(self, operation: str, body: Any = None, **headers: str) -> httpx.Response:
        sent = {**(body or {}), **CONTEXT} if body is None or isinstance(body, Mapping) else body
        return self.client.post(f"/api/{operation}", json=sent, headers={name.replace("_", "-"): value for name, value in headers.items()})

    def said(self, operation: str, body: Any = None, **headers: str) -> tuple[int, Any]:
        """Status and ``detail`` of an error; status and the whole answer where it is none."""
        answer = self.send(operation, body, **headers)
        assert answer.headers["content-type"] == "application/json"
        document = answer.json()
        return answer.status_code, document.get("detail", document)

    def shown(self, operation: str, body: Any = None, **headers: str) -> list[str]:
        """Ids of a listing."""
        (records,) = self.send(operation, body, **headers).raise_for_status().json().values()
        return [one["id"] for one in records]


MakeServed = Callable[..., Served]


@contextmanager
def serving() -> Iterator[MakeServed]:
    """Makes sandboxes with the given options, all of them stopped at the end."""
    with ExitStack() as stack:

        def make(**options: Any) -> Served:
            sandbox = Sandbox(**options)
            url = stack.enter_context(serve(sandbox))
            headers = {"Authorization": f"Bearer {Waii.api_key}"}
            return Served(sandbox, stack.enter_context(httpx.Client(base_url=url, headers=headers, trust_env=False, timeout=10)))

        yield make


def as_role(one: Served, role: str, org_id: str = HOME) -> dict[str, str]:
    """The header of somebody with this role."""
    name = f"{role}@{org_id}"
    one.tree.create_user(name, org_id, roles=[role])
    return {"Authorization": f"Bearer {one.tree.create_key(name, 'main').access_key}"}
