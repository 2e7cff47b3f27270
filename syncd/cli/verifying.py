"""`syncd verify`: the slow way to every decision, compared with what the store has."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import Any

from syncd.cli.documents import document as _document
from syncd.cli.invocation import Invocation
from syncd.cli.printer import GREEN, RED, Styled
from syncd.cli.progress import Progress
from syncd.cli.text import count
from syncd.engine import rules
from syncd.engine.context import Context
from syncd.engine.verify import verify
from syncd.model import Effort
from syncd.store import Store, answers, chain
from syncd.wiring import connected


@dataclass(frozen=True, slots=True)
class Verified:
    """The differences; how many living identities there are; how many entries the journal has, and what the last one is chained by."""

    differences: Sequence[str]
    identities: int
    entries: int
    chain: str


async def verified(invocation: Invocation, store: Store) -> Verified:
    """Nothing is compared under rules that the store has not seen."""
    landscape = invocation.settings.landscape
    async with connected(invocation.settings, invocation.environment, writable=False) as each:
        context = Context(invocation.environment, store, landscape, each, [one.name for one in landscape.connections])
        changed = rules.unseen(context)
        told = [f"{name}: its map, scope or sources changed since the last run; `syncd plan` decides anew" for name in changed]
        differences = [*_broken(invocation, store), *(told or _differing(invocation, context))]
    entries, last = chain.end(store)
    return Verified(differences, answers.living(store), entries, last.hex())


def _broken(invocation: Invocation, store: Store) -> list[str]:
    effort = Effort("checking the journal:", "entries", chain.end(store)[0])
    with Progress(invocation.printer, invocation.environment).beside(effort) as look:

        def passed(entries: int) -> None:
            effort.done += entries
            look()

        return list(chain.broken(store, passed))


def _differing(invocation: Invocation, context: Context) -> list[str]:
    effort = Effort("verifying", "people")
    with Progress(invocation.printer, invocation.environment).beside(effort) as look:
        return list(verify(context, effort, look))


def document(found: Verified) -> dict[str, Any]:
    journal = {"entries": found.entries, "chain": found.chain}
    return _document("verify", identities=found.identities, differences=list(found.differences), journal=journal)


def lines(found: Verified) -> Iterator[str | Styled]:
    yield from ((line, RED) for line in found.differences)
    if found.differences:
        yield f"{count(len(found.differences), 'difference')}.", RED
    else:
        yield f"{count(found.identities, 'identity', 'identities')} verified: every decision follows from the documents.", GREEN
        if found.entries:
            yield f"The journal holds: {count(found.entries, 'entry', 'entries')}, up to {found.chain}.", GREEN
