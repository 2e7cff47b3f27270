"""Moments as people type them: a duration from now, or an instant."""

from __future__ import annotations

from datetime import UTC, datetime

from syncd.cli.exits import Misused
from syncd.settings.scalars import duration


def coming(text: str, now: datetime, option: str) -> datetime:
    """``2h`` or ``7d`` from now, ``2026-11-22T08:00Z``, or without a zone in that of this machine. Raises Misused for what has passed."""
    try:
        moment = now + duration(text)
    except ValueError:
        moment = _instant(text, option)
    except OverflowError:
        raise Misused(f"{option} {text} is farther away than a date can say") from None
    if moment <= now:
        raise Misused(f"{option} {text} has passed: it is {now:%Y-%m-%d %H:%M} UTC")
    return moment


def _instant(text: str, option: str) -> datetime:
    try:
        return datetime.fromisoformat(text).astimezone(UTC)
    except (ValueError, OverflowError):
        told = "say a duration such as 30m, 2h or 7d, or an instant such as 2026-11-22T08:00Z"
        raise Misused(f"{option} {text!r} is no moment: {told}") from None
