"""`syncd verify`: the slow way to every decision, compared with what the store has."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import Any

from syncd.cli.documents import document as _document
from syncd.cli.invocation import Invocation
from syncd.cli.printer import GREEN, RED, Styled
from syncd.cli.text import count
from syncd.cli.wiring import connected
from syncd.engine import rules
from syncd.engine.context import Context
from syncd.engine.verify import verify
from syncd.store import Store, answers


async def verified(invocation: Invocation, store: Store) -> tuple[list[str], int]:
    """The differences, and how many living identities there are. Nothing is compared under rules that the store has not seen."""
    landscape = invocation.settings.landscape
    async with connected(invocation.settings, invocation.environment, writable=False) as each:
        context = Context(invocation.environment, store, landscape, each, [one.name for one in landscape.connections])
        changed = rules.unseen(context)
        told = [f"{name}: its map, scope or sources changed since the last run; `syncd plan` decides anew" for name in changed]
        return told or list(verify(context)), answers.living(store)


def document(differences: Sequence[str], identities: int) -> dict[str, Any]:
    return _document("verify", identities=identities, differences=list(differences))


def lines(differences: Sequence[str], identities: int) -> Iterator[str | Styled]:
    yield from ((line, RED) for line in differences)
    if differences:
        yield f"{count(len(differences), 'difference')}.", RED
    else:
        yield f"{count(identities, 'identity', 'identities')} verified: every decision follows from the documents.", GREEN
