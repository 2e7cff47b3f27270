"""One out-of-step link -> what is to be done about it, and whether a person must agree first.

::

    desired   actual   account found     answer
    x         none     -                 create
    x         none     match             adopt (held where only an untrusted key matches)
    x         none     conflict          create or adopt, held
    x         y        -                 update, or disable where the overlay is wanted
    x         y        key moved         held (hold), or a delete and a create that replaces it (replace)
    none      y        -                 delete

A leaver (disabled or deleted) without evidence is no decision at all. Any answer may be held; `Decision` lists why.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace
from datetime import datetime
from typing import Any

from syncd.core.evidence import Evidence
from syncd.core.mapping import delta
from syncd.core.matching import Conflict, Match
from syncd.core.paths import present
from syncd.core.policy import Policy
from syncd.core.project import Projection
from syncd.model import Hold, Kind

Delta = Mapping[str, tuple[Any, Any]]
FLIPS = 2
"""How often in 24 hours the same value is written to the same place of an account."""
REGROUPED = "the scope, map or sources changed: release the leavers you expect"


@dataclass(frozen=True, slots=True)
class Case:
    """One out-of-step link. ``match``: what correlation found for an identity without an account; ``adopted``: projected over that account.

    ``drifted``: syncd had brought the account where it is still wanted, somebody else moved it. ``collides``: another living identity
    wants the same provider key. ``lately``: what updates of the last 24 hours wrote to the account, path -> value each. ``origins``: path
    -> the connection whose value is wanted there, where that is one's as it is.
    """

    projection: Projection
    linked: bool
    match: Match | Conflict | None = None
    adopted: Projection | None = None
    drifted: bool = False
    collides: str = ""
    lately: Sequence[Mapping[str, Any]] = ()
    origins: Mapping[str, str] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class Decision:
    """What to do, and whether it must wait: ``hold`` says why, ``held`` says it to a person.

    A disable or delete of a leaver carries the evidence it was made from (`leave` is the only maker). ``replaces``: a creation that
    follows the deletion beside it, and is made with everything, whatever its ``delta`` says. ``revoke``: sessions, tokens and keys end.
    """

    kind: Kind
    delta: Delta
    reason: str
    hold: Hold = Hold.NOTHING
    held: str | None = None
    counted: bool = True
    replaces: bool = False
    evidence_at: datetime | None = None
    revoke: bool = False


def decide(policy: Policy, case: Case, evidence: Evidence | None) -> tuple[Decision, ...]:
    """No decision at all for a leaver without evidence: an incomplete listing plans no leaver."""
    projection = case.projection
    if projection.event is not None:
        return () if evidence is None else (leave(policy, projection, evidence),)
    if not case.linked:
        return (_arrive(policy, case),)
    return tuple(_keeping(projection, one) for one in _update(policy, case))


def _keeping(projection: Projection, decision: Decision) -> Decision:
    """An update says also what it would erase if it did not."""
    if not decision.delta or decision.kind is Kind.CREATE:
        return decision
    return replace(decision, delta={path: (None, value) for path, value in projection.kept.items()} | dict(decision.delta))


def leave(policy: Policy, projection: Projection, evidence: Evidence) -> Decision:
    """Disable or delete; ``counted`` False when this leaver was counted already, at the disabling that began its grace."""
    made = _leave(projection, evidence)
    return replace(made, revoke=policy.revokes)


def _leave(projection: Projection, evidence: Evidence) -> Decision:
    hold, held = (Hold.CONFIG, REGROUPED) if projection.hold else (Hold.NOTHING, None)
    if projection.desired is None:
        return Decision(Kind.DELETE, {}, projection.reason, hold, held, counted=not projection.counted, evidence_at=evidence.at)
    changed = delta(projection.found or {}, projection.wanted or {})
    return _keeping(projection, Decision(Kind.DISABLE, changed, projection.reason, hold, held, evidence_at=evidence.at))


def _arrive(policy: Policy, case: Case) -> Decision:
    wanted = case.projection.wanted or {}
    made = {path: (None, value) for path, value in wanted.items() if present(value)}
    if isinstance(case.match, Conflict):
        return Decision(Kind.CREATE, made, "new", case.match.code, case.match.text)
    if case.collides:
        return Decision(Kind.CREATE, made, "new", Hold.COLLISION, case.collides)
    if case.match is None:
        return _drift(policy, case, Decision(Kind.CREATE, made, "deleted outside syncd" if case.drifted else "new"))
    adopted = case.adopted or case.projection
    changed = delta(adopted.found or {}, adopted.wanted or {})
    changed = {path: pair for path, pair in changed.items() if path not in policy.map.immutable}
    hold, held = case.match.hold, case.match.text or None
    revoke = hold == Hold.UNTRUSTED and policy.revokes
    if revoke:
        held = f"{held}; release = adopt it and end its {policy.capability.revokes}"
    if policy.target.adopt == "never" and not case.match.ours:
        hold, held = Hold.NEVER, f"account {case.match.account} matches by {case.match.by}, and adopt is never"
    decision = Decision(Kind.ADOPT, changed, f"matches by {case.match.by}", hold, held, counted=bool(changed), revoke=revoke)
    return _erasing(policy, case.match, _keeping(adopted, decision))


def _erasing(policy: Policy, match: Match, decision: Decision) -> Decision:
    """The first write to an account that syncd did not make may erase what no answer shows; one that bears our marker had its first."""
    if not policy.map.erased or not decision.delta or match.ours:
        return decision
    told = f"writing to account {match.account} may erase its {', '.join(sorted(policy.map.erased))}, which no answer shows"
    return replace(decision, hold=decision.hold or Hold.ERASES, held=f"{decision.held}; {told}" if decision.held else told)


def _update(policy: Policy, case: Case) -> tuple[Decision, ...]:
    projection = case.projection
    changed = delta(projection.found or {}, projection.wanted or {})
    if case.collides:
        return (Decision(Kind.UPDATE, changed, projection.reason, Hold.COLLISION, case.collides),)
    moved = sorted(path for path in policy.map.immutable if path in changed)
    if moved:
        return _key_change(policy, projection, changed, moved)
    reason = "changed outside syncd" if case.drifted else f"{', '.join(sorted(changed))} changed"
    return (_drift(policy, case, _fight(case, Decision(Kind.UPDATE, changed, reason))),)


def _fight(case: Case, decision: Decision) -> Decision:
    """A value that syncd would write for the third time in 24 hours is written by somebody else too: it is left alone."""
    for path, (before, after) in decision.delta.items():
        again = sum(path in wrote and not delta(wrote, {path: after}) for wrote in case.lately)
        if again >= FLIPS:
            whose = f" ({case.origins[path]} says so)" if path in case.origins else ""
            told = f"{path} was set to {after}{whose} {again} times in 24 h and is {before} again: somebody else writes it too"
            return replace(decision, hold=Hold.FIGHT, held=told)
    return decision


def _key_change(policy: Policy, projection: Projection, changed: Delta, moved: list[str]) -> tuple[Decision, ...]:
    path = moved[0]
    before, after = changed[path]
    told = f"{path} changed from {before} to {after}, which the provider cannot do"
    if policy.target.on_key_change == "hold":
        rest = f"{told}: release = update the rest and keep {before}"
        others = {name: pair for name, pair in changed.items() if name not in moved}
        return (Decision(Kind.UPDATE, others, f"{path} changed", Hold.KEY, rest),)
    own = policy.capability.key or path
    dead, made = (projection.found or {}).get(own), (projection.wanted or {}).get(own)
    dies = f"{told}: release = delete account {dead} with all that hangs on it, and create {made}"
    return (
        Decision(Kind.DELETE, {}, f"{path} changed", Hold.KEY, dies),
        Decision(Kind.CREATE, {}, f"{path} changed", Hold.KEY, dies, replaces=True),
    )


def _drift(policy: Policy, case: Case, decision: Decision) -> Decision:
    if not case.drifted or policy.target.drift != "report":
        return decision
    return Decision(decision.kind, decision.delta, decision.reason, Hold.DRIFT, f"{decision.reason}; drift: report leaves it to you")
