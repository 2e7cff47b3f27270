"""How a change becomes requests to ChatBotKit: meta beside what others put there, tokens ended, conflicts with the name of the holder."""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import replace
from typing import Any
from urllib.parse import urlencode

from syncd.connectors.answer import Conflict, NotFound
from syncd.connectors.chatbotkit_reading import ChatBotKitReading
from syncd.connectors.chatbotkit_table import PAGE_SIZE
from syncd.connectors.pages import PageDecoder, recovered_id
from syncd.connectors.retry import Budget, Patience
from syncd.connectors.tables import Call
from syncd.errors import Rejected, Retryable, SyncdError
from syncd.model import Account, Change, Kind, Step

_ALIAS = re.compile("[a-z0-9_-]*")
_MEMBER = re.compile("[a-zA-Z0-9]")
_TOKENS = PageDecoder("items", (), "id")
_ROUNDS = Budget(tries=5, seconds=60.0, base=1.0)
"""Patience with a list of tokens that still shows those that were ended."""


class ChatBotKitWriting(ChatBotKitReading):
    """The writing half of the connector."""

    def steps(self, change: Change) -> tuple[Step, ...]:
        """Raises Rejected for an alias, or a member of meta, that the provider would refuse, drop or hide."""
        after = {path: value for path, (_, value) in change.delta.items()}
        if not _ALIAS.fullmatch(after.get("alias") or ""):
            raise Rejected("alias may hold only a to z, 0 to 9, - and _", "alias")
        for name in _members(after):
            if not _MEMBER.match(name):
                raise Rejected(f"meta.{name}: {_why_not(name)}", "meta")
        steps = super().steps(change)
        if not change.revoke:
            return steps
        ending = Step(change, 0, "POST", self._path(self._token, {"id": change.account or "", "token": "-"}), summary=_summary(self._token))
        ordered = (ending, *steps) if change.kind is Kind.DELETE else (*steps, ending)
        return tuple(replace(one, n=n) for n, one in enumerate(ordered, 1))

    @property
    def _token(self) -> Call:
        """Ends one token."""
        path = self._table.fetch.path.removesuffix("/fetch") + "/token/{token}/delete"
        return replace(self._table.delete, path=path)

    async def perform(self, step: Step) -> Account | None:
        """None after a delete, and after tokens were ended. Raises Conflict with the name of whoever has the e-mail."""
        if step.summary == _summary(self._token):
            await self._end_tokens(step.change)
            return None
        try:
            return await super().perform(step)
        except Conflict as error:
            raise Conflict(f"{error}{await self._holder(step)}", error.code) from error

    async def _holder(self, step: Step) -> str:
        """Who has what must be unique, where that can be found out: the provider does not say."""
        email = step.body.get("email") if isinstance(step.body, dict) else None
        try:
            holders = await self.filtered("email", email) if email else []
        except SyncdError:
            holders = []
        return "".join(f" User {one.id} has this email." for one in holders)

    async def _read_back(self, step: Step, id: str) -> Account:
        """Of a description that was written, what the list says."""
        account = await super()._read_back(step, id)
        return await self.described(account) if "description" in step.body else account

    async def _values(self, call: Call, id: str, body: Mapping[str, Any]) -> dict[str, Any]:
        """Members of meta that are only set are merged by the server, beside those that answers never show; to remove one, the whole is
        replaced by what is there now without it."""
        values = await super()._values(call, id, body)
        names = {path.split(".")[1] for path in body if path.startswith("meta.")}
        if "meta" in body or not names or not names <= values["meta"].keys():
            return values
        return {**values, "meta": {"$update": {name: values["meta"][name] for name in sorted(names)}}}

    # ---- tokens ------------------------------------------------------------------------------------------------------

    async def _end_tokens(self, change: Change) -> None:
        """Until none is listed that was not ended. Raises Retryable while some stay."""
        id, ended, patience = change.account or "", set[str](), Patience(self._environment, _ROUNDS)
        while True:
            listed = await self._tokens(id, change.kind)
            fresh = [one for one in listed if one not in ended]
            for token in fresh:
                await self._end(id, token)
            ended.update(fresh)
            if not fresh and len(listed) < PAGE_SIZE:
                return
            wait = 0.0 if fresh else patience.wait(None)
            if wait is None:
                raise Retryable(f"tokens of user {id} are still listed after they were ended")
            await self._environment.sleep(wait)

    async def _tokens(self, id: str, kind: Kind) -> list[str]:
        """The ids of a page of tokens; none of a user that is gone, where that is what is wanted."""
        call = replace(self._table.fetch, path=self._table.fetch.path.removesuffix("/fetch") + "/token/list")
        target = f"{self._http.root.path}{self._path(call, {'id': id})}?{urlencode({'take': PAGE_SIZE})}"
        try:
            page = await self._http.send(self._request(call, {"id": id}, {}, target), lambda answer: _TOKENS.decode(answer.body))
        except NotFound as error:
            if kind is Kind.DELETE and error.code in self._table.gone:
                return []
            raise
        ids = [recovered_id(record, "id") for record in page.records]
        if page.flaws or None in ids:
            raise Rejected(f"a token of user {id} does not say its id, so it cannot be ended")
        return [one for one in ids if one]

    async def _end(self, id: str, token: str) -> None:
        try:
            request = self._request(self._token, {"id": id, "token": token}, {})
            await self._http.send(request, self._reader.named)
        except NotFound as error:
            if error.code not in self._table.gone:
                raise


def _members(after: Mapping[str, Any]) -> list[str]:
    """The members of meta that are written, by their own names."""
    whole = after.get("meta")
    return [*(path.split(".")[1] for path in after if path.startswith("meta.")), *(whole if isinstance(whole, dict) else ())]


def _why_not(name: str) -> str:
    match name[:1]:
        case "_":
            return "the provider refuses members that begin with an underscore"
        case "#":
            return "the provider never shows members that begin with #, so nobody could see whether it took"
    return "the provider drops members that do not begin with a letter or digit of ASCII"


def _summary(token: Call) -> str:
    return f"{token.method} {token.path} for each token"
