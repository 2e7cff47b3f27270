"""What is asked of ChatBotKit: listings by user, one user by what the list can be filtered by."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import replace
from typing import Any
from urllib.parse import urlencode

from syncd.connectors.behind import Behind
from syncd.connectors.chatbotkit_table import MARKER, PAGE_SIZE
from syncd.connectors.http import Http
from syncd.connectors.pages import Slices
from syncd.connectors.rest import RestConnector
from syncd.connectors.tables import Table
from syncd.environment import Environment
from syncd.errors import Incomplete, Rejected, Retryable
from syncd.model import Account, Cursor, Gone, Page, Ref, Unknown, Watermark


def marked(account: Account) -> Any:
    """The marker it bears."""
    meta = account.attributes.get("meta")
    return meta.get("syncd") if isinstance(meta, Mapping) else None


FILTERS: Mapping[str, Callable[[Account], Any]] = {MARKER: marked, "email": lambda account: account.attributes.get("email")}
"""What a list can be filtered by, and where an account has it. Other members of meta could be, but only as text."""


class ChatBotKitReading(RestConnector):
    """The reading half of the connector."""

    def __init__(self, http: Http, table: Table, environment: Environment) -> None:
        super().__init__(http, table, environment)
        self._walk = Behind(self._behind, self._there, table.id, PAGE_SIZE)

    async def list(self, cursor: Cursor | None, since: Watermark | None = None) -> Page:
        """``since``: only newcomers. Raises Incomplete, Retryable, Quarantined."""
        return await self._walk.page(cursor, since)

    async def _behind(self, lead: str | None) -> Slices:
        """Oldest first, so that who comes meanwhile comes last. The page's own cursor is the id of its last user, on the last page too."""
        behind = {} if lead is None else {"cursor": lead}
        return await self._page_of({**behind, "order": "asc", "take": str(PAGE_SIZE)})

    async def _there(self, id: str) -> bool:
        try:
            answer = await super().fetch(Ref(id))
        except Rejected as error:
            if error.account == id:
                return True  # unreadable, but there
            raise Incomplete(f"user {id} cannot be asked for: {error}") from error
        if isinstance(answer, Account | Gone):
            return isinstance(answer, Account)
        raise Incomplete(f"user {id} cannot be asked for: {answer.reason}")

    async def _page_of(self, query: Mapping[str, str]) -> Slices:
        call = self._table.listing.call
        target = f"{self._http.root.path}{call.path}?{urlencode(query)}"
        return await self._http.send(self._request(call, {}, {}, target), lambda answer: self._pages.decode(answer.body))

    async def fetch(self, ref: Ref) -> Account | Gone | Unknown:
        """With the description, which lists alone say, where a filter leads to the user."""
        account = await super().fetch(ref)
        return await self.described(account) if isinstance(account, Account) else account

    async def described(self, account: Account) -> Account:
        """The same, its description taken from a list."""
        name, value = next(((one, value) for one, of in FILTERS.items() if isinstance(value := of(account), str) and value), ("", ""))
        try:
            listed = await self.filtered(name, value) if name else []
        except (Rejected, Retryable):
            listed = []
        texts = [one.attributes.get("description") for one in listed if one.id == account.id]
        return replace(account, attributes={**account.attributes, "description": texts[0]}) if texts else account

    async def find(self, keys: Mapping[str, str]) -> Sequence[Account]:
        """By our marker, else by e-mail; what the provider's filter shows counts only if the value is equal to the letter."""
        name = next((one for one in FILTERS if one in keys), None)
        if name is None:
            return []
        return [account for account in await self.filtered(name, keys[name]) if FILTERS[name](account) == keys[name]]

    async def filtered(self, name: str, value: str) -> Sequence[Account]:
        """Whose value is equal but for letter case. Raises Rejected when others are shown: then nothing was filtered."""
        page = await self._page_of({name: value, "take": str(PAGE_SIZE)})
        accounts = [self.parse(record) for record in page.records]
        if page.flaws or any(str(FILTERS[name](one)).casefold() != value.casefold() for one in accounts):
            raise Rejected(f"the provider shows other users than those whose {name} was asked for", "filter")
        return accounts
