"""People who are to have no account at a target, and have one of ours all the same: the store was lost since it was made."""

from __future__ import annotations

from collections.abc import Sequence

from syncd.core.matching import Match
from syncd.engine import identify
from syncd.engine.context import Connected, Context
from syncd.engine.correlating import correlate, readable
from syncd.engine.projecting import Projected, project_dirty
from syncd.store import entries, identities, links, outcomes


async def judge(context: Context, one: Connected) -> None:
    """Project everybody who changed at one target, and take back the accounts of those who are to have none."""
    with one.work.stretch("judging", "people", links.count_dirty(context.store, one.name), context.environment.monotonic()) as effort:

        async def judged(projected: Sequence[Projected]) -> None:
            effort.done += len(projected)
            await take_back(context, one, projected)

        await project_dirty(context, one, judged)


async def take_back(context: Context, one: Connected, projected: Sequence[Projected]) -> None:
    """Their accounts are owned again, so that they leave like anybody's: a trusted key names each, and our marker. Raises Quarantined."""
    without = [each for each in projected if each.projection.event is not None and each.holding is None]
    for identity, found in correlate(context, one, without).items():
        if isinstance(found, Match) and found.ours and await readable(context, one, found):
            now = context.environment.now()
            with context.store.transaction():
                outcomes.attach(context.store, one.name, identity, found.row, now)
                entries.owned_again(context.store, one.name, identity, found.account, context.run, now)
                identities.mark(context.store, [identity], [one.name])
                identify.remake(context, [identity])
