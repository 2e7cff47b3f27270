"""Writes that go wrong in every way, before or after they took effect: in the end one account a person, and nobody else's touched."""

from __future__ import annotations

from contextlib import nullcontext
from datetime import timedelta

import pytest

from tests.end_to_end.conftest import MakeOffice, impatience
from tests.end_to_end.office import BEFORE, LEAVERS, NEWCOMER, RENAMED, Faulty, person, result

pytestmark = [pytest.mark.anyio, pytest.mark.usefixtures("small_pages")]

LOST = {
    "timeout": "timeout@create",
    "timeout, done": "timeout@create;when=after",
    "timeout, done late": "timeout@create;when=late",
    "reset": "reset@create",
    "reset, done": "reset@create;when=after",
    "kept connection closed": "close@create",
    "kept connection closed, done": "close@create;when=after",
    "500": "500@create",
    "500, done": "500@create;when=after",
    "503 with Retry-After, done": "503@create;when=after;retry_after=1",
    "HTML": "html@create",
    "HTML, done": "html@create;when=after",
    "error body, done": "error_body@create;when=after",
    "empty, done": "empty@create;when=after",
    "truncated, done": "truncated@create",
    "cut, done": "cut@create",
    "no JSON, done": "content_type@create",
    "without its id, done": "missing@create;field=sid",
    "with another identity, done": "literal@create;field=identity;value=%22somebody%22",
    "redirect": "redirect@create",
}
"""Answers to a create that do not say what became of it; "done": the account was made."""


@pytest.mark.parametrize("spec", LOST.values(), ids=LOST)
async def test_a_create_whose_answer_is_lost_is_never_sent_again_before_it_is_known_what_became_of_it(
    make_office: MakeOffice, spec: str
) -> None:
    one = await make_office().opened()
    one.sandbox.faults = spec
    with impatience() if "timeout" in spec else nullcontext():
        report = await one.run()
    assert one.asked("create") == 1
    made = one.creations()[NEWCOMER]
    assert result(report).in_doubt == 1 - made or "late" in spec
    assert result(report).applied["update"] == 1 and one.deletions() == LEAVERS, "the others go on"
    await one.run()
    assert one.asked("create") == 1, "within the settle window an absence proves nothing"
    await one.recovers()
    assert one.creations()[NEWCOMER] == 1


async def test_a_create_in_doubt_is_sent_again_once_a_complete_view_after_the_settle_window_lacks_it(make_office: MakeOffice) -> None:
    one = await make_office().opened()
    one.sandbox.faults = "500@create"
    await one.run()
    ((state, who, reason),) = one.pending()
    assert (state, who) == ("in_doubt", NEWCOMER) and "500 (code 20500)" in reason
    one.sandbox.faults = "short@list:*"
    one.clock.pass_time(timedelta(minutes=1))
    assert result(await one.run()).in_doubt == 1, "the view is not complete"
    assert one.asked("create") == 1
    one.sandbox.faults = ()
    assert (await one.run()).converged
    assert one.asked("create") == 2
    await one.in_order()


async def test_a_create_in_doubt_that_the_list_does_not_show_yet_is_found_by_its_identity(make_office: MakeOffice) -> None:
    """The list is 8 s behind, within the settle window of 10 s; the look-up after the lost answer fails as well."""
    one = await make_office().opened()
    one.sandbox.list_lag = 8.0
    one.sandbox.faults = "reset@create;when=after,401@fetch"
    report = await one.run()
    assert result(report).in_doubt == 1 and "401" in result(report).error
    one.sandbox.faults = ()
    assert (await one.run()).converged
    assert one.asked("create") == 1
    await one.recovers()


AGAIN = {
    f"{name} of {operation}": f"{kind}@{operation}{params}"
    for operation in ("update", "delete")
    for name, kind, params in (
        ("reset", "reset", ""),
        ("reset, done", "reset", ";when=after"),
        ("kept connection closed", "close", ""),
        ("kept connection closed, done", "close", ";when=after"),
        ("500", "500", ""),
        ("500, done", "500", ";when=after"),
        ("truncated, done", "truncated", ""),
        ("429", "429", ";retry_after=2"),
        ("HTML, done", "html", ";when=after"),
    )
}
AGAIN |= {"429 of create": "429@create;retry_after=2", "429 of create without a wish": "429@create"}


@pytest.mark.parametrize("spec", AGAIN.values(), ids=AGAIN)
async def test_what_may_be_sent_twice_is_sent_again_in_the_same_run(make_office: MakeOffice, spec: str) -> None:
    """A second update ends as the first; a second delete finds nothing, which is success; 429 was not processed."""
    one = await make_office().opened()
    one.sandbox.faults = spec
    report = await one.run()
    assert report.converged and len(one.sandbox.faults.struck) == 1
    await one.in_order()


@pytest.mark.parametrize("spec", ["timeout@update", "timeout@delete;when=after"])
async def test_an_answer_that_never_comes_does_not_stop_a_repeatable_write(make_office: MakeOffice, spec: str) -> None:
    one = await make_office().opened()
    one.sandbox.faults = spec
    with impatience():
        assert (await one.run()).converged
    await one.in_order()


FAILING: Faulty = {
    "reset of update": ("reset@update:*", "1 changes could not be sent: POST /v1/Users/{id}: Connection reset by peer"),
    "500 of update": ("500@update:*", "1 changes could not be sent: POST /v1/Users/{id}: 500"),
    "500 of update, done": ("500@update:*;when=after", "1 changes could not be sent: POST /v1/Users/{id}: 500"),
    "reset of delete": ("reset@delete:*", "2 changes could not be sent: DELETE /v1/Users/{id}: Connection reset by peer"),
    "500 of delete, done": ("500@delete:*;when=after", "2 changes could not be sent: DELETE /v1/Users/{id}: 500"),
    "429 of delete": ("429@delete:*", "2 changes could not be sent: DELETE /v1/Users/{id}: 429"),
    "empty 200 of delete": ("empty@delete:*", "2 changes could not be sent: DELETE /v1/Users/{id}: 200 is not the answer"),
    "429 of create": ("429@create:*", "1 changes could not be sent: POST /v1/Users: 429 (code 20429)"),
}


@pytest.mark.parametrize(("spec", "cause"), FAILING.values(), ids=FAILING)
async def test_writes_that_keep_failing_are_reported_and_the_others_go_on(make_office: MakeOffice, spec: str, cause: str) -> None:
    one = await make_office().opened()
    one.sandbox.faults = spec
    report = await one.run()
    assert report.failed and cause in result(report).error
    others = {"create", "update", "delete"} - {spec.partition("@")[2].partition(":")[0]}
    assert all(result(report).applied[kind] for kind in others)
    one.unharmed()
    await one.recovers()


REFUSED = [
    (operation, status)
    for operation in ("create", "update", "delete")
    for status in (400, 404, 409, 422)
    if (operation, status) != ("delete", 404)  # that is success: see the account that somebody deleted meanwhile
]


@pytest.mark.parametrize(("operation", "status"), REFUSED)
async def test_a_write_that_the_provider_refuses_is_shown_and_the_others_go_on(
    make_office: MakeOffice, operation: str, status: int
) -> None:
    one = await make_office().opened()
    one.sandbox.faults = f"{status}@{operation}"
    report = await one.run()
    ((state, who, reason),) = one.pending()
    assert (state, who in {"create": [NEWCOMER], "update": [RENAMED], "delete": LEAVERS}[operation]) == ("rejected", True)
    assert f"{status} (code " in reason and not report.failed
    assert sum(result(report).applied.values()) == 3
    await one.recovers()


NAMED = """
  named:
    connector: twilio
    base_url: {url}
    account_sid: {account}
    auth_token: {token}
    service_sid: {service}
    write: {{scope: department == "Support", attributes: {{attributes.team: department}}}}
"""


@pytest.mark.parametrize("status", [401, 403])
async def test_refused_credentials_stop_that_connection_at_once_and_no_other(make_office: MakeOffice, status: int) -> None:
    """Four are renamed at both services, three are new at the first only: its second creation is refused, its third never sent."""
    one = await make_office(concurrency=1, more=NAMED).opened()
    one.employ([*(person(n, f"Renamed {n}") for n in range(3, 7)), *BEFORE[6:], *(person(n, department="Sales") for n in (21, 22, 23))])
    one.sandbox.faults = f"{status}@create:*;after=1"
    report = await one.run()
    theirs = [each for each in one.twilio.requests if each.path.startswith("/v1/Users")]
    assert [each.status for each in theirs if each.operation == "create"] == [201, status]
    assert theirs[-1].status == status, "nothing is sent after the refusal"
    assert f"{status} (code" in result(report).error and "credentials are refused" in result(report).error
    assert result(report, "named").error == "" and result(report, "named").applied["update"] == 4
    named = one.accounts(one.twilio.service_sid)
    assert {named[f"p{n}@corp.example"][0] for n in range(3, 7)} == {f"Renamed {n}" for n in range(3, 7)}
    await one.recovers()


async def test_one_connection_with_a_revoked_key_sends_one_request_and_the_other_goes_on(make_office: MakeOffice) -> None:
    more = NAMED.replace("    auth_token: {token}\n", "    api_key_sid: {key}\n    api_key_secret: revoked\n")
    one = make_office(more=more)
    one.employ(BEFORE)
    report = await one.run()
    assert "401 (code 20003)" in result(report, "named").error
    assert [each.status for each in one.twilio.requests if "/Services/" in each.path] == [401]
    assert result(report).error == "" and one.accounts() == one.wanted
    one.unharmed()


async def test_a_write_that_was_told_to_wait_beyond_the_lease_is_not_sent_when_the_wait_is_over(make_office: MakeOffice) -> None:
    """The lease was not renewed while the clock jumped, as when the process was stopped: another run may be at work."""
    one = await make_office(concurrency=1).opened()
    one.config.write_text(one.config.read_text().replace("lease: 10m", "lease: 10s"))
    one.sandbox.faults = "429@create;retry_after=20"
    report = await one.run()
    assert "this run did not renew its lease in time" in result(report).error
    assert one.asked("create") == 1 and one.accounts().keys() & {NEWCOMER} == set()
    await one.recovers()
