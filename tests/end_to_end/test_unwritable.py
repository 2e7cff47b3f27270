"""A store that may not be written: who only looks sees it as it is, who would write is told why not, and how to mend it."""

from __future__ import annotations

import os
import re
from collections.abc import Sequence

import pytest

from tests.end_to_end.confined import SYNCD, mounted, powerless, said
from tests.end_to_end.service import MakeService, Service

pytestmark = pytest.mark.sqlite("files that may not be written")
LOOKING = (["status"], ["pending"], ["history"], ["explain", "p1@corp.example"], ["identities", "--csv"], ["verify"])
WRITING = (["sync", "--yes"], ["pause", "--reason", "x"], ["run"])
READ_ONLY = 'mount --bind "$PWD" "$PWD" && mount -o remount,ro,bind "$PWD" && cd "$PWD"'


def looked(one: Service, begin: Sequence[str], *arguments: str) -> str:
    """What is seen; status alone tells how long ago that was."""
    found = said(begin, *arguments, at=one.root)
    assert (found.returncode, found.stderr) == (0, ""), (arguments, found)
    return re.sub(r"\d+ (s|min) ago|just now", "ago", found.stdout) if arguments == ("status",) else found.stdout


def settled(make: MakeService) -> Service:
    one = make()
    one.hire(1, 2)
    assert one.run("sync", "--yes").returncode == 0
    return one


def test_on_a_file_system_that_is_mounted_read_only(make: MakeService, tmp_path_factory: pytest.TempPathFactory) -> None:
    one, begin, elsewhere = settled(make), mounted(READ_ONLY), tmp_path_factory.mktemp("elsewhere")
    for command in LOOKING:
        assert looked(one, begin, *command) == looked(one, [], *command), command
    for log in one.root.glob("syncd.db-*"):
        log.unlink()
    for command in WRITING:
        refused = said(begin, *command, at=one.root)
        assert refused.returncode == 78 and "its file system is mounted read-only\n  mount it for writing, or choose" in refused.stderr, (
            command
        )
    copied = said(begin, "store", "backup", str(elsewhere / "copy.db"), at=one.root)
    assert copied.returncode == 0 and "2 identities" in copied.stdout


def test_with_the_mode_of_a_file_to_be_read_only(make: MakeService) -> None:
    one, begin = settled(make), powerless()
    (one.root / "syncd.db").chmod(0o400)
    assert "All 2 in step" in looked(one, begin, "status")
    refused = said(begin, "sync", "--yes", at=one.root)
    assert refused.returncode == 78 and refused.stderr.endswith(
        "syncd.db is read-only\n  make it writable (chmod u+w), or choose another place with store.url\n"
    )
    assert one.users == {"p1@corp.example", "p2@corp.example"}


@pytest.mark.skipif(os.geteuid() != 0, reason="only root gives files to others")
def test_of_somebody_else(make: MakeService) -> None:
    one, begin = settled(make), powerless()
    os.chown(one.root / "syncd.db", 12345, -1)
    for command in (["status"], ["sync", "--yes"]):
        refused = said(begin, *command, at=one.root)
        assert refused.returncode == 78 and "belongs to user 12345, and this is root\n  run syncd as user 12345" in refused.stderr
    (one.root / "syncd.db").chmod(0o644)
    assert "All 2 in step" in looked(one, begin, "status")


def test_a_disk_that_is_full(make: MakeService) -> None:
    """Said, with the cure; and with space again it goes on, at once."""
    one = make()
    one.hire(1, 2)
    one.configure("store: {url: sqlite:///disk/syncd.db}")
    (one.root / "disk").mkdir()
    typed = " ".join(SYNCD)
    begin = mounted(
        f"mount -t tmpfs -o size=2m none disk; {typed} sync --yes >/dev/null 2>&1; mv more.csv people.csv;"
        f" dd if=/dev/zero of=disk/fill bs=4k 2>/dev/null || true; {typed} sync --yes > full.out 2>&1 || echo $? > full.code; rm disk/fill"
    )
    (one.root / "more.csv").write_text((one.root / "people.csv").read_text() + "E3,p3@corp.example,Person 3\n")
    after = said(begin, "sync", "--yes", at=one.root)
    assert (one.root / "full.code").read_text() == "78\n"
    assert "its disk is full\n  free some space; the next run goes on where this one stopped" in (one.root / "full.out").read_text()
    assert after.returncode == 0 and len(one.users) == 3


@pytest.mark.parametrize("mask", [0o000, 0o077])
def test_whatever_the_umask_only_its_owner_reads_it(make: MakeService, mask: int) -> None:
    one = make()
    one.hire(1)
    before = os.umask(mask)
    try:
        assert one.run("sync", "--yes").returncode == 0
        assert one.run("store", "backup", "copy.db").returncode == 0
        assert one.run("plan", "--out", "a.plan").returncode == 0
    finally:
        os.umask(before)
    made = [*one.root.glob("syncd.db*"), one.root / "copy.db", one.root / "a.plan"]
    assert {path.stat().st_mode & 0o777 for path in made} == {0o600} and len(made) >= 3
