"""A backup takes the store's place in one transaction, and nothing that the backup says is trusted for granted."""

from __future__ import annotations

import json
from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest
from alembic import command
from sqlalchemy import create_engine

from syncd.errors import Busy, Fatal, Quarantined
from syncd.model import Effort
from syncd.store import Store, backups, chain, connections, journal, lease, pauses, restoring
from syncd.store.backups import Unusable
from syncd.store.database import HEAD
from syncd.store.migrations.upgrade import config
from syncd.store.restoring import Restored
from tests.store.conftest import ONLY_SQLITE, Opener
from tests.store.rows import HOUR, NOW, register, stage
from tests.store.test_backups import names

LASTING = timedelta(seconds=10)


def put_back(store: Store, file: Path, instance: str = "default") -> Restored:
    said = {"command": "syncd store restore"}
    return restoring.restore(store.url, instance, file, said, NOW + HOUR, LASTING, Effort("restoring", "tables"))


@pytest.fixture
def saved(opened: Opener, tmp_path: Path) -> Path:
    """A backup of a store that knew ann alone; by now it knows bob, too."""
    store = opened()
    register(store, "app")
    stage(store, "app", "ann")
    store.run("UPDATE connection SET complete = TRUE, sealed_at = 'x', watermark = 'w'")
    journal.start_run(store, "delta", NOW)
    backups.backup(store.url, tmp_path / "copy.db", Effort("", ""))
    stage(store, "app", "ann", "bob")
    journal.start_run(store, "delta", NOW)
    journal.start_run(store, "delta", NOW)
    return tmp_path / "copy.db"


def test_the_rows_of_the_backup_are_there_for_whoever_has_the_store_open(kind: str, opened: Opener, saved: Path) -> None:
    open_already = opened()
    done = put_back(open_already, saved)
    assert {row.account for row in open_already.rows("SELECT account FROM account")} == {"ann"}
    assert done.kept is not None and names(done.kept) == {"ann", "bob"}
    assert (
        done.kept.stat().st_mode & 0o777 == 0o600
        and done.kept.name == f"{'syncd.db' if kind == 'sqlite' else 'store'}.before-restore-20260101T010000"
    )
    assert {path.name for path in saved.parent.iterdir() if "restoring" in path.name} == set()
    assert kind != "sqlite" or open_already.rows("PRAGMA integrity_check")[0][0] == "ok"


def test_everything_is_read_anew_and_no_number_is_given_twice(opened: Opener, saved: Path) -> None:
    store = opened()
    assert store.epoch == 0
    assert put_back(store, saved).epoch == store.epoch == 1
    known = connections.row(store, "app")
    assert known is not None and (known.complete, known.sealed_at, known.watermark) == (False, None, None)
    assert known.restored == "2026-01-01T01:00:00.000000Z"
    assert store.value("SELECT COUNT(*) FROM account WHERE digest IS NOT NULL") == 0
    assert [row.mode for row in store.rows("SELECT mode FROM run WHERE id = 4")] == ["restore"], "runs 2 and 3 were after the backup"
    assert journal.start_run(store, "delta", NOW) == 5
    assert put_back(store, saved).epoch == 2, "again, from the same backup"


def test_a_process_that_stood_still_since_before_sends_nothing(opened: Opener, saved: Path) -> None:
    """Its token is spent, in the restored store too, however many runs there were since the backup."""
    store = opened()
    for _ in range(3):
        old = lease.acquire(store, ["app"], "stopped", NOW, LASTING)
        assert isinstance(old, dict)
        lease.release(store, old)
    put_back(store, saved)
    with pytest.raises(Quarantined):
        lease.fence(store, "app", old["app"], NOW)
    new = lease.acquire(store, ["app"], "next", NOW + HOUR, LASTING)
    assert isinstance(new, dict) and new["app"] > old["app"]


def test_not_while_a_run_is_at_work(opened: Opener, saved: Path) -> None:
    store = opened()
    lease.acquire(store, ["app"], "host:17", NOW + HOUR, LASTING)
    with pytest.raises(Busy, match=r"a run is at work on this store \(app by host:17\): restore when it is over") as caught:
        put_back(store, saved)
    assert caught.value.exit_code == 75
    assert {row.account for row in store.rows("SELECT account FROM account")} == {"ann", "bob"}
    assert not [path for path in saved.parent.iterdir() if "restor" in path.name]
    put_back_later = restoring.restore(store.url, "default", saved, {}, NOW + HOUR + LASTING, LASTING, Effort("", ""))
    assert put_back_later.epoch == 1, "a dead run blocks nobody for longer than its lease"


def test_no_release_of_then_counts(opened: Opener, saved: Path, tmp_path: Path) -> None:
    store = opened()
    store.run(
        "INSERT INTO pending (change, connection, object, kind, who, state, hold, reason, run, seen, since, released_at)"
        " VALUES ('c', 'app', 'user', 'delete', 'ann', 'held', 'limit', 'why', 1, 1, 'x', 'y')"
    )
    backups.backup(store.url, tmp_path / "with.db", Effort("", ""))
    put_back(store, tmp_path / "with.db")
    assert store.value("SELECT COUNT(*) FROM pending WHERE released_at IS NULL") == 1


def test_a_target_says_nothing_of_people_before_it_is_read_again(opened: Opener, saved: Path, tmp_path: Path) -> None:
    """What it holds may have been written after the backup, which the store knows nothing of."""
    store = opened()
    ids = stage(store, "app", "ann", "cid", "eve")
    for name, echo in (("ann", '{"account": 1, "wrote": {}}'), ("cid", None), ("eve", '{"account": 3, "wrote": {}}')):
        text = "INSERT INTO link (connection, identity, account_id, echo, owned, generation, state, reason, counted, hold, failures)"
        text += " VALUES ('app', :name, :row, :echo, TRUE, 0, 'live', '', FALSE, '', 0)"
        store.run(text, name=name, row=ids[name], echo=echo)
    store.run("UPDATE account SET container = 'tenant' WHERE account = 'eve'")
    backups.backup(store.url, tmp_path / "with.db", Effort("", ""))
    put_back(store, tmp_path / "with.db")
    rows = store.rows("SELECT a.account, a.document IS NULL AS mute, l.echo FROM link AS l JOIN account AS a ON a.id = l.account_id")
    assert {row.account: (bool(row.mute), row.echo is None) for row in rows} == {
        "ann": (True, True), "cid": (False, True), "eve": (False, False),
    }  # fmt: skip


@pytest.mark.parametrize("state", ["sent", "in_doubt"])
def test_what_was_under_way_is_in_doubt_from_now_on(opened: Opener, saved: Path, tmp_path: Path, state: str) -> None:
    """So that only a view which begins after the settle window, counted from the restore, shows that it was not done."""
    store = opened()
    for creates in (True, False):
        store.run(
            "INSERT INTO step (change, connection, n, creates, summary, token, sent_at, state)"
            " VALUES (1, 'app', 1, :creates, '', 1, '2025-01-01T00:00:00.000000Z', :state)",
            creates=creates, state=state,
        )  # fmt: skip
    backups.backup(store.url, tmp_path / "with.db", Effort("", ""))
    put_back(store, tmp_path / "with.db")
    rows = [(row.creates, row.state, row.settled_at) for row in store.rows("SELECT * FROM step ORDER BY id")]
    assert rows == [(1, "in_doubt", "2026-01-01T01:00:00.000000Z"), (0, state, None)]


def test_what_a_person_paused_stays_paused(opened: Opener, saved: Path) -> None:
    store = opened()
    pauses.pause(store, "", "we are restoring", None, NOW, {})
    put_back(store, saved)
    assert pauses.at(store, "app", NOW) is not None


def test_it_is_in_the_journal(opened: Opener, saved: Path) -> None:
    store = opened()
    put_back(store, saved)
    row = store.one("SELECT e.run, p.body FROM entry AS e JOIN payload AS p ON p.entry = e.seq")
    assert row is not None and (row.run, json.loads(row.body)) == (4, {"command": "syncd store restore"})
    assert list(chain.broken(store)) == []


def test_of_another_instance_it_is_refused(store: Store, tmp_path: Path) -> None:
    Store(f"sqlite:///{tmp_path}/other.db", "test").close()
    with pytest.raises(Unusable, match="is of instance 'test', the configuration says 'default': nothing was changed"):
        put_back(store, tmp_path / "other.db")


def test_the_store_itself_must_be_this_instances_and_not_newer(opened: Opener, saved: Path) -> None:
    store = opened()
    store.run("UPDATE alembic_version SET version_num = '9999'")
    with pytest.raises(Fatal, match="written by a newer syncd"):
        put_back(store, saved)
    assert names_of(store) == {"ann", "bob"}


def names_of(store: Store) -> set[str]:
    return {row.account for row in store.rows("SELECT account FROM account")}


@ONLY_SQLITE
def test_where_the_store_is_lost(opened: Opener, saved: Path) -> None:
    store = opened()
    store.close()
    for path in saved.parent.glob("syncd.db*"):
        path.unlink()
    done = put_back(store, saved)
    assert (done.kept, done.epoch, names(saved.parent / "syncd.db")) == (None, 1, {"ann"})
    assert (saved.parent / "syncd.db").stat().st_mode & 0o777 == 0o600


@ONLY_SQLITE
def test_where_the_store_is_broken(opened: Opener, saved: Path) -> None:
    store, path = opened(), saved.parent / "syncd.db"
    store.close()
    for old in saved.parent.glob("syncd.db-*"):
        old.unlink()
    path.write_bytes(b"not a database any more")
    done = put_back(store, saved)
    assert done.kept is not None and done.kept.read_bytes() == b"not a database any more"
    assert names(path) == {"ann"}


def test_a_backup_of_an_older_schema_is_brought_up_to_date_and_stays_as_it_is(opened: Opener, tmp_path: Path) -> None:
    store, old = opened(), tmp_path / "old.db"
    engine = create_engine(f"sqlite:///{old}")
    with engine.connect() as connection:
        command.upgrade(config(connection), "0002")
        for name in ("store", "digest_key", "instance"):
            value = {"instance": "default"}.get(name, "00" * 16)
            connection.exec_driver_sql("INSERT INTO setting (name, value) VALUES (?, ?)", (name, value))
        connection.commit()
    engine.dispose()
    register(store, "app")
    stage(store, "app", "bob")
    before = old.read_bytes()
    put_back(store, old)
    assert names_of(store) == set() and old.read_bytes() == before
    assert store.value("SELECT version_num FROM alembic_version") == HEAD


def test_interrupted_it_never_happened(opened: Opener, saved: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    store = opened()

    def full(*args: Any, **more: Any) -> int:
        raise Fatal("the disk is full")

    monkeypatch.setattr(restoring, "_distrust", full)
    with pytest.raises(Fatal, match="full"):
        put_back(store, saved)
    assert names_of(store) == {"ann", "bob"} and store.epoch == 0
    assert not [path for path in saved.parent.iterdir() if "restor" in path.name]
