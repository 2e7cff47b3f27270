"""Checks of broken listings: nothing that goes wrong on the way may look like people who left."""

from __future__ import annotations

from syncd.connectors.conformance.checks import attempt, check, expect
from syncd.connectors.conformance.listing import complete
from syncd.connectors.conformance.stage import Stage
from syncd.errors import Quarantined, SyncdError

BROKEN_PAGES = (
    "cut@list:*;after=1", "truncated@list:*;after=1", "html@list:*;after=1", "error_body@list:*;after=1", "empty@list:*;after=1",
    "500@list:*;after=1", "429@list:*;after=1", "404@list:*;after=1", "400@list:*;after=1", "403@list:*;after=1", "reset@list:*;after=1",
    "redirect@list:*;after=1;url=http://127.0.0.1:9", "foreign@list:*;url=http://127.0.0.1:9", "cursor@page:*", "loop@page:*",
    "endless@list:*", "duplicate@list:*",
)  # fmt: skip
"""After the first page, which is sound. Port 9 discards (RFC 863): nobody listens there."""
BAD_RECORDS = ("nan", "deep", "huge", "surrogate", "nul", "drift")


@check("list.proof")
async def a_broken_page_is_no_end(stage: Stage) -> None:
    stage.bench.seed(2 * stage.bench.page + 1)
    for _ in stage.faults(BROKEN_PAGES):
        pages = await attempt(stage.walk(stage.connect()))
        if not isinstance(pages, SyncdError) and pages[-1].complete:
            complete(stage.ids(pages), stage.bench.holds())


@check("list.records")
async def a_bad_record_costs_no_other(stage: Stage) -> None:
    stage.bench.seed(3)
    there = len({*stage.bench.holds()})
    for _ in stage.faults(f"{kind}@list:*;record=0" for kind in BAD_RECORDS):
        accepted = await _accepted(stage)
        expect(accepted in (None, there - 1), f"of {there} records, one of them bad, {accepted} became accounts")


async def _accepted(stage: Stage) -> int | None:
    """How many; None where the connector stops for a changed format."""
    try:
        return len({*stage.ids(await stage.walk(stage.connect()))})
    except Quarantined:
        return None
