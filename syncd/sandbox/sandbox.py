"""The sandbox: emulated providers behind one address, with doors of its own under `/_sandbox` for tests in another process."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
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
from syncd.sandbox.faults import Fault, FaultPlan
from syncd.sandbox.gateway import Gateway, Traffic
from syncd.sandbox.twilio import Twilio


class Sandbox:
    """An ASGI application that plays the providers; `server.serve` puts it on the network.

    ``users``: how many made-up people the directory starts with; ``seed`` makes them, their ids and the chances of faults repeatable.
    ``latency``, ``per_second``, ``burst``, ``concurrency``: see `Traffic`; to be changed in `traffic`. ``faults``: a SPEC, see `faults`.
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
    ) -> None:
        self.environment = environment or Environment()
        self.traffic = Traffic(self.environment, latency, per_second, concurrency, burst)
        self.twilio = Twilio(self.environment, users, seed)
        self.appwrite = Appwrite(self.environment, users, seed)
        self.chatbotkit = ChatBotKit(self.environment, users, seed)
        self._spec, self._faults = faults, FaultPlan(faults, seed)
        gateway = Gateway(self.twilio, self.environment, self.traffic, self._faults)
        others = [Gateway(one, self.environment, self.traffic, self._faults) for one in (self.appwrite, self.chatbotkit)]
        doors = [
            Route("/_sandbox/state", self._show_state),
            Route("/_sandbox/faults", self._set_faults, methods=["POST"]),
            Route("/_sandbox/reset", self._reset, methods=["POST"]),
        ]
        routes = [route for one in others for route in one.router.routes]
        self._router = Router([*doors, *routes], redirect_slashes=False, default=gateway.router)

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Routes by the path as sent: an encoded slash belongs to an id."""
        await self._router({**scope, "path": scope["raw_path"].decode("latin-1")}, receive, send)

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
        self.twilio.list_lag = self.appwrite.list_lag = self.chatbotkit.list_lag = seconds

    def reset(self) -> None:
        """As at the start: users, lists of requests and writes, faults."""
        self.twilio.reset()
        self.appwrite.reset()
        self.chatbotkit.reset()
        self._faults.set(self._spec)

    def state(self) -> dict[str, Any]:
        """``{"services": {sid: [users]}, "log": [writes], "requests": {"list 200": n}}``; the others' with ``users``, below their names."""
        services = {sid: list(service.users.values()) for sid, service in self.twilio.services.items()}
        return {
            "services": services,
            "log": [asdict(one) for one in self.twilio.log],
            "requests": self.twilio.journal.counts(),
            "appwrite": {
                "users": list(self.appwrite.project.users.values()),
                "log": [asdict(one) for one in self.appwrite.log],
                "requests": self.appwrite.journal.counts(),
            },
            "chatbotkit": {
                "users": list(self.chatbotkit.parent.users.values()),
                "log": [asdict(one) for one in self.chatbotkit.log],
                "requests": self.chatbotkit.journal.counts(),
            },
        }

    def config_yaml(self, url: str, providers: Sequence[str] = ("twilio",)) -> str:
        """A config that points at this sandbox, as served at ``url``: a people file beside it as the source, the providers as targets."""
        targets = {
            "twilio": f"""\
  chat:
    connector: twilio
    base_url: {url}
    account_sid: {self.twilio.account_sid}
    auth_token: {self.twilio.auth_token}
    write: {{}}
""",
            "appwrite": f"""\
  app:
    connector: appwrite
    base_url: {url}/v1
    project: {self.appwrite.project_id}
    api_key: {self.appwrite.api_key}
    write: {{}}
""",
            "chatbotkit": f"""\
  bots:
    connector: chatbotkit
    base_url: {url}/v1
    secret: {self.chatbotkit.secret}
    write: {{}}
""",
        }
        return """\
version: 1
store: {url: sqlite:///sandbox.db}
connections:
  people:
    connector: file
    path: people.csv
    id: employeeNumber
    authoritative: true
""" + "".join(targets[name] for name in providers)

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
