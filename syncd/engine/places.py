"""Which containers a change to an account leads into and out of, and why it cannot be sent for now."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any, NamedTuple

import orjson

from syncd.core import containers as core
from syncd.engine.context import Connected, Context
from syncd.engine.tree import Place, Tree, around
from syncd.errors import Rejected
from syncd.model import USER, Account, Container, Kind
from syncd.store import staging


class Move(NamedTuple):
    """``here``: the containers that an account lives in, outermost first; ``there``: those it will live in."""

    here: Sequence[Place]
    there: Sequence[Place]

    @property
    def needs(self) -> Sequence[Place]:
        """What must exist for it; who stays where they are needs nothing, so that a container that is not shown stops no other change."""
        return self.there if self.there != self.here else ()

    @property
    def left(self) -> Sequence[Place]:
        return [place for place in self.here if place not in self.there]


def move(context: Context, one: Connected, row: Any) -> Move:
    """``row``: of the journal, not yet settled."""
    kinds: Mapping[str, Container] = one.connector.capability.containers
    text = None if row.account_id is None else staging.document(context.store, row.account_id)
    document: dict[str, Any] = {} if text is None else orjson.loads(text)
    here = around(kinds, document)
    if row.kind == Kind.DELETE:
        return Move(here, [])
    after = {path: pair[1] for path, pair in orjson.loads(row.delta).items()}
    names = {kind.named_by for kind in kinds.values()}
    return Move(here, around(kinds, {**document, **after}) if names & after.keys() else here)


def why_not(one: Connected, tree: Tree, there: Sequence[Place]) -> str:
    """Why nobody can live in these containers, or nothing."""
    kinds = one.connector.capability.containers
    parents: dict[str, str] = {}
    for object, id in there:
        problem = core.why_not(object, kinds[object], id, parents, tree.found.get((object, id)))
        if problem:
            return problem
        parents[kinds[object].named_by] = id
    return ""


def admit(context: Context, one: Connected, row: Any) -> str:
    """Why a change cannot be sent now, or nothing. Raises Rejected where it never can."""
    tree = context.trees.get(one.name)
    if tree is None:
        return ""
    return _enters(one, tree, move(context, one, row)) if row.object == USER else _empties(tree, row)


def _enters(one: Connected, tree: Tree, moving: Move) -> str:
    lacking = [place for place in moving.needs if place not in tree.found]
    if lacking and not tree.whole:
        return f"{' '.join(lacking[0])} was not seen, and the listing did not reach its end"
    problem = why_not(one, tree, moving.needs)
    if problem:
        raise Rejected(problem)
    return f"{' '.join(lacking[0])} was not made" if lacking else ""


def _empties(tree: Tree, row: Any) -> str:
    return "somebody still lives there" if row.kind == Kind.DELETE and tree.lodgers[row.object, row.account] > 0 else ""


def settled(context: Context, one: Connected, row: Any) -> None:
    """An account leaves where it lived: called before the store hears of it. What is entered is needed, and never asked about."""
    tree = context.trees.get(one.name)
    if tree is not None:
        tree.lodgers.subtract(move(context, one, row).left)


def housed(context: Context, one: Connected, account: Account) -> None:
    """An account that was looked for by itself lives where it says, whether the listing showed it or not."""
    tree = context.trees.get(one.name)
    if tree is not None:
        tree.lodgers.update(around(one.connector.capability.containers, account.attributes))


def placed(one: Connected, tree: Tree, row: Any, account: Account | None) -> None:
    """A container is what the provider says from now on, or is there no more."""
    kinds = one.connector.capability.containers
    before = tree.found.pop((row.object, account.id if account is not None else row.account), None)
    if before is not None:
        tree.lodgers.subtract(around(kinds, before.attributes, row.object))
    if account is not None:
        tree.found[row.object, account.id] = account
        tree.lodgers.update(around(kinds, account.attributes, row.object))
