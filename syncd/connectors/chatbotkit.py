"""ChatBotKit users of one parent account (ChatBotKit API v1, partner users; quirks as in the vendor's published server source)."""

from __future__ import annotations

import re
from typing import ClassVar, Literal

from pydantic import Field, SecretStr

from syncd.connectors.answer import Answer, NotFound, Problem, problem
from syncd.connectors.base import Options
from syncd.connectors.chatbotkit_table import CAPABILITY, table
from syncd.connectors.chatbotkit_writing import ChatBotKitWriting
from syncd.connectors.clock import skew
from syncd.connectors.http import Credentials, Http
from syncd.connectors.rooted import RootedOptions
from syncd.environment import Environment
from syncd.errors import Quarantined, Rejected, SyncdError
from syncd.model import Capability, Health, Rate

_OTHER = {"partner/user": "user", "user": "partner/user"}


def explain(answer: Answer) -> Problem:
    """LIMITS_REACHED is two things: a pace, to be waited for ("rate limits"), or a quota of the plan, which waiting does not raise."""
    told = problem(answer)
    if told.code == "LIMITS_REACHED" and "rate limits" not in told.message:
        return Problem("limits", told.message, final=True)
    return told


class ChatBotKitOptions(RootedOptions):
    """Keys of a ``connector: chatbotkit`` connection."""

    base_url: str = Field(default="https://api.chatbotkit.com/v1", description="the API root; on other hosts it ends in /api/v1")
    secret: SecretStr = Field(min_length=1, description="of the parent account")
    collection: Literal["partner/user", "user"] = Field(default="partner/user", description="where the users are: newer servers say user")

    account: str | None = Field(default=None, description="a name for the parent account, where two of them are at one base_url")

    def credentials(self) -> Credentials:
        return Credentials.bearer(self.secret.get_secret_value())

    def binding(self) -> dict[str, str]:
        """The secret alone says whose users they are, and it is changed now and then; both collections hold the same users."""
        return {"root": str(self.root()), **({} if self.account is None else {"account": self.account})}

    def capability(self) -> Capability:
        return CAPABILITY


class ChatBotKitConnector(ChatBotKitWriting):
    """Both halves, and `check`."""

    name: ClassVar[str] = "chatbotkit"
    summary: ClassVar[str] = "ChatBotKit partner users"
    options: ClassVar[type[Options]] = ChatBotKitOptions

    def __init__(self, options: ChatBotKitOptions, *, environment: Environment, rate: Rate, writable: bool) -> None:
        http = Http(options.root(), options.credentials(), environment=environment, rate=rate, writable=writable, explain=explain)
        super().__init__(http, table(options.collection), environment)
        self._collection = options.collection

    async def check(self) -> Health:
        """Lists one user: reach, secret, permission, collection and clock in one request."""
        call = self._table.listing.call
        request = self._request(call, {}, {}, f"{self._http.root.path}{call.path}?take=1")
        try:
            date = await self._http.send(request, self._dated)
        except Quarantined as error:
            return Health(False, {"read": False}, (f"{error}: check the secret, which must be the parent account's",))
        except Rejected as error:
            return Health(False, {}, (f"{error}{self._elsewhere(error)}",))
        except SyncdError as error:
            return Health(False, {}, (str(error),))
        wrong = skew(self._environment, date, "ChatBotKit")
        return Health(not wrong, {"read": True}, (wrong,) if wrong else ())

    def _dated(self, answer: Answer) -> str | None:
        self._pages.decode(answer.body)
        return answer.headers.get("date")

    def _elsewhere(self, error: Rejected) -> str:
        absent = isinstance(error, NotFound) or re.search(r": 405\b", str(error))
        cure = f": check base_url, which ends in /v1 or /api/v1, or say `collection: {_OTHER[self._collection]}`"
        return cure if absent else ""
