"""Writes to an Appwrite project that go wrong in every way, before or after they took effect: in the end all is as it should be."""

from __future__ import annotations

from collections.abc import AsyncIterator

import pytest

from syncd.sandbox.faults import ALWAYS
from tests.end_to_end.app import App, ident, mail
from tests.end_to_end.bureau import LEAVERS, NEWCOMER, RENAMED, Bureau
from tests.end_to_end.conftest import impatience
from tests.end_to_end.office import Faulty, result
from tests.end_to_end.test_provider_writes import AGAIN

pytestmark = pytest.mark.anyio


@pytest.fixture
async def bureau(app: App) -> AsyncIterator[Bureau]:
    yield await Bureau(app).opened()


@pytest.mark.parametrize("spec", AGAIN.values(), ids=AGAIN)
async def test_what_may_be_sent_twice_is_sent_again_in_the_same_run(bureau: Bureau, spec: str) -> None:
    """A second update ends as the first, a second delete finds nothing, which is success; 429 was not processed."""
    bureau.app.sandbox.faults = spec
    assert (await bureau.run()).converged and len(bureau.app.sandbox.faults.struck) == 1
    await bureau.in_order()


@pytest.mark.parametrize("spec", ["timeout@update", "timeout@delete;when=after", "timeout@create;when=after"])
async def test_an_answer_that_never_comes_stops_nothing_that_can_be_found_out(bureau: Bureau, spec: str) -> None:
    bureau.app.sandbox.faults = spec
    with impatience():
        assert (await bureau.run()).converged
    await bureau.in_order()


FAILING: Faulty = {
    "reset of update": ("reset@update:*", "Connection reset by peer"),
    "500 of update": ("500@update:*", "500 (code general_unknown)"),
    "500 of update, done": ("500@update:*;when=after", "500 (code general_unknown)"),
    "reset of delete": ("reset@delete:*", "2 changes could not be sent: DELETE /users/{id}: Connection reset by peer"),
    "500 of delete, done": ("500@delete:*;when=after", "2 changes could not be sent: DELETE /users/{id}: 500"),
    "429 of delete": ("429@delete:*", "2 changes could not be sent: DELETE /users/{id}: 429"),
    "empty 200 of delete": ("empty@delete:*", "2 changes could not be sent: DELETE /users/{id}: 200 is not the answer"),
    "429 of create": ("429@create:*", "1 changes could not be sent: POST /users: 429 (code general_rate_limit_exceeded)"),
}


@pytest.mark.parametrize(("spec", "cause"), FAILING.values(), ids=FAILING)
async def test_writes_that_keep_failing_are_reported_and_the_others_go_on(bureau: Bureau, spec: str, cause: str) -> None:
    """Of a failing update: the name of the renamed, the label of the newcomer, the sessions of the leavers."""
    bureau.app.sandbox.faults = spec
    report = await bureau.run()
    assert report.failed and cause in bureau.error(report)
    others = {"create", "update", "delete"} - {spec.partition("@")[2].partition(":")[0]}
    assert "update" not in others or all(result(report, "app").applied[kind] for kind in others)
    bureau.unharmed()
    await bureau.recovers()


REFUSED = [
    (operation, status)
    for operation in ("create", "update", "delete")
    for status in (400, 404, 409, 422)
    if (operation, status) != ("delete", 404)  # that is success
]


@pytest.mark.parametrize(("operation", "status"), REFUSED)
async def test_a_write_that_the_provider_refuses_is_shown_and_the_others_go_on(bureau: Bureau, operation: str, status: int) -> None:
    """409 of a create for something nobody has is what a deleted user leaves behind, and 404 of a leaver's sessions that they are gone."""
    bureau.app.sandbox.faults = f"{status}@{operation}" + (f";times={ALWAYS}" if status == 409 else "")
    report = await bureau.run()
    if (operation, status) == ("create", 409):
        assert "what a deleted user leaves behind is not yet removed" in bureau.error(report)
    else:
        assert report.waiting or (operation, status) == ("update", 404)
        assert all(state == "rejected" and f"{status} (code " in reason for state, _, _, reason in bureau.app.pending())
        assert not report.failed
    assert set(bureau.deletions()) <= LEAVERS
    await bureau.recovers()


@pytest.mark.parametrize("status", [401, 403])
async def test_refused_credentials_stop_the_connection_at_once(bureau: Bureau, status: int) -> None:
    bureau.app.configure("{deprovision: keep, attributes: {prefs.team: department}}", concurrency=1, more="    dialect: 1.8", lease="10m")
    bureau.app.sandbox.faults = f"{status}@update:*"
    report = await bureau.run()
    assert "the credentials are refused" in bureau.error(report)
    assert [one.status for one in bureau.app.appwrite.requests if one.operation not in ("list", "fetch")][-1] == status
    assert sum(one.status == status for one in bureau.app.appwrite.requests) == 1, "nothing is sent after the refusal"


@pytest.mark.parametrize("operation", ["list", "update", "delete", "create"])
async def test_a_redirect_is_never_followed(bureau: Bureau, operation: str) -> None:
    bureau.app.sandbox.faults = f"redirect@{operation};times={ALWAYS};url=http%3A//127.0.0.1:1"
    report = await bureau.run()
    told = bureau.error(report) + "".join(reason for *_, reason in bureau.app.pending())
    assert "302 is a redirect, which is never followed" in told
    await bureau.recovers()


async def test_an_account_that_somebody_deleted_meanwhile_is_deleted(bureau: Bureau) -> None:
    report = await bureau.app.run("full", meanwhile=lambda: bureau.app.project.delete(ident(1)))
    bureau.made.update(bureau.app.posts())
    assert report.converged and result(report, "app").applied["delete"] == 2 and bureau.deletions() == [mail(2)]
    await bureau.in_order()


async def test_an_account_deleted_meanwhile_is_not_updated_and_is_made_again(bureau: Bureau) -> None:
    report = await bureau.app.run("full", meanwhile=lambda: bureau.app.project.delete(ident(3)))
    bureau.made.update(bureau.app.posts())
    assert result(report, "app").rejected == 1 and "user_not_found" in bureau.app.pending()[0][3]
    del bureau.made[RENAMED]
    await bureau.recovers()
    assert bureau.made[RENAMED] == 1


async def test_an_account_that_somebody_made_meanwhile_is_not_doubled_but_asked_about(bureau: Bureau) -> None:
    report = await bureau.app.run("full", meanwhile=lambda: bureau.app.project.create("theirs", NEWCOMER))
    assert result(report, "app").rejected == 1 and "User theirs has this email." in bureau.app.pending()[0][3]
    assert result(await bureau.run(), "app").held == 1
    bureau.app.project.update("theirs", emailVerification=True)
    assert (await bureau.run()).converged and NEWCOMER not in bureau.made
    assert bureau.accounts() == bureau.wanted
