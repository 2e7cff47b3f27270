"""Where a store lies: places that lose data are refused, a store that moved or was brought up to date is written no more."""

from __future__ import annotations

import os
import shutil
import sqlite3
from collections.abc import Callable
from pathlib import Path

import pytest

from syncd.errors import Fatal
from syncd.model import Effort
from syncd.store import Store, backups, chain, lease, places, reaching, restoring
from syncd.store.places import Moved, file_system
from tests.store.conftest import Opener
from tests.store.rows import HOUR, NOW, register, stage


@pytest.fixture
def kind() -> str:
    return "sqlite"


LASTING = HOUR


def mounts(path: Path, kind: str) -> str:
    """A mount table (proc(5)) in which ``path`` lies on a file system of this kind, among others."""
    device = path.stat().st_dev
    lines = ["22 27 0:21 / /proc rw,relatime - proc proc rw", "23 27 999:7 / /with\\040spaces rw - nfs4 server:/ rw"]
    return "\n".join([*lines, f"27 1 {os.major(device)}:{os.minor(device)} / / rw shared:1 - {kind} source rw", ""])


@pytest.mark.parametrize("kind", ["nfs", "nfs4", "cifs", "smb3", "9p", "ceph", "fuse.sshfs", "fuse.s3fs", "fuse.rclone"])
def test_a_network_file_system_is_refused_before_anything_is_written(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, kind: str) -> None:
    (tmp_path / "mounts").write_text(mounts(tmp_path, kind))
    monkeypatch.setattr(places, "MOUNTS", tmp_path / "mounts")
    with pytest.raises(Fatal, match=rf"syncd.db lies on a network file system \({kind}\).*\n  choose a place on a disk .* store.url"):
        Store(f"sqlite:///{tmp_path}/deep/down/syncd.db")
    assert not (tmp_path / "deep").exists()


@pytest.mark.parametrize("kind", ["ext4", "btrfs", "tmpfs", "overlay", "fuseblk", "fuse.bindfs", "zfs"])
def test_a_local_one_is_not(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, kind: str) -> None:
    (tmp_path / "mounts").write_text(mounts(tmp_path, kind))
    monkeypatch.setattr(places, "MOUNTS", tmp_path / "mounts")
    Store(f"sqlite:///{tmp_path}/syncd.db").close()


def test_the_mounts_of_this_machine_are_read() -> None:
    assert (file_system(Path("/proc")), file_system(Path("/dev/null"))[-5:]) == ("proc", "tmpfs")
    assert file_system(Path("/no/such/place")) == ""


def test_where_nobody_tells_the_mounts_every_place_is_local(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(places, "MOUNTS", tmp_path / "none")
    Store(f"sqlite:///{tmp_path}/syncd.db").close()


def gone(path: Path) -> None:
    path.unlink()


def moved(path: Path) -> None:
    path.rename(path.with_name("away.db"))


def replaced(path: Path) -> None:
    shutil.copy(path, path.with_name("copy"))
    os.replace(path.with_name("copy"), path)


@pytest.mark.parametrize(("how", "said"), [(gone, "is gone"), (moved, "is gone"), (replaced, "another file than the one that was opened")])
def test_a_store_that_moved_gives_no_lease_and_keeps_none(opened: Opener, tmp_path: Path, how: Callable[[Path], None], said: str) -> None:
    store = opened()
    tokens = lease.acquire(store, ["app"], "here", NOW, LASTING)
    assert isinstance(tokens, dict)
    lease.fence(store, "app", tokens["app"], NOW)
    how(tmp_path / "syncd.db")
    for refused in (lambda: lease.fence(store, "app", tokens["app"], NOW), lambda: lease.acquire(store, ["b"], "here", NOW, LASTING)):
        with pytest.raises(Moved, match=said):
            refused()


def test_a_store_that_came_back_is_opened_anew_and_one_that_did_not_is_not_made(opened: Opener, tmp_path: Path) -> None:
    store, place = opened(), tmp_path / "syncd.db"
    place.rename(tmp_path / "away.db")
    with pytest.raises(Moved, match="is gone"):
        store.reopen()
    assert not place.exists()
    replaced(tmp_path / "away.db")
    (tmp_path / "away.db").rename(place)
    store.reopen()
    store.check()
    assert isinstance(lease.acquire(store, ["app"], "here", NOW, LASTING), dict)


def test_a_store_in_memory_never_moves() -> None:
    store = Store("sqlite://")
    store.check()
    store.close()


def test_a_store_that_a_newer_syncd_brought_up_to_date_meanwhile_is_left_alone(opened: Opener) -> None:
    store, newer = opened(), opened()
    tokens = lease.acquire(store, ["app"], "here", NOW, LASTING)
    assert isinstance(tokens, dict)
    newer.run("UPDATE alembic_version SET version_num = '9999'")
    for refused in (lambda: lease.fence(store, "app", tokens["app"], NOW), lambda: lease.acquire(store, ["b"], "here", NOW, LASTING)):
        with pytest.raises(Fatal, match=r"newer syncd \(schema 9999, this one knows .*\): end this one, run that"):
            refused()


def test_the_log_of_a_lost_store_is_neither_deleted_nor_put_into_another(tmp_path: Path) -> None:
    """What was committed last is in it; SQLite would throw it away, or put it into whatever takes the store's place."""
    place, log = tmp_path / "syncd.db", tmp_path / "syncd.db-wal"
    dying = Store(f"sqlite:///{place}")
    dying.run("PRAGMA wal_autocheckpoint = 0")
    register(dying, "app")
    stage(dying, "app", *(f"u{n}" for n in range(50)))
    backups.backup(dying.url, tmp_path / "old.db", Effort("", ""))
    left = log.read_bytes()
    dying.close()
    place.unlink()
    log.write_bytes(left)
    with pytest.raises(Fatal, match=r"no store at .*, but what was last written to one: .*-wal\n  .*syncd store restore FILE"):
        Store(f"sqlite:///{place}")
    assert log.read_bytes() == left and not place.exists()
    restoring.restore(f"sqlite:///{place}", "default", tmp_path / "old.db", {}, NOW, LASTING, Effort("", ""))
    store = Store(f"sqlite:///{place}")
    assert store.rows("PRAGMA integrity_check")[0][0] == "ok" and list(chain.broken(store)) == []
    store.close()
    (kept,) = tmp_path.glob("syncd.db.before-restore-*-wal")
    assert kept.read_bytes() == left


def test_asking_whether_it_can_be_reached_makes_and_changes_nothing(opened: Opener, tmp_path: Path) -> None:
    place = tmp_path / "syncd.db"
    opened().run("UPDATE alembic_version SET version_num = '9999'")
    assert "newer syncd" in reaching.problem(f"sqlite:///{place}")
    place.rename(tmp_path / "away.db")
    assert reaching.problem(f"sqlite:///{place}") == "its file is gone" and not place.exists()


def test_names_that_mean_something_in_an_address(tmp_path: Path) -> None:
    place = tmp_path / "a b?mode=ro#x%20 é" / "ü.db"
    Store(f"sqlite:///{place}").close()
    assert place.exists() and sqlite3.connect(place).execute("SELECT COUNT(*) FROM setting").fetchone() == (3,)
    assert place.stat().st_mode & 0o777 == 0o600
