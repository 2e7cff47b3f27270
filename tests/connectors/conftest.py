"""A clock that is moved by hand, and people files read the way the engine does: page after page."""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Iterator
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path

import pytest

from syncd.connectors.file import FileConnector, FileOptions
from syncd.environment import Environment
from syncd.model import Flaw, Page, Rate


class Clock(Environment):
    """Stands still until it is moved."""

    def __init__(self) -> None:
        super().__init__(seed=1)
        self._seconds = 0.0

    def monotonic(self) -> float:
        return self._seconds

    def now(self) -> datetime:
        return datetime.fromtimestamp(self._seconds, UTC)

    def advance(self, seconds: float) -> None:
        self._seconds += seconds


@pytest.fixture
def clock() -> Clock:
    return Clock()


@dataclass
class Reading:
    """What a whole listing amounted to."""

    pages: list[Page]

    @property
    def records(self) -> list[bytes]:
        return [record for page in self.pages for record in page.records]

    @property
    def flaws(self) -> list[Flaw]:
        return [flaw for page in self.pages for flaw in page.flaws]

    @property
    def complete(self) -> bool:
        assert not any(page.complete for page in self.pages[:-1])
        return self.pages[-1].complete

    @property
    def defect(self) -> str:
        return self.pages[-1].defect


def connector(path: Path, *required: str, id: str = "id") -> FileConnector:
    made = FileConnector(FileOptions(path=str(path), id=id), environment=Environment(), rate=Rate(), writable=False)
    made.require(required)
    return made


async def whole(source: FileConnector) -> Reading:
    pages = [await source.list(None)]
    while (cursor := pages[-1].next) is not None:
        pages.append(await source.list(cursor))
    return Reading(pages)


@pytest.fixture
def people(tmp_path: Path) -> Iterator[Callable[..., FileConnector]]:
    """``people(content, *required, name="people.csv", id="id")``: a connection to a file with that content."""

    def make(content: bytes, *required: str, name: str = "people.csv", id: str = "id") -> FileConnector:
        (tmp_path / name).write_bytes(content)
        return connector(tmp_path / name, *required, id=id)

    yield make


@pytest.fixture
def read(people: Callable[..., FileConnector]) -> Callable[..., Awaitable[Reading]]:
    """As ``people``, and the file read to its end."""

    async def run(content: bytes, *required: str, name: str = "people.csv", id: str = "id") -> Reading:
        source = people(content, *required, name=name, id=id)
        try:
            return await whole(source)
        finally:
            await source.aclose()

    return run


@pytest.fixture
def read_all() -> Callable[[FileConnector], Awaitable[Reading]]:
    return whole
