"""May this plan run: limits with their arithmetic. A kind that is over its limit is held whole; the others go on."""

from __future__ import annotations

from collections.abc import Mapping
from decimal import Decimal
from math import floor

from syncd.model import Kind, Limit

GROUPS: Mapping[str, tuple[Kind, ...]] = {
    "create": (Kind.CREATE,),
    "update": (Kind.UPDATE, Kind.ADOPT),
    "delete": (Kind.DELETE, Kind.DISABLE),
}
"""Which kinds count together: disables count as deletes."""
VERBS = {"create": "are new", "update": "change", "delete": "leave", "clear": "lose a value"}


def allowed(limit: Limit, owned: int) -> int:
    """Distinct accounts in 24 h: max(least, min(maximum, floor(percent of owned))), of the percent as written: 9.2 has no binary form."""
    share = floor(Decimal(str(limit.percent)) * owned / 100)
    return max(limit.least, share if limit.maximum is None else min(limit.maximum, share))


def verdict(group: str, limit: Limit, owned: int, touched: int, planned: int, cause: str = "") -> str | None:
    """Why ``planned`` changes must wait, or None. ``touched``: distinct accounts of this plan and of the last 24 h together."""
    most = allowed(limit, owned)
    if planned == 0 or touched <= most:
        return None
    share = f"{100 * planned / owned:.0f} %" if owned else "all"
    before = touched - planned
    earlier = f" with {before} more in the last 24 h" if before > 0 else ""
    return f"{planned} {VERBS[group]} ({share} of {owned}, limit {most}{earlier})" + (f": {cause}" if cause else "")
