"""Who is missing from a listing that reached its end: gone for certain, or proof that the listing was not complete."""

from __future__ import annotations

import asyncio
from collections.abc import Sequence
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any

from syncd.engine import fading
from syncd.engine.context import Connected, Context
from syncd.engine.ledger import Seen
from syncd.environment import instant
from syncd.errors import InDoubt, Rejected, Retryable
from syncd.model import Account, Fading, Gone, Ref
from syncd.store import staging


@dataclass(slots=True)
class Proof:
    """Row ids that the listing lacks, those proven gone, those of which the provider can say nothing that counts, or the defect that shows
    the listing incomplete."""

    missing: list[int] = field(default_factory=list)
    gone: list[int] = field(default_factory=list)
    unanswered: list[int] = field(default_factory=list)
    defect: str = ""


async def absent(context: Context, one: Connected, seen: Seen, began: datetime, *, foreign: bool = False) -> Proof:
    """Every known account that the listing, which ``began`` then, did not show is asked for by itself, where the provider can say that it
    is gone. ``foreign``: the listings before were asked for by somebody else, to whom others may be visible. So who does not see an account
    that somebody else saw cannot say that it is gone; only time can, then.

    Raises Quarantined when the provider refuses to be asked, Ending.
    """
    missing = [*staging.present(context.store, one.name, seen)]
    capability = one.connector.capability
    if not capability.answers:
        return Proof(gone=[row.id for row in missing])
    proof = Proof([row.id for row in missing], defect=fading.unlisted(one, missing, seen))
    width = max(1, one.connection.rate.concurrency)
    with one.work.stretch("asking for", "missing accounts", len(missing), context.environment.monotonic()) as effort:
        for effort.done in range(0, len(missing), width):
            if proof.defect:
                return proof
            context.go_on()
            await _ask(context, one, missing[effort.done : effort.done + width], proof, began, foreign=foreign)
    if not proof.defect and proof.unanswered:
        proof.gone += fading.missed(context, proof.unanswered, capability.fading or Fading())
    return proof


async def _ask(context: Context, one: Connected, rows: Sequence[Any], proof: Proof, began: datetime, *, foreign: bool) -> None:
    asked = [one.connector.fetch(Ref(row.account, container=row.container)) for row in rows]
    for row, answer in zip(rows, await asyncio.gather(*asked, return_exceptions=True), strict=True):
        if isinstance(answer, Gone):
            (proof.unanswered if foreign or row.missing_since else proof.gone).append(row.id)
        elif isinstance(answer, Account):
            if not _fresh(context, one, row.touched_at, began):
                proof.defect = f"account {row.account} is missing from the list and yet exists: the list is not complete"
        elif isinstance(answer, Retryable | Rejected | InDoubt):
            proof.defect = f"account {row.account} is missing from the list and could not be asked for: {answer}"
        elif isinstance(answer, BaseException):
            raise answer
        elif one.connector.capability.fading is not None:
            proof.unanswered.append(row.id)
        else:
            proof.defect = f"account {row.account} is missing from the list and nothing proves it gone"


def _fresh(context: Context, one: Connected, touched_at: str | None, began: datetime) -> bool:
    """Written so recently that a lagging list may lack it, or since the listing began."""
    if touched_at is None or one.connection.write is None:
        return False
    written = instant(touched_at)
    return written >= began or context.environment.now() - written <= one.connection.write.settle
