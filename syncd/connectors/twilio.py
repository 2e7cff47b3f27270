"""Twilio Conversations users, of the account's default service or of a named one (Twilio API documentation, Conversations v1)."""

from __future__ import annotations

import re
from collections.abc import Mapping
from datetime import timedelta
from typing import Any, ClassVar, Self

from pydantic import Field, SecretStr, field_validator, model_validator

from syncd.connectors.answer import Answer, NotFound
from syncd.connectors.base import Options
from syncd.connectors.http import Credentials, Http, Request
from syncd.connectors.rest import RestConnector
from syncd.connectors.retry import http_date
from syncd.connectors.rooted import RootedOptions
from syncd.connectors.tables import Call, Listing, NextUrl, Table
from syncd.environment import Environment
from syncd.errors import Quarantined, SyncdError
from syncd.model import AttributeSpec, Capability, Health, Mutability, Rate

PAGE_SIZE = 50
"""The documented maximum since 2025-06-12."""
SKEW = 300.0
"""Seconds by which the clocks may differ before `check` complains."""
_SIDS = {"account_sid": "AC", "service_sid": "IS", "api_key_sid": "SK"}
_WRITES = {"identity": "userName", "friendly_name": "displayName", "attributes.externalId": "externalId"}
_SPECS = (
    AttributeSpec("sid", mutability=Mutability.READ_ONLY),
    AttributeSpec("identity", mutability=Mutability.IMMUTABLE, limit=256, trusted=True),
    AttributeSpec("friendly_name", limit=256),
    AttributeSpec("role_sid", limit=34),
    AttributeSpec("attributes", "object", limit=4096),  # chat users may edit their own; the limit is that of participants
    AttributeSpec("chat_service_sid", mutability=Mutability.READ_ONLY),
)
CAPABILITY = Capability(
    attributes={spec.name: spec for spec in _SPECS},
    key="identity",
    marker="attributes.syncd",
    directory={"service": "chat_service_sid"},
    resumes=timedelta(hours=1),  # a page's token is a client's state, and nobody says for how long it is good
    write_defaults=_WRITES,
    read_defaults={canonical: path for path, canonical in _WRITES.items()},
)
_UPDATE = {"friendly_name": "FriendlyName", "attributes": "Attributes", "role_sid": "RoleSid"}


def table(service_sid: str | None) -> Table:
    """The same five operations stand below ``/v1/Users`` and below each service; ``{Sid}`` there is a sid or an identity."""
    users = f"/v1/Services/{service_sid}/Users" if service_sid else "/v1/Users"
    fetch = Call("GET", users + "/{id}")
    return Table(
        capability=CAPABILITY,
        id="sid",
        version="date_updated",
        json_text=frozenset({"attributes"}),
        listing=Listing(Call("GET", users), "users", NextUrl("meta", "next_page_url", "PageToken"), f"PageSize={PAGE_SIZE}"),
        fetch=fetch,
        lookups={"identity": Call("GET", users + "/{value}")},
        create=Call("POST", users, {"identity": "Identity", **_UPDATE}, success=frozenset({201})),
        updates=(Call("POST", users + "/{id}", _UPDATE, repeatable=True),),
        delete=Call("DELETE", users + "/{id}", success=frozenset({204}), repeatable=True),
        gone=frozenset({"20404"}),
    )


class TwilioOptions(RootedOptions):
    """Keys of a ``connector: twilio`` connection. One pair of credentials: ``auth_token``, or ``api_key_sid`` with ``api_key_secret``."""

    UNSEEN: ClassVar[frozenset[str]] = RootedOptions.UNSEEN | {"webhooks"}

    base_url: str = "https://conversations.twilio.com"
    account_sid: str
    auth_token: SecretStr | None = None
    api_key_sid: str | None = None
    api_key_secret: SecretStr | None = None
    service_sid: str | None = Field(default=None, description="IS...; absent: the account's default service")
    webhooks: bool = Field(default=False, description="let Twilio call webhooks for what syncd changes")

    @field_validator(*_SIDS)
    @classmethod
    def _sid(cls, value: str | None, info: Any) -> str | None:
        prefix = _SIDS[info.field_name]
        if value is not None and not re.fullmatch(prefix + "[0-9a-fA-F]{32}", value):
            raise ValueError(f"must be {prefix} and 32 hexadecimal digits")
        return value

    @model_validator(mode="after")
    def _whole(self) -> Self:
        if (self.api_key_sid is None) != (self.api_key_secret is None):
            raise ValueError("api_key_sid and api_key_secret belong together")
        if (self.auth_token is None) == (self.api_key_sid is None):
            raise ValueError("say either auth_token, or api_key_sid and api_key_secret")
        return self

    def credentials(self) -> Credentials:
        if self.api_key_sid and self.api_key_secret:
            return Credentials.basic(self.api_key_sid, self.api_key_secret.get_secret_value())
        return Credentials.basic(self.account_sid, self.auth_token.get_secret_value() if self.auth_token else "")

    def binding(self) -> dict[str, str]:
        """Which service the default one is, only its users tell."""
        service = {"service": self.service_sid} if self.service_sid else {}
        return {"root": str(self.root()), "account": self.account_sid, **service}

    def capability(self) -> Capability:
        return CAPABILITY


class TwilioConnector(RestConnector):
    """The table, and what it cannot say: the webhook header and `check`."""

    name: ClassVar[str] = "twilio"
    summary: ClassVar[str] = "Twilio Conversations users"
    options: ClassVar[type[Options]] = TwilioOptions

    def __init__(self, options: TwilioOptions, *, environment: Environment, rate: Rate, writable: bool) -> None:
        http = Http(options.root(), options.credentials(), environment=environment, rate=rate, writable=writable)
        super().__init__(http, table(options.service_sid), environment)
        self._options = options

    def headers(self, call: Call) -> Mapping[str, str]:
        """Without the header no webhook is called for a change made over the API, so syncd hears no echo of itself."""
        return {"X-Twilio-Webhook-Enabled": "true"} if self._options.webhooks and call.method != "GET" else {}

    async def check(self) -> Health:
        """Reads one user of one page: reach, credentials, service and clock in one request."""
        call = self._table.listing.call
        request = Request("GET", f"{self._http.root.path}{call.path}?PageSize=1", f"GET {call.path}")
        try:
            date = await self._http.send(request, self._dated)
        except Quarantined as error:
            return Health(False, {"read": False}, (f"{error}: check account_sid and its auth_token or API key",))
        except NotFound as error:
            return Health(False, {"read": False}, (f"{error}: check base_url and service_sid",))
        except SyncdError as error:
            return Health(False, {}, (str(error),))
        problem = self._skew(date)
        return Health(not problem, {"read": True}, (problem,) if problem else ())

    def _dated(self, answer: Answer) -> str | None:
        self._page(answer)
        return answer.headers.get("date")

    def _skew(self, date: str | None) -> str:
        theirs = http_date(date) if date else None
        seconds = (self._environment.now() - theirs).total_seconds() if theirs else 0.0
        if abs(seconds) <= SKEW:
            return ""
        return f"this machine's clock is {abs(seconds):,.0f} s {'ahead of' if seconds > 0 else 'behind'} Twilio's: set it by NTP"
