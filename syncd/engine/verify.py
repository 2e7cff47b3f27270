"""Recompute every decision from the documents and report any difference: the slow way, as proof of the fast one."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence

from syncd.engine import identify
from syncd.engine.context import Connected, Context
from syncd.engine.projecting import at, standing_of
from syncd.environment import stamp
from syncd.model import Effort
from syncd.store import identities, links


def verify(context: Context, effort: Effort | None = None, look: Callable[[], None] = lambda: None) -> Iterator[str]:
    """One sentence for each identity or link whose stored state is not what its documents say; those still to be projected are skipped.

    ``look`` is called after each block of people, once ``effort`` says how many they were.
    """
    effort, after = effort or Effort("", ""), ""
    effort.of = identities.count(context.store)
    while ids := identities.all_ids(context.store, after):
        after = ids[-1]
        effort.done += len(ids)
        look()
        yield from _people(context, ids)
        for name in context.targets:
            yield from _links(context, context.connected[name], ids)


def _people(context: Context, ids: Sequence[str]) -> Iterator[str]:
    stored = {row.id: row for row in identities.documents(context.store, ids)}
    waiting = {identity for name in context.contributing for identity in links.waiting_for_projection(context.store, name, ids)}
    for person in identify.people(context, ids):
        row = stored[person.id]
        if person.id not in waiting and (row.attributes, row.live) != (person.attributes, person.live):
            yield f"identity {person.id}: stored as {row.live}, its accounts say {person.live} or other attributes"


def _links(context: Context, one: Connected, ids: Sequence[str]) -> Iterator[str]:
    waiting = links.waiting_for_projection(context.store, one.name, ids)
    now = stamp(context.environment.now())
    for row in links.standing(context.store, one.name, ids):
        if row.identity in waiting or (row.due_at is not None and row.due_at <= now):
            continue
        found = standing_of(one, at(context, one, row))
        if (row.desired, row.actual) != (found.desired, found.actual):
            yield f"{one.name}: identity {row.identity} ({row.state}): stored fingerprints are not those of its documents ({found.state})"
