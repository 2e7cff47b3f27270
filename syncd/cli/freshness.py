"""How fresh a connection is, in words: ``delta 40 s ago, full 3 h ago, next in 20 s``."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import datetime
from typing import Any

from syncd.environment import instant

_UNITS = ((86400, "d"), (3600, "h"), (60, "min"), (1, "s"))


def freshness(state: Mapping[str, Any], now: datetime, *, working: bool = False) -> str:
    """``state``: as in the status document. ``working``: it is being read, or brought in step."""
    told = [f"{name} {_ago(state[f'last_{name}'], now)}" for name in ("delta", "full") if state[f"last_{name}"]]
    told = told or ["not read yet"]
    told += ["PAUSED"] if state["paused"] else []
    if working:
        return ", ".join([*told, "at work"])
    if state["suspended"]:
        told.append("suspended")
    if state["next_run"] is not None:
        told.append(f"{'tried again' if state['suspended'] else 'next'} {_in(state['next_run'], now)}")
    return ", ".join(told)


def _ago(text: str, now: datetime) -> str:
    seconds = (now - instant(text)).total_seconds()
    return f"{_span(seconds)} ago" if seconds >= 1 else "just now"


def _in(text: str, now: datetime) -> str:
    seconds = (instant(text) - now).total_seconds()
    return f"in {_span(seconds)}" if seconds >= 1 else "now"


def _span(seconds: float) -> str:
    """The largest unit of which there is at least one."""
    size, name = next((one for one in _UNITS if seconds >= one[0]), _UNITS[-1])
    return f"{int(seconds // size):,} {name}"
