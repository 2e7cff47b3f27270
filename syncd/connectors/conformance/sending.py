"""Checks of `perform`: what it answers, what it does when it is refused, and that twice is as once."""

from __future__ import annotations

from syncd.connectors.conformance.bench import Inapplicable
from syncd.connectors.conformance.checks import attempt, broken, check, deletes, expect, said, writes
from syncd.connectors.conformance.stage import Stage, get, same
from syncd.errors import InDoubt, Quarantined, Rejected, Retryable, SyncdError
from syncd.model import Account, Gone, Kind, Unknown

LOST = ("reset", "close", "truncated", "html", "error_body", "500", "502", "503", "504")
"""Ways in which an answer is lost once the write is done."""


def lost(operation: str, times: str = "1") -> list[str]:
    """Their faults: done, then not answered."""
    return [f"{kind}@{operation}:{times}" + ("" if kind == "truncated" else ";when=after") for kind in LOST]


@check("perform.answer", writes)
async def the_answer_is_the_providers(stage: Stage) -> None:
    path, (one, two) = stage.plain()[0]
    account = await stage.make()
    stage.bench.shows(path, stage.normal(path, one))
    for answer in (await stage.update(account, {path: two}), await stage.do(stage.newcomer({path: two}))):
        if answer is not None:
            shown = get(answer.attributes, path)
            expect(same(shown, stage.normal(path, one)), f"{path} was answered as {one!r}, and `perform` returned {shown!r}")


@check("perform.answer", writes)
async def the_answer_is_of_now(stage: Stage) -> None:
    """Somebody else changes the account between plan and write."""
    if len(stage.plain()) < 2:
        raise Inapplicable("it has no two texts that can be rewritten")
    (path, (one, _)), (other, (_, theirs)) = stage.plain()[:2]
    account = await stage.make()
    await stage.update(account, {other: theirs}, stage.connect())
    answer = await stage.update(account, {path: one})
    if answer is not None and other in answer.attributes:
        shown = answer.attributes[other]
        expect(same(shown, stage.normal(other, theirs)), f"{other} was changed meanwhile to {theirs!r}, and `perform` returned {shown!r}")


@check("perform.refused", writes)
async def a_refused_create_made_nobody(stage: Stage) -> None:
    for fault in stage.faults(f"{status}@create:*" for status in (400, 401, 403, 409, 422, 429)):
        there, change = {*stage.bench.holds()}, stage.newcomer()
        answer = await attempt(stage.do(change, stage.connect()))
        _right(fault, answer)
        expect({*stage.bench.holds()} == there, "an account was made")


@check("perform.refused", writes)
async def a_refused_update_changed_nothing(stage: Stage) -> None:
    path, (one, two) = stage.plain()[0]
    account = await stage.make({path: one})
    for fault in stage.faults(f"{status}@update:*" for status in (400, 401, 403, 404, 422, 429)):
        answer = await attempt(stage.update(account, {path: two}, stage.connect()))
        _right(fault, answer)
    found = await stage.value(account.id, path)
    expect(same(found, stage.normal(path, one)), f"{path} was {one!r} and is {found!r}")


@check("perform.refused", writes, deletes)
async def a_refused_delete_deleted_nobody(stage: Stage) -> None:
    account = await stage.make()
    for fault in stage.faults(f"{status}@delete:*" for status in (400, 401, 403, 422, 429)):
        answer = await attempt(stage.do(stage.change(Kind.DELETE, account, {}), stage.connect()))
        _right(fault, answer)
    expect(account.id in stage.bench.holds(), "the account is gone")


def _right(fault: str, answer: object) -> None:
    """401 and 403 speak of us, 429 of nobody, anything else of the change; a conflict may pass by itself (what a deleted user left)."""
    status = fault[:3]
    usual: dict[str, tuple[type[SyncdError], ...]] = {"401": (Quarantined,), "403": (Quarantined,), "429": (Retryable,)}
    right = usual.get(status, (Rejected, Retryable) if status == "409" else (Rejected,))
    expect(isinstance(answer, right), f"it was answered by {said(answer)}, not by {' or '.join(one.__name__ for one in right)}")


@check("perform.repeat", writes)
async def an_update_sent_twice_is_one(stage: Stage) -> None:
    path, (one, two) = stage.plain()[0]
    account = await stage.make()
    for _ in range(2):
        await stage.update(account, {path: two})
    for value, _ in zip((one, two) * len(LOST), stage.faults(lost("update")), strict=False):
        change = stage.change(Kind.UPDATE, account, {path: value})
        for answer in (await attempt(stage.do(change)), await attempt(stage.do(change))):
            expect(not isinstance(answer, Rejected | Quarantined), f"an update whose answer was lost ended with {said(answer)}")
        found = await stage.value(account.id, path)
        expect(same(found, stage.normal(path, value)), f"{path} was set to {value!r} and is {found!r}")


@check("perform.repeat", writes, deletes)
async def a_delete_sent_twice_is_one(stage: Stage) -> None:
    account = await stage.make()
    for n in (1, 2):
        answer = await attempt(stage.do(stage.change(Kind.DELETE, account, {})))
        expect(answer is None, f"delete number {n} was answered by {said(answer)}")
    if not isinstance(await stage.read(account.id), Gone | Unknown):
        broken("the account is still there")


@check("perform.repeat", writes, deletes)
async def a_delete_without_an_answer_is_one(stage: Stage) -> None:
    for _ in stage.faults(lost("delete")):
        account = await stage.make()
        change = stage.change(Kind.DELETE, account, {})
        first, second = await attempt(stage.do(change)), await attempt(stage.do(change))
        expect(first is None or isinstance(first, InDoubt | Retryable), f"it was answered by {said(first)}")
        expect(second is None, f"sent again, it was answered by {said(second)}")
        expect(not isinstance(await stage.read(account.id), Account), "the account is still there")
