"""Plans as `syncd plan --out` saves them, without the file."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace
from itertools import count
from typing import Any

from syncd.engine.planning import Plan
from syncd.engine.report import Report
from syncd.engine.saved import Saved
from syncd.environment import instant
from tests.world import World

_COLUMNS = (
    "id", "connection", "object", "kind", "identity", "account", "who", "delta", "expects", "reason", "hold", "released", "counted",
    "cleared", "requests", "revoke", "replaces", "evidence_at",
)  # fmt: skip
_names = count()


def saved(plan: Plan, **more: Any) -> Saved:
    """As it is now: what becomes of the journal later changes nothing of it."""
    changes: list[Mapping[str, Any]] = [{name: getattr(row, name) for name in _COLUMNS} for row in plan.changes()]
    settled = {part.name: part.settled for part in plan.connections}
    made = Saved(f"seal {next(_names)}", instant(plan.created), settled, plan.whole, lambda: iter(changes))
    return replace(made, **more)


async def planned_file(world: World, **options: Any) -> Saved:
    _, plan = await world.run("plan", **options)
    return saved(plan)


async def apply(world: World, file: Saved, **options: Any) -> Report:
    """Of the connections it was made of."""
    report, _ = await world.run("apply", plan_file=file, selection=list(file.settled), **options)
    return report


def skipped(world: World) -> dict[str, str]:
    """Who was skipped in the last run -> why."""
    rows = world.store.rows("SELECT who, error FROM change WHERE state = 'skipped' AND run = (SELECT MAX(id) FROM run)")
    return {row.who: row.error for row in rows}


def listings(world: World) -> dict[str, int]:
    """How often each connection was listed."""
    return {row.name: row.listing for row in world.store.rows("SELECT name, listing FROM connection")}
