"""Moments as they are typed: an instant, a date, or how long ago."""

from __future__ import annotations

from datetime import UTC, datetime

from syncd.cli.exits import Misused
from syncd.settings.scalars import duration


def moment(text: str, now: datetime) -> datetime:
    """``2026-11-21T08:00:00Z`` (without offset: UTC), ``2026-11-21`` (its first moment, UTC), or ``2h``, ``7d`` before ``now``.

    Raises Misused.
    """
    try:
        return now - duration(text)
    except (ValueError, OverflowError):
        pass
    try:
        found = datetime.fromisoformat(text)
    except ValueError:
        raise Misused(f"{text} is no moment: say 2026-11-21T08:00:00Z, 2026-11-21, or how long ago: 2h, 7d") from None
    return found if found.tzinfo else found.replace(tzinfo=UTC)
