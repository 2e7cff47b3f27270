"""Proof that a person left: without it no leaver can be planned, by type.

A `Seal` is made only from a listing that was read to its proven end. `Evidence` is made only from the seals of every source that
vouches for the person, and is as old as the oldest of them.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta

STALE = timedelta(minutes=15)
"""Evidence older than this is taken anew before the change is sent."""


@dataclass(frozen=True, slots=True)
class Seal:
    """``connection``'s last listing was complete, at ``at``."""

    connection: str
    at: datetime


@dataclass(frozen=True, slots=True)
class Evidence:
    """Why somebody may be treated as a leaver; make it with `prove`."""

    at: datetime
    sources: tuple[str, ...]

    def stale(self, now: datetime) -> bool:
        """Older than `STALE`, or from the future: then a clock jumped, and its age is unknown."""
        return not timedelta(0) <= now - self.at <= STALE


def prove(seals: Sequence[Seal | None]) -> Evidence | None:
    """Evidence from the seal of each authoritative connection; None as soon as one is missing (or there is none at all)."""
    held = [one for one in seals if one is not None]
    if not held or len(held) < len(seals):
        return None
    return Evidence(min(one.at for one in held), tuple(one.connection for one in held))
