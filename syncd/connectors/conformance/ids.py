"""Checks of ids: whatever their characters, they stay data."""

from __future__ import annotations

from collections.abc import Sequence
from urllib.parse import unquote

from syncd.connectors.conformance.bench import Inapplicable
from syncd.connectors.conformance.checks import attempt, broken, check, expect, said, writes
from syncd.connectors.conformance.stage import Stage
from syncd.errors import Rejected
from syncd.model import Account, Change, Kind, Ref

PLAIN = "plain0id"
HOSTILE = ("a/b", "../x", "a/../../admin", "a%2Fb", "a?b=c", "a#b", "a;b", "a b", "a&b", "a\\b", "a:b", "a+b", "é", "//elsewhere.invalid/x")
FORBIDDEN = ("", ".", "..", "a\x00b", "a\nb", "a\x7fb", "a\x85b")


@check("ids")
async def an_id_leads_to_no_other_place(stage: Stage) -> None:
    plain = await _asked(stage, PLAIN)
    for id in HOSTILE:
        expected = [tuple(id if part == PLAIN else part for part in path) for path in plain]
        paths = await _asked(stage, id)
        expect(not paths or paths == expected, f"`fetch` of {id!r} led to {paths}, not to {expected}")


@check("ids", writes)
async def a_written_id_leads_to_no_other_place(stage: Stage) -> None:
    plain = _written(stage, PLAIN)
    for id in HOSTILE:
        expected = [tuple(id if part == PLAIN else part for part in path) for path in plain]
        paths = _written(stage, id)
        expect(not paths or paths == expected, f"the step that deletes {id!r} leads to {paths}, not to {expected}")


@check("ids", writes)
async def an_id_that_cannot_stand_in_a_path_is_refused(stage: Stage) -> None:
    if not any(PLAIN in path for path in _written(stage, PLAIN)):
        raise Inapplicable("no id stands in a path")
    requests = stage.connector.meter.requests
    for id in FORBIDDEN:
        expect(not _written(stage, id), f"{id!r} has its place in a path: `steps` did not refuse it")
        answer = await attempt(stage.connector.fetch(Ref(id)))
        expect(isinstance(answer, Rejected), f"`fetch` of {id!r} answered {said(answer)}")
    expect(stage.connector.meter.requests == requests, "something was sent")


async def _asked(stage: Stage, id: str) -> list[tuple[str, ...]]:
    """The paths, in decoded parts, of what `fetch` sends; none where it refuses the id."""
    stage.bench.sent()
    connector = stage.connect()
    await connector.check()  # what is asked once, before the first request
    before = len(stage.bench.sent())
    answer = await attempt(connector.fetch(Ref(id)))
    if isinstance(answer, Account):
        broken(f"`fetch` of {id!r}, who is not there, answered account {answer.id}")
    return [_parts(one.path) for one in stage.bench.sent()[before:]]


def _written(stage: Stage, id: str) -> Sequence[tuple[str, ...]]:
    """The paths of the steps that delete an account; none where they are refused."""
    change = Change("c1", "conformance", Kind.DELETE, "identity", "conformance", id, {}, "conformance")
    try:
        return [_parts(step.path) for step in stage.connector.steps(change)]
    except Rejected:
        return []


def _parts(path: str) -> tuple[str, ...]:
    return tuple(unquote(part) for part in path.split("/"))
