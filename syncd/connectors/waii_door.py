"""Every request to Waii: a POST of JSON, in our own name or in that of another user."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any, TypeVar

import msgspec

from syncd.connectors.answer import Answer
from syncd.connectors.base import Permit
from syncd.connectors.http import Http, Request
from syncd.connectors.pages import PageDecoder, Slices
from syncd.connectors.retry import Malformed
from syncd.connectors.tables import Call
from syncd.connectors.waii_access import Caller
from syncd.connectors.waii_table import IMPERSONATE, INFO, KEYS, KINDS, ORGANIZATION, REVOKE
from syncd.errors import Incomplete, Quarantined, Rejected
from syncd.model import USER, Account

T = TypeVar("T")
_STAY = "its access keys cannot be revoked"


class _Key(msgspec.Struct):
    """An access key without its secret."""

    user_id: str | None = None
    name: str | None = None


class _Keys(msgspec.Struct):
    access_keys: list[_Key] | None = None


class _Named(msgspec.Struct):
    id: str


class Door:
    """``configured``: the organizations that the configuration names; empty = all that the key may list."""

    def __init__(self, http: Http, configured: frozenset[str]) -> None:
        self.configured, self.meter = configured, http.meter
        self._http = http
        self._pages = {object: PageDecoder(kind.table.listing.items, (), "id") for object, kind in KINDS.items()}
        self._caller: Caller | None = None

    @property
    def permit(self) -> Permit:
        return self._http.permit

    @permit.setter
    def permit(self, permit: Permit) -> None:
        self._http.permit = permit

    async def aclose(self) -> None:
        await self._http.aclose()

    async def send(self, call: Call, values: Mapping[str, Any], decode: Callable[[Answer], T], acting_as: str | None = None) -> T:
        content, kind = call.encoding(values)
        headers = {"Content-Type": kind, **({} if acting_as is None else {IMPERSONATE: acting_as})}
        target = self._http.root.path + call.path
        request = Request(
            call.method, target, f"{call.method} {call.path}", content, headers, call.success, call.reads, call.repeatable
        )  # fmt: skip
        return await self._http.send(request, decode)

    async def write(self, call: Call, values: Mapping[str, Any], acting_as: str | None = None) -> None:
        """Writes answer ``{}``; anything but an object without an error's ``detail`` is no proof that one took effect."""
        await self.send(call, values, _took, acting_as)

    # ---- who we are --------------------------------------------------------------------------------------------------

    async def caller(self, *, again: bool = False) -> Caller:
        """Our own account, as it was at the start of the last listing (``again``: now)."""
        if self._caller is None or again:
            self._caller = await self.send(INFO, {}, Caller.told)
        return self._caller

    def protects(self, account: Account) -> bool:
        """False before `caller` was ever asked: nothing is written before that."""
        return account.object == USER and self._caller is not None and self._caller.protects(account)

    # ---- lists -------------------------------------------------------------------------------------------------------

    async def listed(self, object: str, **narrowing: str) -> Slices:
        """All objects of a kind, of one organization (``lookup_org_id``) or, users, of one tenant or id in it."""
        return await self.send(KINDS[object].table.listing.call, narrowing, lambda answer: self._pages[object].decode(answer.body))

    async def organizations(self) -> dict[str, bytes]:
        """Id -> record of those that the key may list and that the configuration does not leave out, in order of their ids.

        Raises Incomplete when one of them does not say its id.
        """
        slices = await self.listed(ORGANIZATION)
        try:
            found = {msgspec.json.decode(record, type=_Named).id: record for record in slices.records}
        except (msgspec.MsgspecError, RecursionError):
            raise Incomplete("an organization is listed without a readable id") from None
        if slices.flaws:
            raise Incomplete(f"{slices.flaws[0].where} of the organizations: {slices.flaws[0].reason}")
        return {id: found[id] for id in sorted(found) if not self.configured or id in self.configured}

    # ---- access keys -------------------------------------------------------------------------------------------------

    async def revoke(self, user: str) -> None:
        """End all access keys of a user, acting as it; they are revoked by name.

        Raises Rejected for a key without a name, once the others are revoked; for keys that are not the user's (impersonation was ignored:
        they would be our own); and where we may not act as this user.
        """
        if not user.isascii() or not user.isprintable() or user != user.strip():
            raise Rejected(f"{_STAY}: {user!r} cannot stand in the header that names whom to act as", "impersonation")
        try:
            keys = await self.send(KEYS, {}, _keys, acting_as=user)
            if any(key.user_id != user for key in keys):
                raise Rejected(f"{_STAY}: asked for them in its name, the provider shows another's", "impersonation")
            names = sorted({key.name for key in keys if key.name})
            if names:
                await self.write(REVOKE, {"names": names}, acting_as=user)
            if not all(key.name for key in keys):
                raise Rejected(f"{_STAY}: one has no name, and keys are revoked by name: name it, or delete it in Waii", "unnamed_key")
        except Quarantined as error:  # our own credentials were good a moment ago
            cure = "who acts as another must be of the same organization and may do no less; or say `revoke: false`"
            raise Rejected(f"{_STAY}: {error} to act as this user: {cure}", "impersonation") from error


def _took(answer: Answer) -> None:
    try:
        document = msgspec.json.decode(answer.body)
    except (msgspec.MsgspecError, RecursionError):
        document = None
    if not isinstance(document, dict) or "detail" in document:
        raise Malformed("200 without the empty object that a write answers")


def _keys(answer: Answer) -> list[_Key]:
    try:
        return msgspec.json.decode(answer.body, type=_Keys).access_keys or []
    except (msgspec.MsgspecError, RecursionError):
        raise Malformed("the answer is no list of access keys") from None
