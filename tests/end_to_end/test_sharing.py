"""Daemons, one-shots and cron on one store: they share the connections, take over from one another, and double nobody."""

from __future__ import annotations

import os
import random
import signal
import time
from collections.abc import Callable, Iterator
from contextlib import ExitStack
from pathlib import Path
from typing import Any

import pytest

from tests.end_to_end.fleet import DESK, Fleet, takeover

MakeFleet = Callable[..., Fleet]
SEEDS = range(int(os.environ.get("SEEDS", "1")))


@pytest.fixture
def make(tmp_path: Path) -> Iterator[MakeFleet]:
    """``make(**fields of Fleet)``: its first contacts are over."""
    with ExitStack() as stack:

        def made(**options: Any) -> Fleet:
            one = stack.enter_context(Fleet(tmp_path, **options).served())
            one.settle()
            return one

        yield made


def rests(fleet: Fleet) -> None:
    """A last plan finds nothing, and nobody was made twice."""
    said = fleet.run("plan", "--full", "--detailed-exitcode")
    assert said.returncode == 0, said
    assert fleet.doubled() == []
    assert "Nothing waits for you." in fleet.run("pending").stdout


@pytest.mark.parametrize("number", [signal.SIGKILL, signal.SIGSTOP])
def test_who_dies_or_stands_still_is_relieved_and_writes_nothing_more(make: MakeFleet, number: int) -> None:
    """A release's 100: ``python -m tests.bench fencing``."""
    one, chance = make(lease="1s", latency=0.05), random.Random(1)
    one.hire(600)
    one.start("a")
    one.start("b")
    for _ in range(2):
        one.busy(600)
        assert takeover(one, number, chance).late == []
    one.hire(50)
    one.until(lambda: one.users().keys() == {f"p{n}@corp.example" for n in range(1, 51)})
    for name in "ab":
        one.send(name, signal.SIGTERM)
        assert one.members[name].wait(10) == 0
    rests(one)


def test_what_a_daemon_left_when_it_was_stopped_another_takes_up_at_once(make: MakeFleet) -> None:
    """It does not wait for the lease to run out, nor for the target to be due again, an hour later."""
    one = make(lease="1h", latency=0.05)
    one.start("a")
    one.start("b")
    one.until(lambda: one.events("a", "started") and one.events("b", "started"))
    began = time.monotonic()
    one.hire(120)
    first = one.worker(began)
    one.send(first, signal.SIGTERM)
    assert one.members[first].wait(10) == 0 and len(one.users()) < 120
    one.until(lambda: len(one.users()) == 120)
    (other,) = {"a", "b"} - {first}
    one.send(other, signal.SIGTERM)
    assert one.members[other].wait(10) == 0
    rests(one)


def test_a_slow_target_keeps_nobody_waiting(make: MakeFleet) -> None:
    """In one process: a change reaches the quick target while the slow one is written, from the same source and before it is done."""
    one = make(more=DESK, concurrency=1, latency=0.05)
    desk = one.sandbox.twilio.service_sid
    one.hire(150)
    one.start("a")
    one.until(lambda: len(one.users()) == 150)
    assert len(one.users(desk)) < 140
    for more in (151, 152):
        one.hire(more)
        one.until(lambda more=more: len(one.users()) == more)
    assert len(one.users(desk)) < 150, "it is at work still"
    one.employ({n: f"Person {n}" for n in range(3, 153)})  # two who are there, and are to go, and one who never comes
    one.until(lambda: len(one.users()) == 150)
    one.send("a", signal.SIGTERM)
    assert one.members["a"].wait(10) == 0
    assert one.run("sync", "--yes").returncode == 0
    assert len(one.users(desk)) == 150
    rests(one)


def test_two_daemons_share_two_targets(make: MakeFleet) -> None:
    """While one is at work at the slow target, the other takes the quick one; each is said to be held by another once."""
    one = make(more=DESK, concurrency=1, latency=0.05, lease="5s")
    desk = one.sandbox.twilio.service_sid
    one.hire(100)
    one.start("a")
    one.until(lambda: len(one.users(desk)) > 3)
    one.start("b")
    one.until(lambda: one.events("b", "started"))
    one.send("a", signal.SIGSTOP)  # it keeps the slow one until its lease runs out
    while one.until(lambda: one.stands("a")) and one.locked():
        one.send("a", signal.SIGCONT)
        time.sleep(0.01)
        one.send("a", signal.SIGSTOP)
    one.hire(101)
    one.until(lambda: "p101@corp.example" in one.users())
    one.until(lambda: len(one.users(desk)) == 101)
    one.send("a", signal.SIGCONT)
    held = [event for event in one.events("b", "skipped") if event["connection"] == "desk"]
    assert len(held) <= 1, held
    for name in "ab":
        one.send(name, signal.SIGTERM)
        assert one.members[name].wait(10) == 0
    rests(one)


@pytest.mark.parametrize("seed", SEEDS)
def test_whatever_happens_to_whom_everybody_has_one_account(make: MakeFleet, seed: int) -> None:
    """Two daemons and one-shots; people come, go and are renamed, processes die, stand still, are stopped and begin.

    A release's: ``SEEDS=20 pytest tests/end_to_end/test_sharing.py -k whatever``.
    """
    one, chance = make(more=DESK, lease="1s", latency=0.01), random.Random(seed)
    people, stopped = {n: f"Person {n}" for n in range(1, 20)}, set[str]()
    one.employ(people)
    one.start("a")
    one.start("b")
    for number in range(25):
        match chance.choice(["hire", "hire", "leave", "rename", "once", "kill", "stop", "end"]):
            case "hire":
                people |= {n: f"Person {n}" for n in chance.sample(range(1, 200), 15)}
            case "leave":
                people = {n: name for n, name in people.items() if chance.random() < 0.8}
            case "rename":
                people |= {n: f"Renamed {number}" for n in chance.sample(sorted(people), min(5, len(people)))}
            case "once":
                one.members.get(f"once{number - 1}")
                one.start(f"once{number}", "sync", "--yes")
            case "kill":
                _again(one, chance.choice("ab"), signal.SIGKILL)
            case "end":
                _again(one, chance.choice("ab"), signal.SIGTERM)
            case "stop":
                stopped ^= {name := chance.choice("ab")}
                one.send(name, signal.SIGSTOP if name in stopped else signal.SIGCONT)
        one.employ(people)
        time.sleep(chance.uniform(0.1, 1.0))
        if stopped and one.locked():
            for name in stopped:
                one.send(name, signal.SIGCONT)
            stopped = set()
    for name in "ab":
        one.send(name, signal.SIGCONT)
    wanted, desk = {f"p{n}@corp.example": name for n, name in people.items()}, one.sandbox.twilio.service_sid
    for name in [*one.members]:
        if name.startswith("once"):
            assert one.members[name].wait(60) in (0, 1, 3, 75), one.logs()
        else:
            _again(one, name, 0)
    one.until(lambda: one.users() == wanted == one.users(desk))
    for name in "ab":
        one.send(name, signal.SIGTERM)
        assert one.members[name].wait(10) == 0
    rests(one)


def _again(fleet: Fleet, name: str, number: int) -> None:
    """A daemon ends, where it has not ended already, and begins anew; ``number`` 0: only if it has ended."""
    process = fleet.members[name]
    if number and process.poll() is None:
        fleet.send(name, number)
        fleet.send(name, signal.SIGCONT)
        process.wait(12)
    if process.poll() is not None:
        fleet.start(name)
