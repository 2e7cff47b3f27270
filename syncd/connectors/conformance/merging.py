"""Checks of objects and sets that a provider replaces whole: what others put there stays."""

from __future__ import annotations

from syncd.connectors.conformance.bench import Inapplicable
from syncd.connectors.conformance.checks import check, expect, writes
from syncd.connectors.conformance.stage import Stage, same
from syncd.model import Kind, Mutability


@check("perform.merge", writes)
async def members_of_others_stay(stage: Stage) -> None:
    """They are put there between plan and write, where a document as planned does not show them."""
    objects = [name for name, spec in stage.capability.attributes.items() if _merged(spec.kind, spec.mutability, "object")]
    if not objects:
        raise Inapplicable("it has no objects that can be rewritten")
    for name in objects:
        account = await stage.make({f"{name}.ours": "before"})
        for value in ("after", None):
            planned = stage.connector.steps(stage.change(Kind.UPDATE, account, {f"{name}.ours": value}))
            await stage.update(account, {f"{name}.theirs": f"while {value}"}, stage.connect())
            for step in planned:
                await stage.connector.perform(step)
            ours, theirs = await stage.value(account.id, f"{name}.ours"), await stage.value(account.id, f"{name}.theirs")
            expect(same(ours, value), f"{name}.ours was set to {value!r} and is {ours!r}")
            expect(theirs == f"while {value}", f"{name}.theirs, put there by somebody else meanwhile, is {theirs!r}")


@check("perform.merge", writes)
async def a_whole_object_can_be_made(stage: Stage) -> None:
    """The first member of an object that has none yet."""
    objects = [name for name, spec in stage.capability.attributes.items() if _merged(spec.kind, spec.mutability, "object")]
    if not objects:
        raise Inapplicable("it has no objects that can be rewritten")
    for name in objects:
        account = await stage.make()
        await stage.update(account, {f"{name}.first.inner": "x"})
        found = await stage.value(account.id, f"{name}.first.inner")
        expect(found == "x", f"{name}.first.inner was set to 'x' and is {found!r}")


def _merged(kind: str, mutability: Mutability, wanted: str) -> bool:
    return kind == wanted and mutability is Mutability.READ_WRITE
