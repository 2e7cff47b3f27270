"""What syncd decides: a change, and the requests it is made of."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from syncd.model.words import USER, Attributes, Kind


@dataclass(frozen=True, slots=True)
class Change:
    """One create / adopt / update / disable / delete with its reason.

    ``delta``: provider path -> (before, after); None = no value. ``account``: the provider's id, None before creation. ``document``: the
    account's attributes when planned (None for a create): read-merge-write starts there. ``expects``: its fingerprint then, part of the id.
    ``revoke``: its sessions, tokens and keys end with it.
    """

    id: str
    connection: str
    kind: Kind
    identity: str
    who: str
    account: str | None
    delta: Mapping[str, tuple[Any, Any]]
    reason: str
    document: Attributes | None = None
    expects: bytes | None = None
    object: str = USER
    replaces: str | None = None
    revoke: bool = False


@dataclass(frozen=True, slots=True)
class Step:
    """One unsafe request of a change. ``creates``: an ambiguous answer may have made an account. ``method``/``path``/``body`` are the
    connector's own business; ``summary`` is what the journal and the log may show (no secret, no personal value)."""

    change: Change
    n: int
    method: str
    path: str
    body: Any = None
    creates: bool = False
    summary: str = ""
