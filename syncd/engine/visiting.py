"""The containers of a saved plan, asked for by themselves: which there are, and whether they are as the plan found them."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import orjson

from syncd.core import containers as core
from syncd.engine.containers import Planner
from syncd.engine.context import Connected, Context
from syncd.engine.places import move
from syncd.engine.tree import Place, Tree, around
from syncd.errors import Quarantined, Rejected, Retryable
from syncd.model import USER, Account, Kind, Ref
from syncd.store import journal


async def look(context: Context, one: Connected) -> None:
    """Ask for the containers that a saved plan is about, or leads into, by themselves. Who lives there no single answer tells: whoever
    deletes one looks again."""
    kinds = one.connector.capability.containers
    if not kinds:
        return
    tree = context.trees[one.name] = Tree(whole=True)
    for place, outer in _concerned(context, one).items():
        try:
            answer = await one.connector.fetch(Ref(place[1], place[0], outer[0][1] if outer else None))
        except (Retryable, Rejected, Quarantined):
            tree.whole = False
        else:
            if isinstance(answer, Account):
                tree.found[place] = answer


def _concerned(context: Context, one: Connected) -> dict[Place, Sequence[Place]]:
    """Every place that a plan is about -> the places it should lie in, outermost first."""
    kinds, found = one.connector.capability.containers, dict[Place, Sequence[Place]]()
    for row in journal.changes(context.store, context.run):
        if row.connection == one.name and row.object == USER:
            needs = move(context, one, row).needs
            found.update({place: needs[:nth] for nth, place in enumerate(needs)})
        elif row.connection == one.name:
            after = {path: value for path, (_, value) in orjson.loads(row.delta).items()}
            found.setdefault((row.object, row.who), around(kinds, after, row.object))
    return found


def unlike(context: Context, one: Connected, row: Any) -> str:
    """Why a container is not as a saved plan found it, or nothing. ``row``: of the journal."""
    tree, told = context.trees[one.name], f"{row.object} {row.who}"
    if not tree.whole:
        return f"{told} could not be looked at"
    found = tree.found.get((row.object, row.who))
    if row.kind == Kind.CREATE:
        return "" if found is None else f"{told} is there by now"
    if found is None:
        return f"{told} is not shown any more"
    planner = Planner(context, one, tree)
    if row.kind == Kind.DELETE:
        return "" if planner.ours((row.object, row.who), found) else f"{told} does not bear our marker any more"
    same = planner.row(row.object, row.who, Kind.UPDATE, core.changed(planner.kinds[row.object], found), "")["id"] == row.id
    return "" if same else f"{told} was changed since the plan was made"
