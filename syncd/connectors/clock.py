"""How far this machine's clock and a provider's are apart."""

from __future__ import annotations

from syncd.connectors.retry import http_date
from syncd.environment import Environment

SKEW = 300.0
"""Seconds by which the clocks may differ before `check` complains."""


def skew(environment: Environment, date: str | None, provider: str) -> str:
    """What is wrong, and its cure; empty while the Date header of an answer (RFC 9110 section 6.6.1) is near enough, or absent."""
    theirs = http_date(date) if date else None
    seconds = (environment.now() - theirs).total_seconds() if theirs else 0.0
    if abs(seconds) <= SKEW:
        return ""
    return f"this machine's clock is {abs(seconds):,.0f} s {'ahead of' if seconds > 0 else 'behind'} {provider}'s: set it by NTP"
