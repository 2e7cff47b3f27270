"""Checks of each attribute: its normal form, its mutability, its limit."""

from __future__ import annotations

from typing import Any

from syncd.connectors.conformance.bench import Inapplicable
from syncd.connectors.conformance.checks import attempt, check, closed, expect, said, writes
from syncd.connectors.conformance.stage import Stage, get, same
from syncd.errors import Rejected, SyncdError
from syncd.model import Account, Change, Kind, Mutability

STRANGE: tuple[Any, ...] = (None, "", "ADA@X.co", "Straße İ ǅ", "  blank ", "e\u0301", [], ["b", "a", "b"], True, 7)


@check("attributes.kept", closed)
async def a_normal_form_is_its_own(stage: Stage) -> None:
    for name, spec in stage.capability.attributes.items():
        for value in (*STRANGE, *stage.bench.samples.get(name, ())):
            once = stage.normal(name, value)
            expect(stage.normal(name, once) == once, f"the normal form of {name} {value!r} is {once!r}, whose own normal form is another")
        expect(spec.normalize is None or same(stage.normal(name, None), None), f"the normal form of no {name} is a value")


@check("attributes.kept", writes)
async def what_an_update_sets_reads_back(stage: Stage) -> None:
    account = await stage.make()
    for path, values in stage.samples(Mutability.READ_WRITE).items():
        for value in values:
            answer = await stage.update(await stage.now(account), {path: value})
            await _kept(stage, account, path, value, answer)
        cleared = await attempt(stage.update(await stage.now(account), {path: None}))
        if not isinstance(cleared, Rejected):  # some can never be without a value
            await _kept(stage, account, path, None, cleared)


@check("attributes.kept", writes)
async def what_a_create_sets_reads_back(stage: Stage) -> None:
    values = {path: one for path, (one, _) in stage.samples(Mutability.READ_WRITE, Mutability.IMMUTABLE).items()}
    account = await stage.make(values)
    for path, value in values.items():
        await _kept(stage, account, path, value, None)


async def _kept(stage: Stage, account: Account, path: str, value: Any, answer: Account | SyncdError | None) -> None:
    expect(not isinstance(answer, SyncdError), f"{path} was set to {value!r}, answered by {said(answer)}")
    shown, wanted = await stage.value(account.id, path), stage.normal(path, value)
    expect(same(stage.normal(path, shown), wanted), f"{path} was set to {value!r} and reads back as {shown!r}, not {wanted!r}")
    if isinstance(answer, Account) and path.partition(".")[0] in answer.attributes:
        told = get(answer.attributes, path)
        expect(same(told, shown), f"{path} was set to {value!r}, answered as {told!r}, and reads back as {shown!r}")


@check("attributes.mutable", writes)
async def what_cannot_be_changed_is_rejected(stage: Stage) -> None:
    account = await stage.make()
    fixed = {path: two for path, (_, two) in stage.samples(Mutability.IMMUTABLE, Mutability.READ_ONLY).items()}
    if stage.capability.key is not None:
        fixed[stage.capability.key] = "conformance-another"
    for path, value in fixed.items():
        await _rejected(stage, stage.change(Kind.UPDATE, account, {path: value}), path)
        now = await stage.value(account.id, path)
        expect(same(now, get(account.attributes, path)), f"{path} cannot be changed, and was: it is {now!r}")


@check("attributes.mutable", writes)
async def what_is_read_only_is_rejected(stage: Stage) -> None:
    values = stage.samples(Mutability.READ_ONLY)
    if not values:
        raise Inapplicable("it declares nothing as read-only")
    for path, (one, _) in values.items():
        await _rejected(stage, stage.newcomer({path: one}), path)


async def _rejected(stage: Stage, change: Change, path: str) -> None:
    writes = stage.bench.writes()
    answer = await attempt(stage.do(change))
    expect(isinstance(answer, Rejected), f"a {change.kind} with another {path} was answered by {said(answer)}")
    expect(stage.bench.writes() == writes, f"a {change.kind} with another {path} was sent")


@check("attributes.limit", writes)
async def nothing_is_cut(stage: Stage) -> None:
    limits = {name: limit for name in _plain_texts(stage) if (limit := stage.spec(name).limit) is not None}
    if not limits:
        raise Inapplicable("it declares no limit of a plain text")
    account = await stage.make()
    for name, limit in limits.items():
        await stage.update(account, {name: "x" * limit})
        await _kept(stage, account, name, "x" * limit, None)
        await _rejected(stage, stage.change(Kind.UPDATE, account, {name: "y" * (limit + 1)}), name)
        await _kept(stage, account, name, "x" * limit, None)


@check("attributes.limit", writes)
async def a_key_over_its_limit_makes_nobody(stage: Stage) -> None:
    key = stage.capability.key
    limit = stage.spec(key).limit if key is not None else None
    if key is None or limit is None:
        raise Inapplicable("its key has no limit")
    await _rejected(stage, stage.newcomer({key: "k" * (limit + 1)}), key)


def _plain_texts(stage: Stage) -> list[str]:
    """Those that take any text."""
    return [path for path, _ in stage.plain() if path not in stage.bench.samples and path in stage.capability.attributes]
