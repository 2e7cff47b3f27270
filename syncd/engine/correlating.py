"""For identities without an account: the accounts that answer to their keys, and what adopting one would change."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

import orjson

from syncd.core.correlation import key, marker
from syncd.core.matching import Candidate, Conflict, Match, match
from syncd.core.project import Holding, Projection, project
from syncd.engine.context import Connected, Context
from syncd.engine.projecting import Projected
from syncd.errors import Rejected, Retryable
from syncd.model import Account, Ref
from syncd.store import links, staging

Matches = Mapping[str, Match | Conflict | None]


def correlate(context: Context, one: Connected, newcomers: Sequence[Projected]) -> Matches:
    """Identity -> the account it should adopt, why it cannot, or None: it is to be created."""
    keys = {each.person.id: _keys(context, one, each) for each in newcomers}
    found = links.candidates(context.store, one.name, {pair for pairs in keys.values() for pair in pairs})
    order = _order(one)
    return {
        identity: match(_candidates(pairs, found), order, identity, context.landscape.instance) for identity, pairs in keys.items()
    }  # fmt: skip


def _keys(context: Context, one: Connected, each: Projected) -> list[tuple[str, str]]:
    assert one.policy is not None
    own = one.connector.capability.key
    wanted = each.projection.wanted or {}
    pairs = [("@key", key(own, wanted.get(own)) if own else None), ("@marker", marker(context.landscape.instance, each.person.id))]
    pairs += [(name, key(name, each.person.attributes.get(name))) for name in one.policy.target.correlate]
    return [(name, value) for name, value in pairs if value is not None]


def _order(one: Connected) -> list[str]:
    assert one.policy is not None
    return ["@key", "@marker", *one.policy.target.correlate]


def _candidates(pairs: Sequence[tuple[str, str]], found: Mapping[tuple[str, str], Sequence[Any]]) -> dict[str, list[Candidate]]:
    return {name: [_candidate(row) for row in found.get((name, value), ())] for name, value in pairs}


def _candidate(row: Any) -> Candidate:
    return Candidate(
        row.attribute, bool(row.trusted), row.account_id, row.account, bool(row.ignored), row.linked,
        row.linked is not None and row.linked_live == "departed", row.marker,
    )  # fmt: skip


async def adopted(context: Context, one: Connected, each: Projected, found: Match) -> tuple[Projection, Mapping[str, Any]] | None:
    """(projection of the identity over the account it would adopt, that account's attributes); None when the account is gone after all."""
    assert one.policy is not None
    document = await document_of(context, one, found)
    if document is None:
        return None
    over = project(one.policy, each.person, Holding(document), context.environment.now())
    return over, document


async def document_of(context: Context, one: Connected, found: Match) -> Mapping[str, Any] | None:
    """The account's attributes, asked for where the store kept none (a stranger's until now)."""
    text = staging.document(context.store, found.row)
    if text is not None:
        kept: Mapping[str, Any] = orjson.loads(text)
        return kept
    try:
        answer = await one.connector.fetch(Ref(found.account))
    except (Retryable, Rejected):
        return None
    if not isinstance(answer, Account):
        return None
    with context.store.transaction():
        staging.keep_document(context.store, found.row, orjson.dumps(answer.attributes).decode())
    return answer.attributes
