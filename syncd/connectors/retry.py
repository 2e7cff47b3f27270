"""When a request may be sent again and after how long: the provider's own wish first, else exponential back-off with jitter."""

from __future__ import annotations

import math
from dataclasses import dataclass
from datetime import UTC, datetime
from email.utils import parsedate_to_datetime

from syncd.environment import Environment
from syncd.errors import SyncdError

LONGEST = 300.0
"""Seconds; no Retry-After is believed beyond this."""


class Ambiguous(SyncdError):
    """A request left and no usable answer came back; never crosses the connector's border. ``stale``: the kept connection was dead."""

    def __init__(self, message: str, after: float | None = None, stale: bool = False) -> None:
        super().__init__(message)
        self.after, self.stale = after, stale


class Malformed(SyncdError):
    """An answer that is not what the provider documents: a decoder raises it, the client turns it into `Ambiguous`."""


@dataclass(frozen=True, slots=True)
class Budget:
    """How much patience one request gets: tries in all, and seconds from the first try to the last."""

    tries: int = 6
    seconds: float = 120.0
    base: float = 0.5
    longest: float = 30.0


def http_date(text: str) -> datetime | None:
    """An HTTP date (RFC 9110 section 5.6.7) as aware UTC; None when it is none."""
    try:
        when = parsedate_to_datetime(text)
    except (ValueError, OverflowError):
        return None
    return when if when.tzinfo else when.replace(tzinfo=UTC)


def retry_after(text: str | None, now: datetime) -> float | None:
    """Seconds a Retry-After header asks for (RFC 9110 section 10.2.3), at most LONGEST; None when absent, garbage or not in the future."""
    if not text:
        return None
    try:
        seconds = float(text)
    except ValueError:
        when = http_date(text)
        seconds = (when - now).total_seconds() if when else 0.0
    return min(seconds, LONGEST) if math.isfinite(seconds) and seconds > 0 else None


class Patience:
    """What is left of one request's budget."""

    def __init__(self, environment: Environment, budget: Budget) -> None:
        self._environment, self._budget = environment, budget
        self._began = environment.monotonic()
        self._tries = 0

    def wait(self, after: float | None) -> float | None:
        """Seconds to wait before the next try, None when there is no next try. Full jitter, so that many callers spread."""
        self._tries += 1
        budget = self._budget
        ceiling = min(budget.base * 2 ** (self._tries - 1), budget.longest)
        seconds = after if after is not None else ceiling * (0.5 + self._environment.random.random() / 2)
        left = budget.seconds - (self._environment.monotonic() - self._began)
        return seconds if self._tries < budget.tries and seconds <= left else None
