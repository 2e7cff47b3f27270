"""Checks of objects that a provider replaces whole: what others put there stays."""

from __future__ import annotations

from syncd.connectors.conformance.checks import check, expect, writes
from syncd.connectors.conformance.stage import Stage, same
from syncd.model import Kind


@check("perform.merge", writes)
async def members_of_others_stay(stage: Stage) -> None:
    """They are put there between plan and write, where a document as planned does not show them."""
    for name in stage.objects():
        one, two = stage.sample(name)
        ours, theirs = [*one][:2]
        account = await stage.make({f"{name}.{ours}": one[ours]})
        for value, other in ((two[ours], one[theirs]), (None, two[theirs])):
            planned = stage.connector.steps(stage.change(Kind.UPDATE, account, {f"{name}.{ours}": value}))
            await stage.update(account, {f"{name}.{theirs}": other}, stage.connect())
            for step in planned:
                await stage.connector.perform(step)
            found = await stage.value(account.id, f"{name}.{ours}"), await stage.value(account.id, f"{name}.{theirs}")
            expect(same(found[0], value), f"{name}.{ours} was set to {value!r} and is {found[0]!r}")
            expect(same(found[1], other), f"{name}.{theirs}, set meanwhile by somebody else to {other!r}, is {found[1]!r}")


@check("perform.merge", writes)
async def an_object_can_be_begun(stage: Stage) -> None:
    """By a member of a member, where there is none yet."""
    for name in stage.objects():
        if name not in stage.bench.samples:
            account = await stage.make()
            await stage.update(account, {f"{name}.first.inner": "x"})
            found = await stage.value(account.id, f"{name}.first.inner")
            expect(found == "x", f"{name}.first.inner was set to 'x' and is {found!r}")
