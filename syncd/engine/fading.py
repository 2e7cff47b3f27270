"""Absence that only time can prove: how often, and since when, an account is missing from complete listings."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from typing import Any

from syncd.engine.context import Connected, Context
from syncd.engine.ledger import Seen
from syncd.model import Fading
from syncd.store import missing as lacking


def unlisted(one: Connected, missing: Iterable[Any], seen: Seen) -> str:
    """The defect of a listing that left out a whole container in which accounts are known to live; "" where it left out none."""
    left = sorted({row.container for row in missing if row.container is not None} - seen.containers)
    where = ", ".join(left)
    cure = f"if its accounts were deleted with it: syncd connection forget {one.name}"
    return f"{where} is not listed any more, and accounts are known to live there: the list is not complete ({cure})" if left else ""


def returned(context: Context, one: Connected, seen: Seen) -> None:
    """Who was missing and is there again is not missing any more, however the listing ended."""
    if back := [row for row in lacking.missing(context.store, one.name) if row in seen]:
        with context.store.transaction(durable=False):
            lacking.found(context.store, back)


def missed(context: Context, rows: Sequence[int], rule: Fading) -> list[int]:
    """One more complete listing without these accounts: the row ids of those that are gone by now."""
    now = context.environment.now()
    with context.store.transaction(durable=False):
        lacking.missed(context.store, rows, now)
        return lacking.faded(context.store, rows, rule.listings, now - rule.over)
