"""Checks of `steps`, and of the door through which a step goes: `writable` and `permit`."""

from __future__ import annotations

from collections.abc import Sequence

from syncd.connectors.conformance.checks import attempt, check, deletes, expect, said, writes
from syncd.connectors.conformance.stage import Stage
from syncd.errors import Quarantined, Rejected
from syncd.model import Change, Kind

UNSAFE = frozenset({"create", "update", "delete"})


async def _changes(stage: Stage) -> list[Change]:
    """One of each kind."""
    path, (one, _) = stage.plain()[0]
    account = await stage.make()
    changes = [stage.newcomer({path: one}), stage.change(Kind.UPDATE, account, {path: one})]
    return [*changes, *([stage.change(Kind.DELETE, account, {})] if stage.capability.deletes else [])]


@check("steps.pure", writes)
async def steps_ask_nobody(stage: Stage) -> None:
    changes = await _changes(stage)
    before = (stage.connector.meter.requests, stage.bench.writes())
    for change in changes:
        made = stage.connector.steps(change)
        expect(stage.connector.steps(change) == made, f"the steps of a {change.kind} are others the second time")
        expect(
            [one.n for one in made] == [*range(1, len(made) + 1)], f"the steps of a {change.kind} are numbered {[one.n for one in made]}"
        )
        creating = [one.n for one in made if one.creates]
        expect(creating == [1] * (change.kind is Kind.CREATE), f"of a {change.kind}, the steps {creating} are marked as creating")
        told = [one.summary for one in made if not one.summary or "Confidential" in one.summary]
        expect(not told, f"a step of a {change.kind} is summed up as {told[:1]}")
    expect((stage.connector.meter.requests, stage.bench.writes()) == before, "`steps` sent something")


@check("steps.pure", writes)
async def what_changes_nothing_has_no_steps(stage: Stage) -> None:
    account = await stage.make()
    made = stage.connector.steps(stage.change(Kind.ADOPT, account, {}))
    expect(made == (), f"an adoption that writes nothing has {len(made)} steps")


@check("steps.pure", writes)
async def what_has_no_place_is_rejected(stage: Stage) -> None:
    account = await stage.make()
    before = stage.bench.writes()
    for change in (stage.newcomer({"noSuchAttribute": "x"}), stage.change(Kind.UPDATE, account, {"noSuchAttribute": "x"})):
        answer = await attempt(stage.do(change))
        expect(isinstance(answer, Rejected), f"a {change.kind} of an attribute that is not declared was answered by {said(answer)}")
    expect(stage.bench.writes() == before, "something was written")


@check("perform.door")
async def a_reader_writes_nothing(stage: Stage) -> None:
    if not stage.capability.writes:
        expect(stage.connector.steps(stage.newcomer()) == (), "it is only read, and has steps")
        return
    changes, reader = await _changes(stage), stage.connect(writable=False)
    await _refused(stage, changes, reader, Rejected)


@check("perform.permit", writes, deletes)
async def without_a_permit_nothing_is_written(stage: Stage) -> None:
    changes, connector = await _changes(stage), stage.connect()

    def permit() -> None:
        raise Quarantined("the lease is lost")

    connector.permit = permit
    await _refused(stage, changes, connector, Quarantined)
    await connector.list(None)


async def _refused(stage: Stage, changes: Sequence[Change], connector: object, error: type[Exception]) -> None:
    before = stage.bench.writes()
    for change in changes:
        answer = await attempt(stage.do(change, connector))  # type: ignore[arg-type]
        expect(isinstance(answer, error), f"a {change.kind} was answered by {said(answer)}, not by {error.__name__}")
    expect(stage.bench.writes() == before, "something was written")


@check("perform.permit", writes)
async def each_attempt_has_a_permit(stage: Stage) -> None:
    changes, connector = await _changes(stage), stage.connect()
    asked: list[None] = []
    connector.permit = lambda: asked.append(None)
    for fault in stage.faults(f"429@{kind}:1" for kind in ("create", "update")):
        asked.clear()
        before = len(stage.bench.sent())
        await attempt(stage.do(next(one for one in changes if one.kind in fault), connector))
        sent = [one.operation for one in stage.bench.sent()[before:] if one.operation in UNSAFE]
        expect(len(asked) >= len(sent), f"{len(sent)} unsafe requests were sent with {len(asked)} permits")
