"""What one identity should be at one target, and what it is: two fingerprints over the same attributes.

::

    entitled                 live      wanted = map + marker               differs -> create, adopt or update
    not entitled: keep       kept      nothing is wanted                   in step
                  disable    disabled  wanted = the overlay alone          differs -> disable
                  delete     grace     as disable (or keep), until due     ... then desired is None -> delete
                  retained   retained  delete is forbidden                 as disable or keep
    cannot be judged         frozen    nothing is wanted                   in step
    cannot be mapped         rejected  nothing is wanted                   in step, reported
    a person took their account: unlinked  nothing is wanted, no other     in step
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from datetime import datetime
from typing import Any

from syncd.core.entitlement import Event, entitlement
from syncd.core.fingerprint import fingerprint, fingerprint_of_clean
from syncd.core.mapping import delta, found
from syncd.core.policy import Policy
from syncd.errors import Rejected
from syncd.model import Attributes, Hold

STAGES = {"disabled": 1, "retained": 1, "grace": 2, "leaving": 3}
"""How far gone a leaver is: 1 can stay so, 2 ends in deletion, 3 is to be deleted now."""
REASONS = {Event.INACTIVE: "inactive", Event.OUT_OF_SCOPE: "out of scope", Event.DEPARTED: "departed"}


@dataclass(frozen=True, slots=True)
class Person:
    """An identity as projection sees it. ``live``: live | departed | frozen."""

    id: str
    attributes: Attributes
    live: str = "live"
    ignored: bool = False
    starts: datetime | None = None
    ends: datetime | None = None


@dataclass(frozen=True, slots=True)
class Holding:
    """The account it has there, and where its leaving stands. ``written``: what syncd put into its shared lists and objects."""

    document: Attributes | None
    owned: bool = True
    ignored: bool = False
    state: str = "live"
    leaving_since: datetime | None = None
    counted: bool = False
    hold: str = Hold.NOTHING
    written: Mapping[str, Any] | None = None


@dataclass(frozen=True, slots=True)
class Projection:
    """Both fingerprints, and all that a change needs. ``wanted`` and ``found`` are over the same provider paths.

    ``key``: the provider's key as the map says, also where it stays as it is. ``kept``: what every update must say, changed or not.
    """

    desired: bytes | None
    actual: bytes | None
    state: str
    reason: str = ""
    wanted: Mapping[str, Any] | None = None
    found: Mapping[str, Any] | None = None
    due: datetime | None = None
    leaving_since: datetime | None = None
    counted: bool = False
    hold: str = Hold.NOTHING
    event: Event | None = None
    key: Any = None
    kept: Mapping[str, Any] = field(default_factory=dict)


NOTHING = Projection(None, None, "live")


def project(
    policy: Policy, person: Person, holding: Holding | None, now: datetime, hold_leavers: Hold = Hold.NOTHING, apart: str = ""
) -> Projection:  # fmt: skip
    """``hold_leavers``: why who leaves, or is to be deleted after all, for the first time is held. ``apart``: the account that a person
    took from them."""
    frozen = _why_frozen(person, holding)
    if frozen:
        return _still(holding, "frozen", frozen) if holding else NOTHING
    try:
        event, due = _event(policy, person, now)
    except Rejected as error:
        return _still(holding, "frozen", str(error))
    if event is None and holding is None and apart:
        return replace(NOTHING, state="unlinked", reason=f"account {apart} was unlinked from them: kept by you", due=due)
    if event is None:
        return _entitled(policy, person, holding, due)
    if holding is None:
        return replace(NOTHING, event=event)
    left = _leaving(policy, person, holding, event, now)
    fresh = STAGES.get(left.state, 0) > STAGES.get(holding.state, 0)
    return replace(left, event=event, hold=hold_leavers if fresh and not holding.hold else holding.hold)


def _why_frozen(person: Person, holding: Holding | None) -> str:
    if person.live == "frozen":
        return "its source is no longer read"
    if person.ignored or (holding is not None and holding.ignored):
        return "on the ignore list"
    if holding is not None and holding.document is None:
        return "its account has not been read yet"
    return "" if holding is None or holding.owned else "not owned by syncd"


def _event(policy: Policy, person: Person, now: datetime) -> tuple[Event | None, datetime | None]:
    live = person.live == "live"
    return entitlement(
        live=live, in_scope=not live or policy.scope.includes(person.attributes), active=person.attributes.get("active", True),
        start=person.starts, end=person.ends, now=now,
    )  # fmt: skip


def _still(holding: Holding | None, state: str, reason: str) -> Projection:
    """Nothing is wanted: both sides are what the account is."""
    if holding is None:
        return Projection(None, None, state, reason)
    same = fingerprint(holding.document or {})
    return Projection(same, same, state, reason, leaving_since=holding.leaving_since, counted=holding.counted, hold=holding.hold)


def _entitled(policy: Policy, person: Person, holding: Holding | None, due: datetime | None) -> Projection:
    document = None if holding is None else holding.document
    try:
        wanted = policy.map.wanted(person.attributes, document, None if holding is None else holding.written)
        kept = policy.map.kept(person.attributes)
        _complete(policy, person, wanted, document)
        _fit(policy, wanted, document)
    except Rejected as error:
        return replace(_still(holding, "rejected", str(error)), due=due, leaving_since=None, counted=False, hold="")
    own = wanted.get(policy.capability.key or "")
    if document is None:
        return Projection(fingerprint_of_clean(wanted), None, "live", "new", wanted, {}, due, key=own)
    present = found(document, wanted, policy.capability)
    reason = _keep_keys(policy, wanted, present)
    return Projection(
        fingerprint_of_clean(wanted), fingerprint_of_clean(present), "live", reason, wanted, present, due, key=own, kept=kept
    )  # fmt: skip


def _complete(policy: Policy, person: Person, wanted: dict[str, Any], document: Attributes | None) -> None:
    """What every live account of ours carries beside its map: the marker, the switch on, nothing left of the overlay; and from its
    creation on the identity's id, where ids are ours to choose."""
    capability = policy.capability
    if capability.marker is not None:
        wanted[capability.marker] = policy.markers.of(person.id)
    if document is None and capability.own_ids and capability.key is not None:
        wanted.setdefault(capability.key, person.id)
    if capability.switch is not None:
        wanted.setdefault(capability.switch[0], capability.switch[1])
    if document is not None:
        lifted = delta(found(document, policy.overlay, capability), policy.overlay)
        wanted.update({path: None for path in policy.overlay if path not in wanted and path not in lifted})


def _fit(policy: Policy, wanted: dict[str, Any], document: Attributes | None) -> None:
    """Objects within their limit; of an account that exists, only what can be read back is compared."""
    too_large = policy.map.oversize(document, wanted)
    if too_large is not None:
        raise Rejected(too_large)
    if document is not None:
        for path in policy.map.hidden & wanted.keys():
            del wanted[path]


def _keep_keys(policy: Policy, wanted: dict[str, Any], present: Mapping[str, Any]) -> str:
    """A key that the provider cannot change stays as it is, and what lies within it, unless the policy is to ask or to replace."""
    moved = [path for path in policy.map.immutable if path in wanted and wanted[path] != present[path]]
    if not moved or policy.target.on_key_change != "keep":
        return ""
    specs = policy.capability.attributes
    for path in [*moved, *(path for path in wanted if path in specs and specs[path].within in moved)]:
        wanted[path] = present[path]
    return f"{', '.join(moved)} stays as it is: the provider cannot change it"


def _leaving(policy: Policy, person: Person, holding: Holding, event: Event, now: datetime) -> Projection:
    action, kept_back = policy.action(event, person.attributes)
    reason = REASONS[event]
    if action == "delete":
        return _delete(policy, person, holding, reason, now)
    if action == "disable":
        state = "retained" if kept_back else "disabled"
        return replace(_disable(policy, person, holding), state=state, reason=reason, leaving_since=None, counted=False)
    return replace(_still(holding, "retained" if kept_back else "kept", reason), leaving_since=None, counted=False)


def _disable(policy: Policy, person: Person, holding: Holding) -> Projection:
    """Only the overlay is wanted; every other attribute is frozen while disabled. What cannot be mapped any more stops no disabling."""
    wanted = dict(policy.overlay)
    present = found(holding.document or {}, wanted, policy.capability)
    try:
        kept = policy.map.kept(person.attributes)
    except Rejected:
        kept = {}
    return Projection(fingerprint(wanted), fingerprint(present), "disabled", "", wanted, present, kept=kept)


def _delete(policy: Policy, person: Person, holding: Holding, reason: str, now: datetime) -> Projection:
    """Deleted when the grace is over; its clock starts when the account is disabled, or at once where that cannot be.

    Who is enabled again from outside is disabled again; that wins no time.
    """
    grace = policy.target.deprovision.grace
    if grace:
        waiting = _disable(policy, person, holding)
        since = holding.leaving_since or (now if waiting.desired == waiting.actual else None)
        due = since + grace if since else None
        if due is None or now < due:
            return replace(waiting, state="grace", reason=reason, due=due, leaving_since=since, counted=holding.counted)
    return Projection(
        None, fingerprint(holding.document or {}), "leaving", reason, leaving_since=holding.leaving_since, counted=holding.counted
    )  # fmt: skip
