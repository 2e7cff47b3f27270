"""Fixtures for whole cycles against faulty providers: offices, pages of five, and a client that waits a quarter of a second."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import ExitStack, contextmanager
from functools import partial
from pathlib import Path
from typing import Any

import pytest

from syncd.connectors import twilio
from syncd.connectors.http import Http
from tests.end_to_end.office import Office, office

MakeOffice = Callable[..., Office]
DEADLINE = 0.25


@pytest.fixture
def make_office(tmp_path: Path) -> Iterator[MakeOffice]:
    """``make_office(**options of office)``."""
    with ExitStack() as stack:

        def make(**options: Any) -> Office:
            return stack.enter_context(office(tmp_path, **options))

        yield make


@pytest.fixture
def small_pages(monkeypatch: pytest.MonkeyPatch) -> None:
    """Fifteen accounts fill three pages."""
    monkeypatch.setattr(twilio, "PAGE_SIZE", 5)


@contextmanager
def impatience() -> Iterator[None]:
    """The client's total deadline, 30 s, is the one thing here that takes real time: shortened where an answer never comes."""
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(twilio, "Http", partial(Http, deadline=DEADLINE))
        yield
