"""What others do between the plan and its sending: nothing of theirs is lost, nobody is doubled, and who came back stays."""

from __future__ import annotations

from contextlib import ExitStack
from datetime import timedelta
from pathlib import Path

import pytest

from syncd.sandbox import Sandbox, serve
from tests.end_to_end.conftest import MakeOffice
from tests.end_to_end.office import AFTER, BEFORE, LEAVERS, NEWCOMER, RENAMED, Office, person, result
from tests.world import Clock

pytestmark = [pytest.mark.anyio, pytest.mark.usefixtures("small_pages")]


async def test_an_account_that_somebody_deleted_meanwhile_is_deleted(make_office: MakeOffice) -> None:
    one = await make_office().opened()
    report = await one.run(meanwhile=lambda: one.twilio.service().delete(LEAVERS[0]))
    assert report.converged and result(report).applied["delete"] == 2
    assert one.deletions() == LEAVERS[1:]
    await one.in_order()


async def test_an_update_of_an_account_that_somebody_deleted_meanwhile_is_refused_and_it_is_made_again(make_office: MakeOffice) -> None:
    one = await make_office().opened()
    report = await one.run(meanwhile=lambda: one.twilio.service().delete(RENAMED))
    assert result(report).rejected == 1 and "404 (code 20404)" in one.pending()[0][2]
    await one.recovers()
    assert one.creations()[RENAMED] == 2


async def test_an_account_that_somebody_made_meanwhile_is_adopted_and_not_doubled(make_office: MakeOffice) -> None:
    one = await make_office().opened()
    report = await one.run(meanwhile=lambda: one.twilio.service().create(NEWCOMER, "Theirs", '{"mood": "good"}'))
    assert result(report).rejected == 1 and "409 (code 50201)" in one.pending()[0][2]
    await one.recovers()
    assert one.creations()[NEWCOMER] == 0
    user = one.twilio.service().by_identity(NEWCOMER)
    assert user is not None and '"mood":"good"' in user["attributes"], "what others wrote stays"


async def test_what_somebody_wrote_into_an_account_meanwhile_stays(make_office: MakeOffice) -> None:
    """The provider replaces attributes whole: what is sent is merged into what is there at that moment."""
    one = await make_office().opened()
    one.employ([*AFTER[:-1], person(12, department="Sales")])
    moved = '{"team": "Support", "mood": "good"}'
    report = await one.run(meanwhile=lambda: one.twilio.service().update("p12@corp.example", attributes=moved))
    assert not report.failed
    user = one.twilio.service().by_identity("p12@corp.example")
    assert user is not None and '"mood":"good"' in user["attributes"] and '"team":"Sales"' in user["attributes"]
    await one.recovers()


async def test_who_came_back_while_the_plan_waited_for_its_yes_is_not_deleted(make_office: MakeOffice) -> None:
    """After twenty minutes the evidence is too old: the people file is read again before anybody is deleted."""
    one = await make_office().opened()

    def meanwhile() -> None:
        one.clock.pass_time(timedelta(minutes=20))
        one.employ([*AFTER, BEFORE[0]])

    await one.run(meanwhile=meanwhile)
    assert one.deletions() == LEAVERS[1:]
    await one.recovers()


async def test_a_provider_that_restarts_between_plan_and_sending_costs_nothing(tmp_path: Path) -> None:
    """Every kept connection is dead by then."""
    clock = Clock()
    sandbox = Sandbox(clock)
    with ExitStack() as first, ExitStack() as second:
        url = first.enter_context(serve(sandbox))
        one = await Office(tmp_path, sandbox, url, clock).opened()

        def restart() -> None:
            first.close()
            second.enter_context(serve(sandbox, port=int(url.rpartition(":")[2])))

        assert (await one.run(meanwhile=restart)).converged
        assert one.asked("create") == 1
        await one.in_order()


async def test_a_provider_gone_between_plan_and_sending_leaves_all_for_the_next_run(tmp_path: Path) -> None:
    clock = Clock()
    sandbox = Sandbox(clock)
    with ExitStack() as first:
        url = first.enter_context(serve(sandbox))
        one = await Office(tmp_path, sandbox, url, clock).opened()
        report = await one.run(meanwhile=first.close)
    assert "Connection refused" in result(report).error and not report.waiting
    with serve(sandbox, port=int(url.rpartition(":")[2])):
        await one.recovers()
    assert one.asked("create") == 0 and one.creations()[NEWCOMER] == 1
