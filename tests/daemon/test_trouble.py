"""A store that fails, goes away, comes back or grows too new under a daemon: nothing is sent meanwhile, it is said once, and it goes on."""

from __future__ import annotations

import os
import resource
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest
from structlog.testing import capture_logs

from syncd.errors import Fatal
from syncd.model import Effort
from syncd.store import Store, backend, backups, chain, restoring
from tests import stores
from tests.daemon.conftest import MakeDesk
from tests.daemon.desk import Desk

pytestmark = pytest.mark.anyio
in_a_file = pytest.mark.sqlite("what becomes of a file")


def place(one: Desk) -> Path:
    return one.root / "syncd.db"


def people(one: Desk) -> int:
    return len(one.directory.accounts)


@contextmanager
def full() -> Iterator[None]:
    """No file of this process can grow: SQLite's write-ahead log is written to by nobody (setrlimit(2), RLIMIT_FSIZE)."""
    before = resource.getrlimit(resource.RLIMIT_FSIZE)
    resource.setrlimit(resource.RLIMIT_FSIZE, (0, before[1]))
    try:
        yield
    finally:
        resource.setrlimit(resource.RLIMIT_FSIZE, before)


@in_a_file
async def test_a_full_disk_is_said_once_and_when_there_is_space_it_goes_on(desk: MakeDesk) -> None:
    one = desk()
    await one.settle(1)
    one.hire(1, 2)
    with capture_logs() as logs:
        with full():
            await one.wait(minutes=20, step=5)
            assert people(one) == 1 and "cannot be written" in one.board.trouble
        await one.wait(minutes=2)
    assert [line["event"] for line in logs if line["event"] in ("at rest", "at work again")] == ["at rest", "at work again"]
    assert (people(one), one.board.trouble) == (2, "")
    assert not any("ExceptionGroup" in str(line) or "unexpected" in str(line) for line in logs)


def taken(one: Desk) -> None:
    """The file; or the server with all its databases."""
    if stores.places.postgresql:
        stores.server().stop(crash=True)
    else:
        place(one).rename(one.root / "away.db")


def put_back(one: Desk) -> None:
    if not stores.places.postgresql:
        (one.root / "away.db").rename(place(one))
    elif not stores.server().running:
        stores.server().start()


@pytest.fixture(autouse=True)
def _there_again() -> Iterator[None]:
    yield
    if stores.places.postgresql and not stores.server().running:
        stores.server().start()


async def test_a_store_that_is_gone_is_waited_for_and_not_made_anew(desk: MakeDesk) -> None:
    one = desk()
    await one.settle(1)
    one.hire(1, 2)
    taken(one)
    with capture_logs() as logs:
        await one.wait(minutes=20, step=5)
        assert (people(one), place(one).exists()) == (1, False)
        told = ("does not answer", "is PostgreSQL running there?") if stores.places.postgresql else ("is gone", "store restore FILE")
        assert all(words in one.board.trouble for words in told)
        put_back(one)
        await one.wait(minutes=1)
    assert [line["event"] for line in logs if line["log_level"] != "debug" and line["event"].startswith("at ")] == [
        "at rest",
        "at work again",
    ]
    assert people(one) == 2


@in_a_file
async def test_a_store_that_is_moved_away_takes_all_with_it(desk: MakeDesk) -> None:
    """What was written last is in the log beside it, which stays where it is."""
    one = desk()
    await one.settle(1, 2, 3)
    assert (one.root / "syncd.db-wal").stat().st_size
    taken(one)
    await one.wait(seconds=2)
    assert (one.root / "syncd.db-wal").stat().st_size == 0
    away = Store(f"sqlite:///{one.root}/away.db")
    assert away.value("SELECT COUNT(*) FROM link WHERE actual IS NOT NULL") == 3 and list(chain.broken(away)) == []
    away.close()


@pytest.mark.parametrize("lost", [True, False])
async def test_a_backup_that_is_put_back_under_it_is_what_it_works_with(desk: MakeDesk, lost: bool) -> None:
    """Nobody is doubled: who was made since the backup is known again by the marker."""
    one = desk()
    await one.settle(1)
    backups.backup(one.load().store.url, one.root / "old.db", Effort("", ""))
    one.hire(1, 2)
    await one.wait(minutes=6)
    made = dict(one.directory.accounts)
    if lost:
        stores.lose(one.root)
    settings = one.load()
    restoring.restore(settings.store.url, "default", one.root / "old.db", {}, one.clock.now(), settings.landscape.lease, Effort("", ""))
    await one.wait(minutes=6)
    assert one.directory.accounts == made and len(made) == 2
    one.hire(1, 2, 3)
    await one.wait(minutes=6)
    assert people(one) == 3 and one.board.trouble == ""
    other = Store(settings.store.url)
    assert other.value("SELECT COUNT(*) FROM link WHERE actual IS NOT NULL") == 3 and other.id == one.store.id
    other.close()


def newer(one: Desk) -> None:
    other = Store(one.load().store.url)
    other.run("UPDATE alembic_version SET version_num = '9999'")
    other.close()


async def test_a_store_that_a_newer_syncd_brought_up_to_date_is_neither_read_nor_written(desk: MakeDesk) -> None:
    one = desk()
    await one.settle(1)
    before = one.runs
    newer(one)
    one.hire(1, 2)
    with capture_logs() as logs:
        await one.wait(minutes=20, step=5)
    assert (people(one), one.runs) == (1, before)
    (said,) = (line["error"] for line in logs if line["event"] == "at rest")
    assert "was written by a newer syncd" in said and "end this one, run that" in said
    with pytest.raises(Fatal, match="upgrade syncd"):
        Store(one.load().store.url)


@pytest.mark.parametrize("done", [taken, newer])
async def test_in_the_middle_of_a_run_nothing_more_is_sent(
    desk: MakeDesk, monkeypatch: pytest.MonkeyPatch, done: Callable[[Desk], None]
) -> None:
    one = desk(app="{every: 5m, jitter: 0s}")
    await one.settle(1)
    one.hire(*range(1, 9))
    reached = one.clock.reached

    def sent(point: str) -> None:
        reached(point)
        if point == "after_send":
            monkeypatch.setattr(one.clock, "reached", reached)
            done(one)

    monkeypatch.setattr(one.clock, "reached", sent)
    await one.wait(minutes=20, step=5)
    assert people(one) < 8, "those that were under way, and no more"
    assert one.board.trouble


async def test_a_store_that_another_process_keeps_is_said_once_each_time_it_lasts(desk: MakeDesk, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(backend, "PATIENCE", 0.0)
    one = desk()
    await one.settle(1)
    other = Store(one.load().store.url)

    async def told(*durations: float) -> list[str]:
        """Of all that is said while it is kept for so many seconds, again and again."""
        stores.impatient(one.store)
        with capture_logs() as logs:
            for seconds in durations:
                one.rounds.duties.at_once("app")
                one.rounds.duties.moved()
                with other.transaction():
                    await one.wait(seconds=seconds)
                await one.wait(seconds=6)
        return [line["reason"] for line in logs if line["event"] == "skipped" and line["log_level"] == "info"]

    assert await told(3, 3, 3) == []
    (said,) = await told(240)
    assert "in use: another process keeps it locked" in said
    assert len(await told(60, 60)) == 2, "once for each time"
    one.hire(1, 2)
    await one.wait(minutes=6)
    assert (people(one), one.board.trouble) == (2, "")
    other.close()


@in_a_file
async def test_a_broken_file_in_its_place_is_no_store(desk: MakeDesk) -> None:
    one = desk()
    await one.settle(1)
    backups.backup(one.load().store.url, one.root / "good.db", Effort("", ""))
    os.replace(one.root / "people.csv", place(one))
    one.hire(1, 2)
    with capture_logs() as logs:
        await one.wait(minutes=20, step=5)
    assert people(one) == 1 and "not a database" in one.board.trouble
    assert [line["event"] for line in logs] == ["at rest"], "and nothing unexpected"
    os.replace(one.root / "good.db", place(one))
    await one.wait(minutes=6)
    assert people(one) == 2
