"""Who we are at Waii, and whom we may touch: the caller's roles and permissions, the ladder of roles."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, NamedTuple

import msgspec

from syncd.connectors.answer import Answer
from syncd.connectors.retry import Malformed
from syncd.model import Account

LADDER = (
    "waii-trial-user",
    "waii-trial-api-user",
    "waii-user",
    "waii-api-user",
    "waii-admin-user",
    "waii-org-admin-user",
    "waii-super-admin-user",
)
"""Roles, each with all that those before it may do."""
READS = ("read:user", "read:tenant", "read:org")
NEEDED: Mapping[str, str] = {
    **dict.fromkeys(READS, "reading"),
    "write:user": "users",
    "write:tenant": "tenants that users need",
    "usage:impersonation": "the access keys of those who leave",
}
"""Permission -> what it is for."""
CREATES_ORGANIZATIONS = "write:org"


class _Info(msgspec.Struct):
    id: str
    roles: list[str] = []
    permissions: list[str] = []


class Caller(NamedTuple):
    """Our own account at the provider."""

    id: str
    roles: frozenset[str]
    permissions: frozenset[str]
    date: str | None

    @classmethod
    def told(cls, answer: Answer) -> Caller:
        try:
            info = msgspec.json.decode(answer.body, type=_Info)
        except (msgspec.MsgspecError, RecursionError) as error:
            raise Malformed("the answer does not say who is asking") from error
        return cls(info.id, frozenset(info.roles), frozenset(info.permissions), answer.headers.get("date"))

    def protects(self, account: Account) -> bool:
        """Whether it is our own account, or one that may do more than we: a role higher than all of ours, or one unknown to us."""
        roles = account.attributes.get("roles") or ()
        return account.id.casefold() == self.id.casefold() or any(_rank(role) > self._rank for role in {*roles} - self.roles)

    @property
    def _rank(self) -> int:
        return max((_rank(role) for role in self.roles & {*LADDER}), default=-1)


def _rank(role: Any) -> int:
    return LADDER.index(role) if role in LADDER else len(LADDER)
