"""Checks of `find`: by marker or key, to the letter, and nobody else."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from syncd.connectors.conformance.checks import check, expect, identified, writes
from syncd.connectors.conformance.stage import Stage, get
from syncd.model import Account, Change


def keys(stage: Stage, change: Change) -> dict[str, str]:
    """What the engine looks for when the create of ``change`` is in doubt."""
    paths = (stage.capability.key, stage.capability.marker)
    return {path: str(change.delta[path][1]) for path in paths if path is not None and path in change.delta}


@check("find.exact", writes, identified)
async def the_one_asked_for_is_found(stage: Stage) -> None:
    people = [stage.newcomer(), stage.newcomer()]
    for one in people:
        before = {*stage.bench.holds()}
        await stage.do(one)
        (id,) = {*stage.bench.holds()} - before
        found = [account.id for account in await stage.connect().find(keys(stage, one))]
        expect(found == [id], f"asked for account {id} by {', '.join(keys(stage, one))}, it found {found}")


@check("find.exact", writes, identified)
async def nobody_else_is_found(stage: Stage) -> None:
    somebody, nobody = stage.newcomer(), stage.newcomer()
    await stage.do(somebody)
    found = await stage.connector.find(keys(stage, nobody))
    expect(not found, f"asked for somebody who is not there, it found {[one.id for one in found]}")
    for path, value in keys(stage, somebody).items():
        for asked in (value, value.swapcase(), value[:-1], f"{value}x"):
            _to_the_letter(stage, await stage.connector.find({path: asked}), path, asked)


def _to_the_letter(stage: Stage, found: Sequence[Account], path: str, asked: str) -> None:
    wrong: Mapping[str, Any] = {
        one.id: get(one.attributes, path) for one in found if get(one.attributes, path) not in (asked, stage.normal(path, asked))
    }  # fmt: skip
    expect(not wrong, f"asked for {path} {asked!r}, it found accounts with another: {wrong}")
