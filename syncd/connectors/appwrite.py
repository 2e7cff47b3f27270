"""Appwrite users of one project, API versions 1.5 to 1.8 (Appwrite API reference, users; quirks as in the source of 1.9.6)."""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from typing import Any, ClassVar, Literal

from pydantic import Field, SecretStr, field_validator

from syncd.connectors.answer import Answer, NotFound
from syncd.connectors.appwrite_http import DIALECTS, WARNING, AppwriteHttp
from syncd.connectors.appwrite_listing import Got, Walk, addressed, query
from syncd.connectors.appwrite_table import CAPABILITY, MARK, TABLE, Users
from syncd.connectors.appwrite_writing import AppwriteWriting
from syncd.connectors.base import Options
from syncd.connectors.clock import skew
from syncd.connectors.http import Credentials, Request
from syncd.connectors.rooted import RootedOptions
from syncd.connectors.tables import fitting
from syncd.environment import Environment
from syncd.errors import Quarantined, SyncdError
from syncd.model import Account, Capability, Cursor, Health, Page, Rate, Watermark

_FOUND_BY: Mapping[str, tuple[str, str]] = {MARK: ("contains", "labels"), "email": ("equal", "email"), "phone": ("equal", "phone")}
"""Attribute -> method and attribute of the query that finds its holders."""
_SCOPES = ("users.read", "users.write")


class AppwriteOptions(RootedOptions):
    """Keys of a ``connector: appwrite`` connection. ``api_key`` needs the scopes users.read and, to be written to, users.write."""

    UNSEEN: ClassVar[frozenset[str]] = RootedOptions.UNSEEN | {"page_size"}

    base_url: str = "https://cloud.appwrite.io/v1"
    project: str = Field(min_length=1, pattern=r"^[a-zA-Z0-9][a-zA-Z0-9._-]*$")
    api_key: SecretStr
    dialect: Literal["auto", "1.5", "1.6", "1.7", "1.8"] = Field(default="auto", description="API version; auto: asked of the server")
    page_size: int = Field(default=100, ge=1, le=1000, description="users of one page; more than 100 where the server allows it")

    @field_validator("dialect", mode="before")
    @classmethod
    def _arrived(cls, value: Any) -> Any:
        """YAML reads 1.8 as a number."""
        text = str(value) if isinstance(value, int | float) else value
        if isinstance(text, str) and re.fullmatch(r"(0\.[0-9]{1,2}|1\.[0-4])", text):
            raise ValueError(f"{text} has not arrived yet; there are auto, {', '.join(DIALECTS)}")
        return text

    def credentials(self) -> Credentials:
        key = self.api_key.get_secret_value()
        return Credentials({"X-Appwrite-Project": self.project, "X-Appwrite-Key": key}, (key,))

    def binding(self) -> dict[str, str]:
        return {"root": str(self.root()), "project": self.project}

    def capability(self) -> Capability:
        return CAPABILITY


class AppwriteConnector(AppwriteWriting):
    """The table, and what it cannot say: listings by user, look-ups by query, many requests for one change, and `check`."""

    name: ClassVar[str] = "appwrite"
    summary: ClassVar[str] = "Appwrite users"
    options: ClassVar[type[Options]] = AppwriteOptions

    def __init__(self, options: AppwriteOptions, *, environment: Environment, rate: Rate, writable: bool) -> None:
        dialect = None if options.dialect == "auto" else options.dialect
        http = AppwriteHttp(
            options.root(), options.credentials(), environment=environment, rate=rate, writable=writable, dialect=dialect
        )  # fmt: skip
        super().__init__(http, TABLE, environment)
        self._reader, self._door = Users(TABLE), http
        self._walk = Walk(self._ask, options.page_size)

    @property
    def language(self) -> str | None:
        return self._door.found

    def recall(self, language: str) -> None:
        self._door.recall(language)

    async def list(self, cursor: Cursor | None, since: Watermark | None = None) -> Page:
        """``since``: only who changed; deletions are never among them. Raises Incomplete, Retryable, Quarantined."""
        return await self._walk.page(cursor, since)

    async def _ask(self, queries: Sequence[str]) -> Got:
        uncounted = {"total": "false"} if await self._door.dialect() == "1.8" else {}
        target = addressed(f"{self._http.root.path}/users", queries, uncounted)
        request = self._request(TABLE.listing.call, {}, {}, target)
        return await self._http.send(request, lambda answer: Got(self._pages.decode(answer.body), answer.headers.get("date")))

    async def find(self, keys: Mapping[str, str]) -> Sequence[Account]:
        """By id, else by our label, e-mail or phone; what the provider finds counts only if the value is equal to the letter."""
        name = next((one for one in _FOUND_BY if one in keys), None)
        if "$id" in keys or name is None:
            return await super().find(keys)
        method, attribute = _FOUND_BY[name]
        value = fitting(CAPABILITY.attributes[name], keys[name])
        slices, _ = await self._ask([query(method, value, attribute=attribute)])
        return [account for account in map(self.parse, slices.records) if account.attributes.get(name) == value]

    async def check(self) -> Health:
        """Lists one user, and renames nobody: reach, key, project, both scopes, dialect and clock."""
        permissions: dict[str, bool] = {}
        try:
            warning, date = await self._http.send(self._one_user(), self._told)
            permissions["users.read"] = True
            permissions["users.write"] = await self._may_write()
        except Quarantined as error:
            return Health(False, permissions or _missing(error), (f"{error}: check project and api_key",))
        except SyncdError as error:
            return Health(False, permissions, (str(error),))
        wrong = f"{warning}: say `dialect: auto`, or the server's own" if warning else ""
        problems = tuple(filter(None, (wrong, skew(self._environment, date, "Appwrite"))))
        return Health(not problems, permissions, problems)

    def _one_user(self) -> Request:
        target = addressed(f"{self._http.root.path}/users", [query("limit", 1)], {})
        return Request("GET", target, "GET /users")

    def _told(self, answer: Answer) -> tuple[str, str | None]:
        """What the server says about the format asked for, and its clock."""
        self._pages.decode(answer.body)
        return answer.headers.get(WARNING, "").partition(" Please ")[0].rstrip("."), answer.headers.get("date")

    async def _may_write(self) -> bool:
        """Scopes are looked at before the user is: without the right one even a user that cannot exist may not be renamed."""
        nobody = f"syncd-check-{self._environment.random.getrandbits(80):020x}"
        target = f"{self._http.root.path}/users/{nobody}/name"
        headers = {"Content-Type": "application/json"}
        request = Request("PATCH", target, "PATCH /users/{id}/name", b'{"name":""}', headers, reads=True)
        try:
            await self._http.send(request, lambda answer: None)
        except NotFound as error:
            return error.code in TABLE.gone
        except Quarantined:
            return False
        return True


def _missing(error: Quarantined) -> dict[str, bool]:
    """The scopes that a refusal names."""
    return {scope: False for scope in _SCOPES if scope in str(error)}
