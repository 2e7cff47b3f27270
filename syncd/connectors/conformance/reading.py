"""Checks of `fetch` and of `check`: absence is never taken from a failure."""

from __future__ import annotations

from datetime import timedelta

from syncd.connectors.conformance.checks import attempt, broken, check, expect, said
from syncd.connectors.conformance.stage import Stage, same
from syncd.errors import Quarantined, SyncdError
from syncd.model import Account, Gone, Ref, Unknown

STATUSES = (400, 401, 403, 409, 422, 429, 500, 502, 503, 504)
NO_ANSWERS = (
    *(f"{status}@*:*" for status in STATUSES), "html@*:*", "html@*:*;status=404", "error_body@*:*", "empty@*:*", "cut@*:*",
    "truncated@*:*", "reset@*:*", "close@*:*", "redirect@*:*;url=http://127.0.0.1:9", "content_type@*:*",
)  # fmt: skip
LEFT_OUT = ("missed@list:*", "short@list:*", "shrink@list:*")
"""Listings that nobody can tell from complete ones."""
UNHEALTHY = ("401@*:*", "403@*:*", "500@*:*", "html@*:*", "html@*:*;status=404", "reset@*:*", "empty@list:*")


@check("fetch.gone")
async def who_is_there_is_answered(stage: Stage) -> None:
    (id,) = stage.bench.seed(1)
    account, listed = await stage.read(id), await stage.listed(id)
    if not isinstance(account, Account) or listed is None:
        broken(f"account {id} is there, and `fetch` answered {said(account)}, the listing {said(listed)}")
    expect(account.id == id, f"asked for account {id}, `fetch` answered {account.id}")
    for name in {*account.attributes} & {*listed.attributes}:
        one, other = account.attributes[name], listed.attributes[name]
        expect(same(one, other), f"{name} is {one!r} for `fetch`, and {other!r} in the listing")


@check("fetch.gone")
async def who_is_gone_is_gone(stage: Stage) -> None:
    (id,) = stage.bench.seed(1)
    stage.bench.remove(id)
    answer = await stage.read(id)
    if not stage.capability.gone:
        expect(isinstance(answer, Unknown), f"absence cannot be proven here, and `fetch` of who is gone answered {said(answer)}")
        return
    if not isinstance(answer, Gone):
        broken(f"`fetch` of who is gone answered {said(answer)}")
    expect(answer.at.utcoffset() == timedelta(0), f"the instant of absence, {answer.at}, is not in UTC")


@check("fetch.gone")
async def who_a_listing_leaves_out_is_not_gone(stage: Stage) -> None:
    stage.bench.seed(2 * stage.bench.page + 1)
    for _ in stage.faults(LEFT_OUT):
        missing = sorted({*stage.bench.holds()} - {*stage.ids(await stage.walk())})
        for id in missing[:1] + missing[-1:]:
            answer = await stage.read(id)
            expect(not isinstance(answer, Gone), f"the listing left account {id} out, and `fetch` took that for absence")


@check("fetch.refused")
async def no_failure_is_absence(stage: Stage) -> None:
    (id,) = stage.bench.seed(1)
    for fault in stage.faults(NO_ANSWERS):
        answer = await attempt(stage.connect().fetch(Ref(id)))
        expect(not isinstance(answer, Gone), "`fetch` took it for absence")
        expect(isinstance(answer, SyncdError | Unknown), f"`fetch` answered {said(answer)}")
        if fault.startswith(("401", "403")):
            expect(isinstance(answer, Quarantined), f"`fetch` answered {said(answer)}")


@check("check.honest")
async def a_sound_provider_is_healthy(stage: Stage) -> None:
    stage.bench.seed(1)
    writes, health = stage.bench.writes(), await stage.connector.check()
    expect(health.ok and not health.problems, f"of a sound provider it says {'; '.join(health.problems) or 'not ok'}")
    expect(stage.bench.writes() == writes, "it wrote something")


@check("check.honest")
async def a_sick_provider_is_told(stage: Stage) -> None:
    stage.bench.seed(1)
    for _ in stage.faults(UNHEALTHY):
        health = await attempt(stage.connect().check())
        told = isinstance(health, SyncdError) or (not health.ok and health.problems)
        expect(told, f"it answered {health}, and named no problem")
