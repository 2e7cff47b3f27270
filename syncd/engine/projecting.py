"""Rows of the store -> core's projection -> rows of the store: what changed identities should be at each target."""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Iterable, Sequence
from dataclasses import dataclass
from datetime import datetime

import orjson

from syncd.core.correlation import key
from syncd.core.policy import Policy
from syncd.core.project import Holding, Person, Projection, project
from syncd.engine import identify, rules
from syncd.engine.context import Connected, Context
from syncd.environment import instant
from syncd.model import Attributes, Hold
from syncd.store import links
from syncd.store.links import Standing
from syncd.store.standing import Stands


@dataclass(frozen=True, slots=True)
class Projected:
    """One row of the store with what projection made of it."""

    row: Stands
    person: Person
    holding: Holding | None
    projection: Projection


After = Callable[[Sequence[Projected]], Awaitable[None]]


async def _nothing(projected: Sequence[Projected]) -> None:
    """What is done after a block where nothing is."""


async def project_dirty(context: Context, one: Connected, after: After = _nothing) -> int:
    """Project everybody who changed, or whom time changed, a block a transaction; how many. ``after``: called with each block.

    First, what targets that have a say were seen to say is merged. Raises Paused when other rules are in use by now.
    """
    await identify.stirred(context)
    total = 0
    while projected := _next(context, one):
        total += len(projected)
        await after(projected)
        await context.breathe()
    return total


def _next(context: Context, one: Connected) -> list[Projected]:
    """The next block, in one transaction with what it is made from: whoever changes them then marks them again."""
    if not links.anybody_dirty(context.store, one.name):
        return []
    with context.store.transaction(durable=False):
        rules.insist(context, one)
        rows = links.dirty(context.store, one.name)
        projected = [at(context, one, row) for row in rows]
        save(context, one, projected)
        links.clean(context.store, one.name, [row.identity for row in rows])
    return projected


def at(context: Context, one: Connected, row: Stands) -> Projected:
    """Project one row of `links.standing`, `links.dirty` or `links.out_of_step`."""
    assert one.policy is not None
    person, holding = person_of(row), holding_of(context, row)
    hold = Hold.CONFIG if one.name in context.changed_rules else Hold.NOTHING
    return Projected(row, person, holding, project(one.policy, person, holding, context.now(), hold, row.apart or ""))


def save(context: Context, one: Connected, projected: Sequence[Projected]) -> None:
    links.save(context.store, one.name, [standing_of(one, each) for each in projected])


def standing_of(one: Connected, each: Projected) -> Standing:
    """What the store keeps of a projection; a pair that was tried in vain stays reported."""
    assert one.policy is not None
    found, row = each.projection, each.row
    vain = found.desired != found.actual and (found.desired, found.actual) == (row.tried_desired, row.tried_actual)
    return Standing(
        identity=each.person.id, desired=found.desired, actual=found.actual,
        state="rejected" if vain else found.state, reason=row.reason if vain else found.reason,
        key=_wanted_key(one.policy, found), leaving_since=found.leaving_since, counted=found.counted, due_at=found.due, hold=found.hold,
        account_id=None if each.holding is None else each.row.account_id,
    )  # fmt: skip


def _wanted_key(policy: Policy, projection: Projection) -> str | None:
    path = policy.capability.key
    return None if path is None else key(path, projection.key)


def person_of(row: Stands) -> Person:
    return Person(
        row.identity, orjson.loads(row.attributes), row.live, bool(row.ignored), _instant(row.starts_at), _instant(row.ends_at)
    )  # fmt: skip


def holding_of(context: Context, row: Stands) -> Holding | None:
    """The linked account, unless there is none or it is proven gone. What its holder can edit puts nobody on the ignore list."""
    if row.account_id is None or row.gone_at is not None:
        return None
    document = None if row.document is None else orjson.loads(row.document)
    return Holding(
        document, bool(row.owned), context.ignore.matches(row.account), row.state, _instant(row.leaving_since),
        bool(row.counted), row.hold or "", orjson.loads(row.written) if row.written else None,
    )  # fmt: skip


def who(person: Person) -> str:
    return called(person.id, person.attributes)


def called(id: str, attributes: Attributes) -> str:
    """What a person is called in plans: userName, or the next best name."""
    names: Iterable[str] = (attributes.get(name, "") for name in ("userName", "email", "displayName"))
    return next((name for name in names if name), id)


def _instant(text: str | None) -> datetime | None:
    return instant(text) if text else None
