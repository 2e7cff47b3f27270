"""The sandbox: emulated providers behind one address, with doors of its own under `/_sandbox` for tests in another process."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import asdict
from typing import Any

import orjson
from starlette.requests import Request
from starlette.responses import PlainTextResponse, Response
from starlette.routing import Route, Router
from starlette.types import Receive, Scope, Send

from syncd.environment import Environment
from syncd.sandbox.appwrite import Appwrite
from syncd.sandbox.chatbotkit import ChatBotKit
from syncd.sandbox.emulated import Emulated
from syncd.sandbox.faults import Fault, FaultPlan
from syncd.sandbox.gateway import Gateway, Traffic, application
from syncd.sandbox.twilio import Twilio
from syncd.sandbox.waii import Waii

CONFIG = """\
version: 1
store: {url: sqlite:///sandbox.db}
connections:
  people:
    connector: file
    path: people.csv
    id: employeeNumber
    authoritative: true
"""


class Sandbox:
    """An ASGI application that plays the providers; `server.serve` puts it on the network.

    ``users``: how many made-up people the directory starts with; ``seed`` makes them, their ids and the chances of faults repeatable.
    ``latency``, ``per_second``, ``burst``, ``concurrency``: see `Traffic`; to be changed in `traffic`. ``faults``: a SPEC, see `faults`.
    ``only``: the providers that are served, by default all.
    """

    def __init__(
        self,
        environment: Environment | None = None,
        *,
        users: int = 0,
        seed: int = 0,
        latency: float = 0.0,
        per_second: float | None = None,
        concurrency: int | None = None,
        faults: str = "",
        burst: float = 1.0,
        only: Sequence[str] = (),
    ) -> None:
        self.environment = environment or Environment()
        self.traffic = Traffic(self.environment, latency, per_second, concurrency, burst)
        self.twilio = Twilio(self.environment, users, seed)
        self.appwrite = Appwrite(self.environment, users, seed)
        self.chatbotkit = ChatBotKit(self.environment, users, seed)
        self.waii = Waii(self.environment, users, seed)
        self._spec, self._faults = faults, FaultPlan(faults, seed)
        self.providers: Mapping[str, Emulated] = {
            "twilio": self.twilio, "appwrite": self.appwrite, "chatbotkit": self.chatbotkit, "waii": self.waii,
        }  # fmt: skip
        self._application = application(self._routed([name for name in self.providers if not only or name in only]))

    def _routed(self, names: Sequence[str]) -> Router:
        """Paths tell the providers apart; what no path knows is answered by the first of them."""
        doors = [
            Route("/_sandbox/state", self._show_state),
            Route("/_sandbox/faults", self._set_faults, methods=["POST"]),
            Route("/_sandbox/reset", self._reset, methods=["POST"]),
        ]
        first, *others = [Gateway(self.providers[name], self.environment, self.traffic, self._faults).router for name in names]
        return Router([*doors, *(route for one in others for route in one.routes)], redirect_slashes=False, default=first)

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        await self._application(scope, receive, send)

    @property
    def faults(self) -> FaultPlan:
        return self._faults

    @faults.setter
    def faults(self, faults: str | Iterable[Fault]) -> None:
        self._faults.set(faults)

    @property
    def list_lag(self) -> float:
        """Seconds for which listings do not show what was created, and still show what was deleted."""
        return self.twilio.list_lag

    @list_lag.setter
    def list_lag(self, seconds: float) -> None:
        for one in self.providers.values():
            one.list_lag = seconds

    def reset(self) -> None:
        """As at the start: users, lists of requests and writes, faults."""
        for one in self.providers.values():
            one.reset()
        self._faults.set(self._spec)

    def state(self) -> dict[str, Any]:
        """Provider -> what it holds, with ``log`` (its writes) and ``requests`` (``{"list 200": n}``)."""
        return {
            name: {**one.holds(), "log": [asdict(each) for each in one.journal.log], "requests": one.journal.counts()}
            for name, one in self.providers.items()
        }

    def config_yaml(self, url: str, providers: Sequence[str] = ()) -> str:
        """A config that points at this sandbox, as served at ``url``: a people file beside it as the source, the providers as targets."""
        return CONFIG + "".join(one.config(url) for name, one in self.providers.items() if not providers or name in providers)

    async def _show_state(self, request: Request) -> Response:
        return Response(orjson.dumps(self.state()), media_type="application/json")

    async def _set_faults(self, request: Request) -> Response:
        spec = (await request.body()).decode("utf-8", "replace")
        try:
            self._faults.set(spec)
        except ValueError as error:
            return PlainTextResponse(f"{error}\n", 400)
        return Response(status_code=204)

    async def _reset(self, request: Request) -> Response:
        self.reset()
        return Response(status_code=204)
