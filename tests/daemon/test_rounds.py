"""Who is due gets one cycle, however long nothing was done; and what cannot wait does not."""

from __future__ import annotations

import gc
import os
from datetime import datetime, timedelta

import pytest

from syncd.store import Store, backend, lease, pauses
from tests import stores
from tests.daemon.conftest import MakeDesk
from tests.daemon.desk import STEADY
from tests.world import Clock

pytestmark = pytest.mark.anyio
SLOW, HALF_HOURLY = "{every: 2h, jitter: 0s}", "{every: 30m, jitter: 0s}"


class Passing(Clock):
    """Some time passes whenever somebody asks for it, as it does."""

    def now(self) -> datetime:
        self.pass_time(timedelta(microseconds=1))
        return self.at


def living() -> int:
    """Objects that the collector knows, once it has collected."""
    gc.collect()
    return len(gc.get_objects())


async def test_a_first_contact_is_held_until_it_is_released_and_then_goes_at_once(desk: MakeDesk) -> None:
    one = desk()
    one.hire(1, 2)
    await one.wait(hours=2, step=30)
    assert (one.directory.accounts, one.held) == ({}, 2)
    await one.settle(1, 2)
    assert sorted(account["userName"] for account in one.directory.accounts.values()) == ["p1@corp.example", "p2@corp.example"]


async def test_what_is_due_now_is_due_though_time_passes_while_one_looks(desk: MakeDesk) -> None:
    one = desk(clock=Passing())
    one.hire(1)
    await one.tick()
    assert (one.runs, one.held) == (1, 1)


async def test_what_changes_at_a_source_reaches_a_target_that_is_not_due(desk: MakeDesk) -> None:
    one = desk(app=SLOW)
    await one.settle(1)
    await one.wait(minutes=10)
    before = one.runs
    one.hire(1, 2)
    await one.wait(minutes=5)
    assert (len(one.directory.accounts), one.runs) == (2, before + 2), "one run reads the source, one writes to the target"
    await one.wait(minutes=5)
    assert one.runs == before + 3, "and the target rests again"


async def test_what_is_quiet_is_read_as_often_as_it_is_due(desk: MakeDesk) -> None:
    """A day of ticks, one every five seconds: the number of runs, and that nothing is left open behind them."""
    one = desk(people=HALF_HOURLY, app=HALF_HOURLY)
    await one.settle(1)
    await one.wait(hours=2, step=5)
    before, handles, objects = one.runs, len(os.listdir("/proc/self/fd")), living()
    await one.wait(days=1, step=5)
    assert living() <= objects + 500
    assert one.runs - before in range(48, 51), "every half hour, the one of the night beside them"
    assert len(os.listdir("/proc/self/fd")) <= handles
    assert len(one.store.rows("SELECT 1 FROM change")) <= 1


async def test_jitter_spreads_runs_and_never_brings_them_forward(desk: MakeDesk) -> None:
    one = desk(people="{every: 5m, jitter: 2m}", app="{every: 5m, jitter: 2m}")
    await one.settle(1)
    started = []
    for _ in range(40):
        await one.wait(minutes=1, step=10)
        started.append(one.rounds.duties.known["app"].last_delta)
    distinct = sorted(set(started))
    assert len(distinct) in range(5, 9)
    one.restart()
    turns = dict(one.rounds.duties.look())
    one.restart()
    assert dict(one.rounds.duties.look()) == turns, "a restart throws no dice anew"


@pytest.mark.parametrize("restarted", [False, True])
@pytest.mark.parametrize("away", [timedelta(hours=7), timedelta(days=400)])
async def test_an_outage_is_made_up_for_by_one_run(desk: MakeDesk, away: timedelta, restarted: bool) -> None:
    """The process was gone, or the machine suspended: both, the reading of everything included, are one run."""
    one = desk()
    await one.settle(1)
    before = one.runs
    one.clock.pass_time(away)
    if restarted:
        one.restart()
    await one.wait(seconds=60)
    assert one.modes(before) == ["full"]


async def test_a_restart_alone_is_no_reason_to_run(desk: MakeDesk) -> None:
    one = desk()
    await one.settle(1)
    before = one.runs
    for _ in range(20):
        one.restart()
        await one.wait(seconds=2)
    assert one.runs == before


@pytest.mark.parametrize("jump", [timedelta(days=365), timedelta(days=-365)])
async def test_a_clock_that_jumps_a_year_costs_one_run(desk: MakeDesk, jump: timedelta) -> None:
    one = desk()
    await one.settle(1)
    before = one.runs
    one.clock.at += jump
    await one.wait(minutes=4)
    assert one.runs == before + 1
    await one.wait(minutes=7)
    assert one.runs in (before + 2, before + 3)


async def test_time_alone_makes_a_target_due(desk: MakeDesk) -> None:
    """Somebody's last day ends between two readings."""
    one = desk(people=SLOW, app=SLOW)
    await one.settle(1)
    one.clock.pass_time(timedelta(hours=22))
    (one.root / "people.csv").write_text("employeeNumber,email,displayName,activeUntil\nE1,p1@corp.example,Person 1,2026-01-01\n")
    await one.wait(seconds=60)
    assert one.directory.accounts
    await one.wait(hours=2, step=20)
    (account,) = one.directory.accounts.values()
    assert account["active"] is False
    read = one.store.value("SELECT last_delta FROM connection WHERE name = 'app'")
    assert str(read).startswith("2026-01-02T00:00"), read


async def test_a_lease_of_another_is_waited_for(desk: MakeDesk) -> None:
    one = desk()
    await one.settle(1)
    other = Store(one.load().store.url)
    tokens = lease.acquire(other, ["app"], "elsewhere", one.clock.now(), timedelta(minutes=20))
    assert isinstance(tokens, dict)
    before = one.runs
    await one.wait(minutes=10)
    assert set(one.modes(before)) == {"delta"} and one.rounds.duties.known["people"].last_delta > one.rounds.duties.known["app"].last_delta
    assert one.board.gauges["syncd_lease_held"] == {"people": 1, "app": 0}
    lease.release(other, tokens)
    await one.wait(seconds=10)
    assert one.board.gauges["syncd_lease_held"] == {"people": 1, "app": 1}
    other.close()


async def test_a_locked_store_is_tried_again(desk: MakeDesk, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(backend, "PATIENCE", 0.0)
    one = desk()
    await one.settle(1)
    stores.impatient(one.store)
    other, before = Store(one.load().store.url), one.runs
    with other.transaction():
        await one.wait(minutes=6)
    assert one.runs == before
    await one.wait(seconds=10)
    assert one.runs == before + 1
    other.close()


@pytest.mark.sqlite("a PRAGMA makes it read-only")
async def test_a_store_that_fails_does_not_end_the_daemon(desk: MakeDesk, monkeypatch: pytest.MonkeyPatch) -> None:
    one = desk()
    await one.settle(1)
    before = one.runs
    one.store.run("PRAGMA query_only = 1")
    await one.wait(minutes=10)
    one.store.run("PRAGMA query_only = 0")
    assert one.runs == before
    await one.wait(minutes=2)
    assert one.runs == before + 1


async def test_changed_rules_are_tried_at_once_with_every_source(desk: MakeDesk) -> None:
    """Only a cycle in which all sources were read makes them the rules that leavers are judged by."""
    one = desk(people=SLOW, app=STEADY)
    await one.settle(1, 2)
    await one.wait(minutes=20)
    one.write = '{deprovision: delete, scope: displayName != "Person 2"}'
    one.save()
    before = one.runs
    one.rounds.use(one.load())
    await one.wait(seconds=1)
    assert one.runs == before + 1
    consented = "SELECT consented = projected FROM connection WHERE name = 'app'"
    assert one.store.value(consented)
    assert one.held == 1, "what changed rules change is held"


async def test_rules_that_changed_while_nobody_ran_are_tried_with_every_source_too(desk: MakeDesk) -> None:
    one = desk(people=SLOW)
    await one.settle(1)
    one.write = "{scope: displayName != 'Person 2'}"
    one.save()
    one.restart()
    await one.wait(minutes=6)
    assert one.store.value("SELECT consented = projected FROM connection WHERE name = 'app'")


async def test_a_pause_is_obeyed_and_its_end_makes_the_target_due(desk: MakeDesk) -> None:
    one = desk(app=SLOW)
    await one.settle(1)
    other, said = Store(one.load().store.url), {"command": "pause"}
    pauses.pause(other, "app", "lunch", None, one.clock.now(), said)
    one.hire(1, 2)
    await one.wait(minutes=20)
    assert (len(one.directory.accounts), one.rounds.duties.paused, one.failures()) == (1, {"app"}, 0)
    pauses.resume(other, "app", one.clock.now(), said)
    await one.wait(seconds=2)
    assert len(one.directory.accounts) == 2
    other.close()


async def test_people_that_a_run_leaves_behind_make_no_second_one_due(desk: MakeDesk) -> None:
    """Whatever keeps them from being projected: the daemon does not spin, and a further change is still seen."""
    one = desk(app=SLOW)
    await one.settle(1)
    one.store.run("INSERT INTO dirty (connection, identity) VALUES ('app', 'nobody')")
    one.restart()
    before = one.runs
    await one.wait(minutes=4)
    assert one.runs <= before + 2
    one.hire(1, 2)
    await one.wait(minutes=5)
    assert len(one.directory.accounts) == 2


async def test_ending_begins_no_cycle(desk: MakeDesk) -> None:
    one = desk()
    one.clock.end()
    await one.wait(minutes=1)
    assert one.runs == 0
