"""Who should have an account, from when until when, and what forbids its deletion."""

from __future__ import annotations

from collections.abc import Collection, Mapping
from datetime import UTC, date, datetime, time, timedelta
from enum import StrEnum
from typing import Any
from zoneinfo import ZoneInfo

from syncd.core import variables
from syncd.core.expression import EvaluationError, compile_expression
from syncd.core.kinds import boolean
from syncd.core.values import present
from syncd.errors import Rejected

_FIRST, _LAST = datetime.min.replace(tzinfo=UTC), datetime.max.replace(tzinfo=UTC)


class Event(StrEnum):
    """Why an identity is not entitled at a connection."""

    INACTIVE = "inactive"
    OUT_OF_SCOPE = "out_of_scope"
    DEPARTED = "departed"


def window(active_from: str | None, active_until: str | None, zone: str) -> tuple[datetime | None, datetime | None]:
    """activeFrom and activeUntil as UTC instants [start, end); None = open.

    A bare date begins at 00:00 and ends at 24:00 in ``zone`` (the first of both where clocks go back, the moment of the change where they
    go forward); a time without offset is in ``zone``. Instants that no datetime can hold become the first or last one. Raises Rejected.
    """
    return _instant("activeFrom", active_from, zone, days=0), _instant("activeUntil", active_until, zone, days=1)


def _instant(name: str, text: str | None, zone: str, days: int) -> datetime | None:
    """``days``: how many to add to a bare date."""
    if not text:
        return None
    try:
        local = datetime.fromisoformat(text)
    except ValueError:
        raise Rejected(f"{name}: {text[:40]!r} is neither a date (2026-12-31) nor a time (2026-12-31T18:00:00+01:00)") from None
    try:
        if _bare(text):
            local = datetime.combine(local.date() + timedelta(days=days), time())
        return (local if local.tzinfo else local.replace(tzinfo=_zone(zone))).astimezone(UTC)
    except OverflowError:
        return _LAST if local.year > 5000 else _FIRST


def _bare(text: str) -> bool:
    try:
        date.fromisoformat(text)
    except ValueError:
        return False
    return True


def _zone(name: str) -> ZoneInfo:
    try:
        return ZoneInfo(name)
    except (KeyError, ValueError, OSError):
        raise Rejected(f"unknown time zone {name!r}") from None


def entitlement(
    *, live: bool, in_scope: bool, active: bool, start: datetime | None, end: datetime | None, now: datetime
) -> tuple[Event | None, datetime | None]:
    """(what ended it, or None = entitled; the next instant at which passing time alone changes that answer, or None).

    Where several ended it the graver evidence names it: departed, then inactive, which never deletes, then out of scope.
    """
    if not live:
        return Event.DEPARTED, None
    begins, ends = start or _FIRST, end or _LAST
    inside = Event.OUT_OF_SCOPE if not in_scope else None
    if not active or ends <= begins or now >= ends:
        return Event.INACTIVE, None
    if now < begins:
        return Event.INACTIVE, start
    return inside, end


def retained(rule: str, attributes: Mapping[str, Any], canonical: Collection[str]) -> bool:
    """Whether ``retain`` (the name of an attribute, or CEL) forbids deletion; whatever cannot be read forbids it. No value does not.

    Raises ExpressionError for an expression that does not compile.
    """
    if rule in canonical:
        value = attributes.get(rule)
        return present(value) and (boolean(value) is not False if isinstance(value, str) else value is not False)
    try:
        return bool(compile_expression(rule, variables.canonical(canonical), "bool").evaluate(attributes))
    except EvaluationError:
        return True
