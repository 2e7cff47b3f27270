"""Which directory a connection is at: where its service is not configured, its users tell, and two connections never write to one."""

from __future__ import annotations

import pytest

from syncd.errors import Fatal
from syncd.sandbox.faults import parse
from syncd.sandbox.twilio import Twilio
from tests.end_to_end.conftest import MakeOffice
from tests.end_to_end.office import BEFORE, HOUR, Office, result

pytestmark = pytest.mark.anyio

NAMED = """\
  named:
    connector: twilio
    base_url: {{url}}
    account_sid: {{account}}
    auth_token: {{token}}
    service_sid: {service}
    {write}
"""
SAME = NAMED.format(service=Twilio.default_service_sid, write="write: {{}}")
OTHER = NAMED.format(service=Twilio.service_sid, write="write: {{}}")
WHERE = rf"\(twilio account {Twilio.account_sid}, root http://[^,]+, service {Twilio.default_service_sid}\)"


def written(one: Office) -> int:
    """How many requests that change something arrived."""
    return sum(one.asked(operation) for operation in ("create", "update", "delete"))


def move(one: Office) -> None:
    """The account's default service is another one now, with users of its own."""
    one.twilio.service(Twilio.service_sid).create("somebody@elsewhere.example")
    one.twilio.default_service_sid = Twilio.service_sid


async def test_another_default_service_is_another_directory_and_nothing_is_believed_or_written(make_office: MakeOffice) -> None:
    one = await make_office().opened()
    move(one)
    report = await one.run()
    assert (
        f"chat shows accounts of service {Twilio.service_sid}, but it is bound to service {Twilio.default_service_sid}:"
        " nothing is believed or written there (if it is meant to have moved: syncd connection forget chat)"
    ) in result(report).error
    assert report.failed and written(one) == 0
    one.twilio.default_service_sid = Twilio.default_service_sid
    await one.recovers()


async def test_another_service_than_the_configured_one_is_another_directory(make_office: MakeOffice) -> None:
    one = make_office(more=OTHER)
    one.employ(BEFORE)
    assert (await one.run()).converged
    one.sandbox.faults = parse(f'literal@list:*;field=chat_service_sid;value="IS{"7" * 32}"')
    report = await one.run()
    assert f"named shows accounts of service IS{'7' * 32}, but it is bound to service {Twilio.service_sid}" in result(report, "named").error


async def test_users_of_two_services_in_one_listing_are_no_directory(make_office: MakeOffice) -> None:
    one = make_office()
    one.employ(BEFORE)
    one.sandbox.faults = parse(f'literal@list;field=chat_service_sid;value="IS{"7" * 32}";record=1')
    report = await one.run()
    assert "but it is bound to service" in result(report).error
    assert report.failed and written(one) == 0
    one.clock.pass_time(HOUR)
    await one.recovers()


async def test_a_second_writer_that_turns_out_to_be_one_stops_and_the_next_run_is_refused(make_office: MakeOffice) -> None:
    """The default service has users from the start: its first listing tells which one it is."""
    one = make_office(more=SAME)
    one.employ(BEFORE)
    report = await one.run()
    assert "chat turns out to be the directory that named writes to" in result(report).error
    assert sum(result(report).applied.values()) == 0
    assert result(report, "named").applied["create"] == len(BEFORE) and not result(report, "named").error
    before = written(one)
    with pytest.raises(Fatal, match=f"connections chat and named both write to the same directory {WHERE}") as refused:
        await one.run()
    assert (refused.value.exit_code, written(one)) == (78, before)


async def test_a_second_writer_is_found_out_by_the_first_answer_where_no_list_could_tell(make_office: MakeOffice) -> None:
    nobody = SAME.replace("write: {{}}", "write: {{scope: userName == 'nobody'}}")
    one = make_office(more=nobody, concurrency=1)
    for sid in list(one.twilio.service().users):
        one.twilio.service().delete(sid)
    one.employ(BEFORE)
    report = await one.run()
    assert "chat turns out to be the directory that named writes to" in result(report).error
    assert result(report).applied["create"] == 1, "it could not be known before"
    with pytest.raises(Fatal, match="both write to the same directory"):
        await one.run()


async def test_who_only_reads_may_share_a_directory_and_a_writer_another(make_office: MakeOffice) -> None:
    for more in (NAMED.format(service=Twilio.default_service_sid, write="authoritative: false"), OTHER):
        one = make_office(more=more)
        one.employ(BEFORE)
        assert (await one.run()).converged
        assert (await one.run()).converged
