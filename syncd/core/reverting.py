"""What takes a change back: the values it wrote over, where the account still holds what it wrote.

::

    update            the values before it
    disable           the account enabled again; its sessions stay ended
    adopt             the values before it, and the account is given up
    create            the account disabled, where that can be: it is never deleted for this
    delete            nothing: a deleted account does not come back
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

from syncd.core.mapping import delta, found
from syncd.core.policy import Policy
from syncd.core.rule import seen
from syncd.model import Attributes, Kind, Mutability

Delta = Mapping[str, tuple[Any, Any]]
FIXED = "the provider cannot change it"
HIDDEN = "it cannot be read back"


@dataclass(frozen=True, slots=True)
class Inverse:
    """``delta``: what is written. ``stays``: path -> why it stays as it is. ``why_not``: why nothing is done at all, where no path says it.
    ``gives_up``: the account is not ours any more. ``revoke``: its sessions end."""

    kind: Kind = Kind.UPDATE
    delta: Delta = field(default_factory=dict)
    stays: Mapping[str, str] = field(default_factory=dict)
    why_not: str = ""
    gives_up: bool = False
    revoke: bool = False

    @property
    def does(self) -> bool:
        return bool(self.delta) or self.gives_up


def inverse(policy: Policy, kind: Kind, done: Delta, document: Attributes) -> Inverse:
    """``done``: the delta of the change; ``document``: the account as it is now."""
    if kind is Kind.DELETE:
        return Inverse(
            why_not="its account was deleted, and does not come back: who is wanted again gets a new one; what it held, `syncd history` has"
        )
    if kind is Kind.CREATE:
        return _unmade(policy, done, document)
    back: dict[str, tuple[Any, Any]] = {}
    stays: dict[str, str] = {}
    for path, (before, after) in done.items():
        now = found(document, [path], policy.capability)[path]
        wanted = seen(policy.capability, path, before)
        if path == policy.capability.marker and kind is not Kind.ADOPT:
            continue
        if why := _stays(policy, path, now, after):
            stays[path] = why
        elif delta({path: now}, {path: wanted}):
            back[path] = (now, wanted)
    if not back and kind is not Kind.ADOPT:
        return Inverse(stays=stays, why_not="" if stays else "nothing of it is left to take back")
    return Inverse(Kind.UPDATE, back, stays, gives_up=kind is Kind.ADOPT)


def _unmade(policy: Policy, done: Delta, document: Attributes) -> Inverse:
    moved = [path for path, (_, after) in done.items() if _readable(policy, path) and _moved(policy, document, path, after)]
    if moved:
        return Inverse(why_not=f"{', '.join(sorted(moved))} changed since: take that back first")
    if not policy.can_disable:
        return Inverse(why_not="it was made, and accounts cannot be disabled here: delete it at the provider if it is not to be")
    present = found(document, policy.overlay, policy.capability)
    off = delta(present, dict(policy.overlay))
    return Inverse(Kind.DISABLE, off, revoke=policy.revokes) if off else Inverse(why_not="it is disabled already")


def _stays(policy: Policy, path: str, now: Any, after: Any) -> str:
    """Why this value is not taken back, or nothing."""
    spec = policy.capability.spec(path)
    if spec is not None and spec.mutability in (Mutability.IMMUTABLE, Mutability.READ_ONLY):
        return FIXED
    if not _readable(policy, path):
        return HIDDEN
    return "it was changed since" if delta({path: now}, {path: seen(policy.capability, path, after)}) else ""


def _readable(policy: Policy, path: str) -> bool:
    spec = policy.capability.spec(path)
    return path not in policy.map.hidden and (spec is None or (spec.carried and spec.mutability is not Mutability.WRITE_ONLY))


def _moved(policy: Policy, document: Attributes, path: str, after: Any) -> bool:
    return bool(delta(found(document, [path], policy.capability), {path: seen(policy.capability, path, after)}))
