"""Who is missing from a listing that reached its end: gone for certain, or proof that the listing was not complete."""

from __future__ import annotations

import asyncio
from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import Any

from syncd.engine import fading
from syncd.engine.context import Connected, Context
from syncd.engine.ledger import Seen
from syncd.environment import instant
from syncd.errors import InDoubt, Rejected, Retryable
from syncd.model import Account, Gone, Ref
from syncd.store import staging


@dataclass(slots=True)
class Proof:
    """Row ids that the listing lacks, those proven gone, those of which the provider can say nothing, or the defect that shows the listing
    incomplete."""

    missing: list[int] = field(default_factory=list)
    gone: list[int] = field(default_factory=list)
    unanswered: list[int] = field(default_factory=list)
    defect: str = ""


async def absent(context: Context, one: Connected, seen: Seen) -> Proof:
    """Every known account that the listing did not show is asked for by itself, where the provider can say that it is gone.

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
            await _ask(context, one, missing[effort.done : effort.done + width], proof)
    if not proof.defect and capability.fading is not None:
        proof.gone += fading.missed(context, proof.unanswered, capability.fading)
    return proof


async def _ask(context: Context, one: Connected, rows: Sequence[Any], proof: Proof) -> None:
    asked = [one.connector.fetch(Ref(row.account, container=row.container)) for row in rows]
    for row, answer in zip(rows, await asyncio.gather(*asked, return_exceptions=True), strict=True):
        if isinstance(answer, Gone):
            proof.gone.append(row.id)
        elif isinstance(answer, Account):
            if not _fresh(context, one, row.touched_at):
                proof.defect = f"account {row.account} is missing from the list and yet exists: the list is not complete"
        elif isinstance(answer, Retryable | Rejected | InDoubt):
            proof.defect = f"account {row.account} is missing from the list and could not be asked for: {answer}"
        elif isinstance(answer, BaseException):
            raise answer
        elif one.connector.capability.fading is not None:
            proof.unanswered.append(row.id)
        else:
            proof.defect = f"account {row.account} is missing from the list and nothing proves it gone"


def _fresh(context: Context, one: Connected, touched_at: str | None) -> bool:
    """Written so recently that a lagging list may lack it."""
    if touched_at is None or one.connection.write is None:
        return False
    return context.environment.now() - instant(touched_at) <= one.connection.write.settle
