"""Streams that are closed, full, or read by nobody: a command says so, the daemon works on, and nothing printed ends up in the store."""

from __future__ import annotations

import os
import signal
import subprocess
import sys

import pytest

from syncd.store import Store, chain
from tests import stores
from tests.end_to_end.service import MakeService, Service


def shell(one: Service, line: str, **environ: str) -> subprocess.CompletedProcess[str]:
    """``syncd`` stands for the command."""
    typed = line.replace("syncd", f"'{sys.executable}' -m syncd")
    given = {"PATH": os.environ["PATH"], "HOME": str(one.root), **stores.environ(one.root), **environ}
    return subprocess.run(["bash", "-c", typed], cwd=one.root, env=given, capture_output=True, text=True, timeout=60)


@pytest.fixture
def one(make: MakeService) -> Service:
    made = make()
    made.hire(1, 2)
    return made


def test_closed_ones(one: Service) -> None:
    assert shell(one, "syncd sync --yes <&- >&- 2>&-").returncode == 0
    assert len(one.users) == 2
    assert shell(one, "syncd status >&-").stderr == ""
    assert "All 2 in step" in shell(one, "syncd status 2>&- <&-").stdout
    store = Store(stores.url(one.root))
    assert list(chain.broken(store)) == [] and (stores.places.postgresql or store.rows("PRAGMA integrity_check")[0][0] == "ok")
    store.close()


def test_full_ones(one: Service) -> None:
    found = shell(one, "syncd sync --yes >/dev/full")
    assert found.returncode == 1 and found.stderr.endswith("syncd: the output cannot be written: No space left on device\n")
    for command in ("status", "identities --csv", "pending --json", "--version"):
        found = shell(one, f"syncd {command} >/dev/full")
        assert (found.returncode, found.stderr) == (1, "syncd: the output cannot be written: No space left on device\n"), command
    assert "In step." in shell(one, "syncd sync --yes 2>/dev/full").stdout and len(one.users) == 2


def test_a_reader_that_goes_away(one: Service) -> None:
    shell(one, "syncd sync --yes")
    for line in ("syncd history | head -1", "syncd status | true", "syncd identities --csv | head -1"):
        assert shell(one, line).stderr == "", line


@pytest.mark.parametrize("streams", [">/dev/full 2>&1", "2>/dev/full", "<&- >&- 2>&-", "2>&1 | true"])
def test_the_daemon_works_on(one: Service, streams: str) -> None:
    assert one.run("sync", "--yes").returncode == 0
    typed = f"'{sys.executable}' -m syncd run {streams}"
    environ = {"PATH": os.environ["PATH"], "HOME": str(one.root), "NOTIFY_SOCKET": str(one.root / "notify"), **stores.environ(one.root)}
    one.process = subprocess.Popen(["bash", "-c", f"{typed} & echo $! > pid; wait $!"], cwd=one.root, env=environ, start_new_session=True)
    try:
        one.hears("READY=1")
        one.hire(1, 2, 3)
        one.until(lambda: len(one.users) == 3)
    finally:
        os.killpg(one.process.pid, signal.SIGTERM)
        one.process.wait(20)


@pytest.mark.sqlite("nothing in the environment says where it is")
def test_without_a_home_a_place_for_temporary_files_or_a_language(one: Service) -> None:
    bare = "env -i PATH=$PATH"
    for environ in ("", "LC_ALL=C PYTHONUTF8=0 PYTHONCOERCECLOCALE=0", "HOME=/nonexistent TMPDIR=/nonexistent XDG_CACHE_HOME=/proc"):
        found = shell(one, f"{bare} {environ} syncd sync --yes")
        assert found.returncode == 0, found
    one.hire(1)
    (one.root / "people.csv").write_text("employeeNumber,email,displayName\nE1,p1@corp.example,Zoë 漢\n", encoding="utf-8")
    found = shell(one, f"{bare} LC_ALL=C PYTHONUTF8=0 PYTHONCOERCECLOCALE=0 syncd plan -v")
    assert found.returncode == 0 and "Zo" in found.stdout
