"""What a delta does not tell: who is gone, what became of a lost write, what a garbled record said, and, where it shows newcomers only,
what the others say by now."""

from __future__ import annotations

from dataclasses import replace
from datetime import timedelta
from typing import Any, ClassVar

import pytest

from syncd.errors import InDoubt, Rejected, Retryable
from syncd.model import Account, Page, Watermark
from tests.engine.test_delta import Listening, asked, settled, source
from tests.engine.worlds import MakeWorld, mail, people, target, writes
from tests.world import person, planned

pytestmark = pytest.mark.anyio


@pytest.fixture(autouse=True)
def _nothing_noted() -> None:
    Listening.began.clear()


@pytest.mark.parametrize("lag", [0.0, 8.0])
async def test_after_a_lost_answer_everything_is_read_until_it_shows_what_became_of_it(world: MakeWorld, lag: float) -> None:
    """The leaver was deleted all the same, and is back before the next run: of that no delta would ever tell."""
    w = await settled(world, 1, 2, target=target("delete"))
    await w.run()
    w.directory.lag = lag
    w.directory.fail_next("delete", InDoubt("lost"), after=True)
    w.write(people(1))
    await w.run()
    assert sorted(one["userName"] for one in w.directory.accounts.values()) == [mail(1)]
    w.write(people(1, 2))
    asked()
    for _ in range(4):
        w.clock.pass_time(timedelta(seconds=5))
        await w.run()
    assert (asked()[0], sorted(one["userName"] for one in w.directory.accounts.values())) == (False, [mail(1), mail(2)])
    w.clock.pass_time(timedelta(minutes=1))
    await w.run()
    await w.run()
    assert asked()[-1]


@pytest.mark.parametrize(("answer", "full"), [(None, True), (Retryable("HTTP 503"), False)])
async def test_a_change_refused_because_its_account_is_gone_lets_everything_be_read(world: MakeWorld, answer: Any, full: bool) -> None:
    w = await settled(world, 1, 2)
    await w.run()
    (gone,) = (id for id, one in w.directory.accounts.items() if one["userName"] == mail(1))
    del w.directory.accounts[gone]
    w.write([person(1, phone="5"), person(2)])
    if answer is not None:
        w.directory.fail_next("fetch", answer)
    asked()
    report, _ = await w.run()
    assert (asked(), report.results[1].rejected) == ([True], 1)
    report, _ = await w.run()
    assert (asked(), report.converged) == ([not full], full)
    await w.run()
    await w.run()
    assert (w.account(mail(1))["phone"], w.pending()) == ("5", [])


async def test_a_record_that_was_garbled_on_its_way_is_read_again(world: MakeWorld) -> None:
    """Its change is older than the delta that could not read it."""

    class Garbling(Listening):
        garbles: ClassVar[bool] = False

        def parse(self, record: bytes) -> Account:
            account = super().parse(record)
            if self.garbles:
                raise Rejected("no", account=account.id)
            return account

    w = world(delta=True, memory=Garbling)
    w.write(people(1))
    await w.run()
    await w.run()
    w.account(mail(1))["displayName"] = "By hand"
    Garbling.garbles = True
    await w.run()
    Garbling.garbles = False
    report, plan = await w.run()
    assert (asked(), planned(plan)) == ([False, True, True, True], [("update", mail(1), "")])
    assert (report.converged, w.account(mail(1))["displayName"]) == (True, "Person 1")


class Welcoming(Listening):
    """Its deltas show who is new, not who changed."""

    def __init__(self, *args: Any, **settings: Any) -> None:
        super().__init__(*args, **settings)
        self.capability = replace(self.capability, newcomers=True)

    def _changed(self, since: Watermark) -> Page:
        page, before = super()._changed(since), self.directory.shown[since]
        return replace(page, records=[record for record in page.records if self.parse(record).id not in before])


async def test_a_delta_of_newcomers_does_not_make_what_others_were_said_to_be_younger(world: MakeWorld) -> None:
    w = world(target=target("delete", grace=timedelta(hours=20), scope='department == "Support"'))
    w.write([])
    hr, connector = source(w, Welcoming)
    w.extra = [(hr, connector)]
    connector.directory.add("a", userName="a@hr", department="Support")
    await w.run()
    w.clock.pass_time(timedelta(hours=1))
    connector.directory.accounts["a"]["department"] = "Sales"
    _, plan = await w.run("full")
    assert planned(plan) == [("disable", "a@hr", "")]
    connector.directory.accounts["a"]["department"] = "Support"
    for _ in range(22):
        w.clock.pass_time(timedelta(hours=1))
        await w.run()
    assert ("delete", "a@hr") not in writes(w), "a full reading, before anything is sent, shows that it is wanted"
    assert w.account("a@hr")["active"] is not False
