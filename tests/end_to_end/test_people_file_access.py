"""People files that change while they are read, or cannot be read at all: they prove nothing, and change nothing."""

from __future__ import annotations

import os
from collections.abc import Callable
from pathlib import Path

import pytest

from syncd.connectors import file_listing
from syncd.engine import listing
from syncd.errors import Refused
from tests.end_to_end import wired
from tests.end_to_end.conftest import MakeOffice
from tests.end_to_end.office import AFTER, file_text, result
from tests.world import Clock

pytestmark = pytest.mark.anyio


class Meddler(Clock):
    """Does something once, when the first rows of a listing have been stored."""

    def __init__(self, meddle: Callable[[], None]) -> None:
        super().__init__()
        self._meddle: Callable[[], None] | None = meddle

    def reached(self, point: str) -> None:
        if point == "after_cursor" and self._meddle is not None:
            meddle, self._meddle = self._meddle, None
            meddle()


def replaced(file: Path) -> None:
    """Somebody writes a new file and renames it over the old one."""
    fresh = file.with_name("fresh.csv")
    fresh.write_text(file_text(AFTER[:4]))
    os.replace(fresh, file)


def appended(file: Path) -> None:
    with file.open("a") as end:
        end.write("e14,p14@corp.example,Person 14,Support\n")


def truncated(file: Path) -> None:
    os.truncate(file, 200)


def deleted(file: Path) -> None:
    file.unlink()


CHANGED = "people.csv was changed while it was read"


@pytest.mark.parametrize(
    ("meddle", "cause"),
    [(replaced, CHANGED), (appended, CHANGED), (truncated, CHANGED), (deleted, "people.csv went away while it was read")],
)
async def test_a_file_that_changes_while_it_is_read_proves_nothing(
    make_office: MakeOffice, monkeypatch: pytest.MonkeyPatch, meddle: Callable[[Path], None], cause: str
) -> None:
    """Two rows a page and a transaction, so that there is a while."""
    one = await make_office().opened()
    monkeypatch.setattr(file_listing, "PAGE", 2)
    monkeypatch.setattr(listing, "BATCH", 2)
    clock = Meddler(lambda: meddle(one.file))
    clock.at, clock.elapsed = one.clock.at, one.clock.elapsed
    report, _ = await wired.run(clock, one.config)
    assert report.failed and cause in result(report, "people").error
    assert one.deletions() == []
    one.employ(AFTER)
    await one.recovers()


def no_file(file: Path) -> None:
    file.unlink()


def a_directory(file: Path) -> None:
    file.unlink()
    file.mkdir()


def a_circle(file: Path) -> None:
    """A link to itself: not even the superuser can read it."""
    file.unlink()
    file.symlink_to(file.name)


def a_pipe(file: Path) -> None:
    """Nobody will ever write into it."""
    file.unlink()
    os.mkfifo(file)


@pytest.mark.parametrize(
    ("spoil", "cause"),
    [(no_file, "does not exist"), (a_directory, "is not a file"), (a_circle, "cannot be read: Too many levels"), (a_pipe, "is not a file")],
)
async def test_a_file_that_cannot_be_read_changes_nothing(make_office: MakeOffice, spoil: Callable[[Path], None], cause: str) -> None:
    """The process has run since before: its configuration was loaded while the file was there."""
    one = await make_office().opened()
    settings = wired.settings_of(one.config)
    before, writes = one.accounts(), len(one.twilio.log)
    spoil(one.file)
    report, _ = await wired.run(one.clock, one.config, settings=settings)
    assert report.failed and cause in result(report, "people").error
    assert (one.accounts(), len(one.twilio.log)) == (before, writes)
    one.file.rmdir() if one.file.is_dir() else one.file.unlink(missing_ok=True)
    one.employ(AFTER)
    await one.recovers()


async def test_a_file_that_is_missing_when_the_process_starts_is_a_fault_of_the_configuration(make_office: MakeOffice) -> None:
    one = await make_office().opened()
    one.file.unlink()
    with pytest.raises(Refused, match=r"people\.csv does not exist"):
        await one.run()
    assert one.twilio.requests == []
    one.employ(AFTER)
    await one.recovers()
