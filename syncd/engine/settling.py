"""What an answer means for the store: the account that came back enters by the staging door, and its link is projected anew."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import orjson

from syncd.core.mapping import delta
from syncd.engine import echoing, identify, records, rules
from syncd.engine.context import Connected, Context
from syncd.engine.projecting import Projected, at, save
from syncd.model import Account, Kind
from syncd.store import identities, links, outcomes, reverting, staging


def arrived(context: Context, one: Connected, change: Any, account: Account, *, last: bool, believed: bool = False) -> None:
    """A step of ``change`` (a row of the journal) took: ``account`` is what the provider has now. The ``last`` one shows what took;
    where that the account is its work is only ``believed``, what is not as asked for is no proof that asking was in vain.
    """
    (whole,) = records.carry_over(context, one, [account])
    staged = records.stage(context, one, whole)
    row = staging.upsert(context.store, one.name, [staged])[account.id]
    wrote = echoing.pending(context, one, change)
    outcomes.attach(context.store, one.name, change.identity, row, context.environment.now())
    echoing.settle(context, one, change, wrote, whole, last=last)
    if change.reverts is not None:
        reverting.begin(context.store, change)
    (each,) = _project_again(context, one, change.identity)
    if last:
        _judge(context, one, change, each, believed=believed)
    if last and change.reverts is not None:
        reverting.stands(context.store, change)


def left(context: Context, one: Connected, change: Any) -> None:
    """The account of ``change`` was deleted: a tombstone, and a link without an account."""
    now = context.environment.now()
    staging.gone(context.store, [change.account_id], now)
    outcomes.detach(context.store, one.name, change.identity, change.account_id, now)
    _project_again(context, one, change.identity)


def _project_again(context: Context, one: Connected, identity: str) -> list[Projected]:
    if one.name in context.contributing:
        identify.remake(context, [identity])
    projected = [at(context, one, row) for row in links.standing(context.store, one.name, [identity])]
    save(context, one, projected)
    if rules.stand(context, one):
        links.clean(context.store, one.name, [identity])
    else:
        identities.mark(context.store, [identity], [one.name])
    return projected


def _judge(context: Context, one: Connected, change: Any, each: Projected, *, believed: bool) -> None:
    """The account is as it should be; or it is not, and either something else is wanted by now or the asking was in vain."""
    found = each.projection
    if found.state != "rejected" and (ours := _ours(one, each)) != each.row.written:
        outcomes.wrote(context.store, one.name, change.identity, ours)
    if found.desired == found.actual:
        outcomes.took(context.store, one.name, change.identity)
    elif not believed and found.wanted is not None and not _unasked(one, change, delta(found.found or {}, found.wanted)):
        outcomes.in_vain(context.store, one.name, change.identity, _kept(one, found.wanted, found.found or {}))


def _unasked(one: Connected, change: Any, left: Mapping[str, tuple[Any, Any]]) -> bool:
    """Whether something of what is ``left`` was not asked for in this form; an update never asks for what only a create can set."""
    assert one.policy is not None
    asked = {path: after for path, (_, after) in orjson.loads(change.delta).items()}
    if change.kind == Kind.UPDATE.value:
        left = {path: pair for path, pair in left.items() if path not in one.policy.map.immutable}
    return any(path not in asked or delta(asked, {path: after}) for path, (_, after) in left.items())


def _ours(one: Connected, each: Projected) -> str | None:
    assert one.policy is not None
    if each.projection.event is not None:
        return each.row.written if each.row.written is None else str(each.row.written)
    ours = one.policy.ours(each.person.attributes)
    return orjson.dumps(ours).decode() if ours else None


def _kept(one: Connected, wanted: Mapping[str, Any], found: Mapping[str, Any]) -> str:
    differing = [f"{path} = {orjson.dumps(kept).decode()}" for path, (kept, _) in delta(found, wanted).items()]
    return f"{one.name} kept {', '.join(differing)}"
