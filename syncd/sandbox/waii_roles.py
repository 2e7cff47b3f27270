"""Roles of the emulated Waii, and what each may; the names are the vendor's, which role has which permission is documented nowhere."""

from __future__ import annotations

from collections.abc import Iterable, Mapping

DEFAULT = ("waii-api-user",)
_OWN = {
    "waii-trial-user": ("usage:web",),
    "waii-trial-api-user": ("usage:api",),
    "waii-user": ("write:access_key",),
    "waii-api-user": (),
    "waii-admin-user": ("read:user", "read:tenant", "read:org"),
    "waii-org-admin-user": ("write:user", "write:tenant", "usage:impersonation"),
    "waii-super-admin-user": ("write:org",),
}
LADDER = tuple(_OWN)
"""Each role may do what those before it may."""
PERMISSIONS: Mapping[str, frozenset[str]] = {
    role: frozenset(permission for lower in LADDER[: n + 1] for permission in _OWN[lower]) for n, role in enumerate(LADDER)
}


def rank(roles: Iterable[str]) -> int:
    """How high the highest of these roles is."""
    return max((LADDER.index(role) for role in roles if role in PERMISSIONS), default=-1)


def permissions(roles: Iterable[str]) -> frozenset[str]:
    return frozenset().union(*(PERMISSIONS.get(role, frozenset()) for role in roles))
