"""For identities without an account: the accounts that answer to their keys, and what adopting one would change."""

from __future__ import annotations

from collections.abc import Collection, Iterable, Mapping, Sequence
from typing import Any

import orjson

from syncd.core.correlation import key
from syncd.core.markers import Owner
from syncd.core.matching import WORD, Candidate, Conflict, Match, match
from syncd.core.project import Holding, Projection, project
from syncd.engine import identify
from syncd.engine.context import Connected, Context
from syncd.engine.projecting import Projected
from syncd.errors import Rejected, Retryable
from syncd.model import Account, Hold, Ref
from syncd.store import answering, identities, staging, words

Matches = Mapping[str, Match | Conflict | None]
Pairs = Sequence[tuple[str, str]]
"""(attribute, key); ``@key`` is the provider's own attribute, ``@marker`` ours: one for each name the identity answers to."""


def correlate(context: Context, one: Connected, newcomers: Sequence[Projected]) -> Matches:
    """Identity -> the account it should adopt, why it cannot, or None: it is to be created."""
    assert one.policy is not None
    aliases = identities.aliases(context.store, [each.person.id for each in newcomers])
    names = {each.person.id: sorted({each.person.id, *aliases.get(each.person.id, ())}) for each in newcomers}
    known = _known_by(context, newcomers)
    keys = {each.person.id: _keys(one, each, known[each.person.id], names[each.person.id]) for each in newcomers}
    found = answering.candidates(context.store, one.name, {pair for pairs in keys.values() for pair in pairs})
    found |= {(WORD, identity): [row] for identity, row in words.given(context.store, one.name, keys).items()}
    strangers = _Strangers(context, one, found, words.refused(context.store, one.name, keys))
    order = _order(one)
    matches = {
        identity: match(strangers.candidates(identity, pairs, names[identity]), order, identity, context.landscape.instance)
        for identity, pairs in keys.items()
    }
    return {**matches, **_contested(context, one, keys, matches)}


def _known_by(context: Context, newcomers: Sequence[Projected]) -> Mapping[str, Mapping[str, Any]]:
    """Identity -> the values that its keys are made of: no other target's account finds anybody's."""
    if context.contributing:
        said = identify.sourced(context, [each.person.id for each in newcomers])
        return {each.person.id: said[each.person.id] or each.person.attributes for each in newcomers}
    return {each.person.id: each.person.attributes for each in newcomers}


def _keys(one: Connected, each: Projected, known: Mapping[str, Any], names: Iterable[str]) -> Pairs:
    assert one.policy is not None
    own = one.connector.capability.key
    wanted = each.projection.wanted or {}
    pairs = [("@key", key(own, wanted.get(own)) if own else None)]
    pairs += [("@marker", one.policy.markers.of(name)) for name in names]
    pairs += [(name, key(name, known.get(name))) for name in one.policy.target.correlate]
    return [(name, value) for name, value in pairs if value is not None]


def _order(one: Connected) -> list[str]:
    assert one.policy is not None
    return ["@key", "@marker", *one.policy.target.correlate]


class _Strangers:
    """The accounts found for a block of newcomers, and whose they would be by their other trusted keys."""

    def __init__(
        self, context: Context, one: Connected, found: Mapping[tuple[str, str], Sequence[Any]], refused: Collection[tuple[str, int]]
    ) -> None:  # fmt: skip
        """``refused``: (identity, account row) of which a person said no."""
        assert one.policy is not None
        self._found, self._markers, self._refused = found, one.policy.markers, refused
        markers = self._markers
        accounts = {row.account_id: row.account for rows in found.values() for row in rows}
        self._trusted = answering.trusted_keys(context.store, sorted(accounts))
        self._marked = {row: markers.owner(keys.get("@marker"), [accounts[row]]) for row, keys in self._trusted.items()}
        named = {("@id", owner.identity) for owner in self._marked.values() if owner is not None}
        self._living = {
            Owner(markers.instance, name) for (_, name), rows in identities.by_keys(context.store, named).items()
            if any(row.live == "live" for row in rows)
        }  # fmt: skip

    def candidates(self, identity: str, pairs: Pairs, names: Sequence[str]) -> dict[str, list[Candidate]]:
        """``names``: the ids this identity answers to."""
        found: dict[str, list[Candidate]] = {}
        for name, value in ((WORD, identity), *pairs):
            found.setdefault(name, []).extend(self._candidate(identity, row, pairs, names) for row in self._found.get((name, value), ()))
        return found

    def _candidate(self, identity: str, row: Any, pairs: Pairs, names: Sequence[str]) -> Candidate:
        forgeable = row.marker is not None and not row.marker_trusted
        return Candidate(
            row.attribute, bool(row.trusted), row.account_id, row.account, bool(row.ignored), row.linked,
            row.linked is not None and row.linked_live == "departed", self._markers.owner(row.marker, [*names, row.account]),
            self._contradiction(row.account_id, pairs), (identity, row.account_id) in self._refused, forgeable,
        )  # fmt: skip

    def _contradiction(self, account: int, pairs: Pairs) -> str:
        """What a trusted key of the account says against these keys being its own; our marker settles it either way."""
        theirs = self._trusted.get(account, {})
        if ("@marker", theirs.get("@marker")) in pairs:
            return ""
        if self._marked.get(account) in self._living:
            return "it carries the marker of another person"
        other = sorted(name for name, value in pairs if name in theirs and theirs[name] != value and not name.startswith("@"))
        return f"its {', '.join(other)} is another's" if other else ""


def _contested(context: Context, one: Connected, keys: Mapping[str, Pairs], matches: Matches) -> dict[str, Conflict]:
    """An account that several newcomers answer to by the same key is nobody's before a person says whose."""
    by = {identity: (found, dict(keys[identity]).get(found.by)) for identity, found in matches.items() if isinstance(found, Match)}
    wanted: dict[str, set[str]] = {}
    for found, value in by.values():
        if value is not None:
            wanted.setdefault(found.by, set()).add(value)
    rivals = {name: answering.newcomers(context.store, one.name, name, sorted(values)) for name, values in wanted.items()}
    claims = {identity: (found, sorted(rivals.get(found.by, {}).get(value or "", ()))) for identity, (found, value) in by.items()}
    return {
        identity: _several(found, people)
        for identity, (found, people) in claims.items() if len(people) > 1
    }  # fmt: skip


def _several(found: Match, people: Sequence[str]) -> Conflict:
    told = f"account {found.account} matches {len(people)} people by {found.by}: {', '.join(people)}"
    return Conflict(Hold.AMBIGUOUS, told, (found.account,))


async def adopted(context: Context, one: Connected, each: Projected, found: Match) -> Projection | Conflict:
    """The identity projected over the account it would adopt; a Conflict while that account cannot be read."""
    assert one.policy is not None
    document = await _document(context, one, found)
    if isinstance(document, Conflict):
        return document
    person = identify.foreseen(context, one, each.person, Account(found.account, document))
    return project(one.policy, person, Holding(document), context.environment.now())


async def readable(context: Context, one: Connected, found: Match) -> bool:
    """Whether the account's attributes are known, or could be asked for. Raises Quarantined."""
    return not isinstance(await _document(context, one, found), Conflict)


async def _document(context: Context, one: Connected, found: Match) -> Mapping[str, Any] | Conflict:
    """The account's attributes, asked for where the store kept none (a stranger's until now). Raises Quarantined."""
    text = staging.document(context.store, found.row)
    if text is not None:
        kept: Mapping[str, Any] = orjson.loads(text)
        return kept
    if context.offline:
        return _unread(found, "the store has not kept its attributes, and nobody is asked now")
    try:
        answer = await one.connector.fetch(Ref(found.account))
    except (Retryable, Rejected) as error:
        return _unread(found, str(error))
    if not isinstance(answer, Account):
        return _unread(found, "the list shows it, and asked for it is not there")
    lacking = sorted(one.needed - answer.attributes.keys())
    if lacking:
        return _unread(found, f"its answer does not carry {', '.join(lacking)}")
    with context.store.transaction():
        staging.keep_document(context.store, found.row, orjson.dumps(answer.attributes).decode())
        staging.mark_linked(context.store, [found.row])
    return answer.attributes


def _unread(found: Match, why: str) -> Conflict:
    return Conflict(Hold.UNREAD, f"account {found.account} matches by {found.by} and could not be read: {why}")
