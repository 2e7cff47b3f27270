"""The canonical identity store: the only room that speaks SQL."""

from __future__ import annotations

from syncd.store.database import Store

__all__ = ["Store"]
