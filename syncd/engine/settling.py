"""What an answer means for the store: the account that came back enters by the staging door, and its link is projected anew."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import orjson

from syncd.engine import records
from syncd.engine.context import Connected, Context
from syncd.engine.projecting import Projected, at, save
from syncd.model import Account
from syncd.store import links, outcomes, staging

AT_THE_END = 2**40
"""The place of an account that no listing has shown yet."""


def arrived(context: Context, one: Connected, identity: str, account: Account, *, last: bool) -> None:
    """A step took: ``account`` is what the provider has now. After the ``last`` step, what still differs was in vain."""
    staged = records.stage(context, one, account, AT_THE_END)
    row = staging.upsert(context.store, one.name, [staged])[account.id]
    outcomes.attach(context.store, one.name, identity, row, context.environment.now())
    _project_again(context, one, identity, last=last)


def left(context: Context, one: Connected, identity: str, account_id: int | None) -> None:
    """The account was deleted: a tombstone, and a link without an account."""
    now = context.environment.now()
    if account_id is not None:
        staging.gone(context.store, [account_id], now)
    outcomes.detach(context.store, one.name, identity, account_id, now)
    _project_again(context, one, identity, last=False)


def _project_again(context: Context, one: Connected, identity: str, *, last: bool) -> None:
    projected = [at(context, one, row) for row in links.standing(context.store, one.name, [identity])]
    save(context, one, projected)
    links.clean(context.store, one.name, [identity])
    if not last:
        return
    found = projected[0].projection
    if found.desired == found.actual:
        outcomes.took(context.store, one.name, identity, _ours(one, projected[0]))
    else:
        outcomes.in_vain(context.store, one.name, identity, _kept(one, found.wanted or {}, found.found or {}))


def _ours(one: Connected, each: Projected) -> str | None:
    assert one.policy is not None
    if each.projection.event is not None:
        return each.row.written if each.row.written is None else str(each.row.written)
    ours = one.policy.ours(each.person.attributes)
    return orjson.dumps(ours).decode() if ours else None


def _kept(one: Connected, wanted: Mapping[str, Any], found: Mapping[str, Any]) -> str:
    differing = [f"{path} = {orjson.dumps(found.get(path)).decode()}" for path in wanted if wanted[path] != found.get(path)]
    return f"{one.name} kept {', '.join(differing)}"
