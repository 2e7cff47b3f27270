"""Moments as people type them: an instant, a date, or a duration from now or ago; without an offset in UTC, as everything is printed."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta

from syncd.cli.exits import Misused
from syncd.settings.scalars import duration


def coming(text: str, now: datetime, option: str) -> datetime:
    """``2h`` or ``7d`` from now, ``2026-11-22T08:00Z``, ``2026-11-22`` (its first moment). Raises Misused, also for what has passed."""
    moment = _moment(text, now, option, 1, "in how long: 30m, 2h, 7d")
    if moment <= now:
        raise Misused(f"{option} {text} has passed: it is {now:%Y-%m-%d %H:%M} UTC")
    return moment


def past(text: str, now: datetime, option: str) -> datetime:
    """The same ago: ``2h``, ``7d``. Raises Misused."""
    return _moment(text, now, option, -1, "how long ago: 30m, 2h, 7d")


def _moment(text: str, now: datetime, option: str, way: int, how_long: str) -> datetime:
    try:
        said = _duration(text)
        if said is not None:
            return now + way * said
        found = datetime.fromisoformat(text)
        return found if found.tzinfo else found.replace(tzinfo=UTC)
    except OverflowError:
        raise Misused(f"{option} {text} is farther away than a date can say") from None
    except ValueError:
        raise Misused(f"{option} {text!r} is no moment: say 2026-11-21T08:00Z, 2026-11-21, or {how_long}") from None


def _duration(text: str) -> timedelta | None:
    try:
        return duration(text)
    except ValueError:
        return None
