"""`syncd run --queue`: two real workers on one PostgreSQL share five targets, take over from one another, and double nobody."""

from __future__ import annotations

import signal
import time
from collections.abc import Iterator
from contextlib import ExitStack
from pathlib import Path

import psycopg
import pytest

from syncd.sandbox.twilio_service import Service
from tests import stores
from tests.end_to_end.fleet import DESK, Fleet

TARGETS = 4
Services = dict[str, str]


class Crew(Fleet):
    """``services``: further targets, each a chat service of its own -> its SID."""

    def __post_init__(self) -> None:
        super().__post_init__()
        self.store = stores.empty()
        account = self.sandbox.twilio
        self.services: Services = {f"desk{n}": f"IS{n:032d}" for n in range(TARGETS)}
        for sid in self.services.values():
            account.services[sid] = Service(sid, account.account_sid, account.role_sid, account._environment, account.journal, 0, 1)
        self.more = "".join(
            DESK.replace("  desk:", f"  {name}:").replace("{twilio.service_sid}", sid) for name, sid in self.services.items()
        )  # fmt: skip

    def work(self, *names: str) -> None:
        for name in names:
            self.start(name, "run", "--queue")
        for name in names:
            self.until(lambda name=name: self.events(name, "started"))

    def everywhere(self, many: int) -> bool:
        return all(len(self.users(sid)) == many for sid in self.services.values())

    def took_part(self, name: str) -> set[str]:
        """The targets whose cycle this worker did to its end."""
        return {event["connection"] for event in self.events(name, "synced")} & {*self.services}

    def end(self, *names: str) -> None:
        for name in names:
            self.send(name, signal.SIGTERM)
            assert self.members[name].wait(10) == 0, self.logs()

    def rests(self) -> None:
        """A last plan finds nothing, nobody was made twice, and nothing is left in the queue but what is due."""
        said = self.run("plan", "--full", "--detailed-exitcode")
        assert said.returncode == 0, said
        assert self.doubled() == []
        with psycopg.connect(self.store) as door:
            for what in ("jobs WHERE status <> 'todo'", "events WHERE type <> 'deferred'", "workers"):
                found = door.execute(f"SELECT COUNT(*) FROM procrastinate_{what}".encode()).fetchone()
                assert found == (0,), what


@pytest.fixture
def crew(tmp_path: Path) -> Iterator[Crew]:
    with ExitStack() as stack:
        one = Crew(tmp_path, lease="2s", latency=0.05, concurrency=1)
        stack.enter_context(one.served())
        one.settle()
        yield one
    stores.server().drop(one.store)


def test_two_workers_share_what_is_due(crew: Crew) -> None:
    crew.work("a", "b")
    for many in (30, 60):
        crew.hire(many)
        crew.until(lambda many=many: crew.everywhere(many))
    crew.until(lambda: crew.took_part("a") and crew.took_part("b"))
    crew.end("a", "b")
    crew.rests()


@pytest.mark.parametrize("number", [signal.SIGKILL, signal.SIGSTOP])
def test_what_a_worker_had_begun_when_it_died_another_does(crew: Crew, number: int) -> None:
    crew.work("a", "b")
    began = time.monotonic()
    crew.hire(60)
    lost = crew.worker(began)
    crew.send(lost, number)
    (other,) = {"a", "b"} - {lost}
    crew.until(lambda: crew.everywhere(60))
    if number == signal.SIGSTOP:
        crew.send(lost, signal.SIGCONT)
        crew.hire(61)
        crew.until(lambda: crew.everywhere(61))
        crew.end(lost)
    else:
        crew.kill(lost)
    crew.end(other)
    crew.rests()


def test_what_a_worker_leaves_when_it_is_stopped_another_takes_up_at_once(tmp_path: Path) -> None:
    """Long before the lease, and the worker's own silence, would free it."""
    one = Crew(tmp_path, lease="1h", latency=0.05, concurrency=1)
    with one.served():
        one.settle()
        one.work("a", "b")
        began = time.monotonic()
        one.hire(60)
        first = one.worker(began)
        one.end(first)
        (other,) = {"a", "b"} - {first}
        one.until(lambda: one.everywhere(60))
        one.end(other)
        one.rests()
    stores.server().drop(one.store)


def test_a_reload_that_is_refused_and_one_that_is_taken_over(crew: Crew) -> None:
    crew.work("a", "b")
    config = crew.root / "syncd.yaml"
    good = config.read_text()
    config.write_text(good + "nonsense: true\n")
    for name in ("a", "b"):
        crew.send(name, signal.SIGHUP)
        crew.until(lambda name=name: crew.events(name, "reload refused: the configuration before stays in use"))
    crew.hire(20)
    crew.until(lambda: crew.everywhere(20))
    config.write_text(good.replace("write: {deprovision", "write: {scope: displayName != 'Person 25', deprovision"))
    for name in ("a", "b"):
        crew.send(name, signal.SIGHUP)
        crew.until(lambda name=name: crew.events(name, "reloaded"))
    crew.hire(30)
    crew.until(lambda: crew.everywhere(29))
    crew.end("a", "b")
    crew.rests()
    assert all("p25@corp.example" not in crew.users(sid) for sid in crew.services.values())
