"""Fixtures for whole cycles against faulty providers: offices, pages of five, and a client that waits a quarter of a second."""

from __future__ import annotations

import shutil
import socket
from collections import defaultdict
from collections.abc import Callable, Iterator
from contextlib import ExitStack, contextmanager
from functools import partialmethod
from pathlib import Path
from typing import Any

import pytest

from syncd.connectors import twilio
from syncd.connectors.http import Http
from syncd.sandbox import Sandbox, serve
from syncd.sandbox.waii_tree import HOME
from tests.end_to_end.app import App
from tests.end_to_end.app import app as appwrite
from tests.end_to_end.company import Company
from tests.end_to_end.office import Office, Past, office
from tests.end_to_end.service import MakeService, Service

MakeOffice = Callable[..., Office]
Pasts = defaultdict[str, tuple[Path, Past]]
DEADLINE = 0.25


@pytest.fixture(scope="session")
def pasts(tmp_path_factory: pytest.TempPathFactory) -> Pasts:
    """The offices opened so far, each with its place, by their options: opening one takes as long as most tests."""
    return defaultdict(lambda: (tmp_path_factory.mktemp("office"), Past()))


@pytest.fixture
def make_office(pasts: Pasts) -> Iterator[MakeOffice]:
    """``make_office(**options of office)``."""
    with ExitStack() as stack:

        def make(**options: Any) -> Office:
            root, past = pasts[repr(sorted(options.items()))]
            shutil.rmtree(root)
            root.mkdir()
            try:
                return stack.enter_context(office(root, past, **options))
            except OSError:  # its port was taken meanwhile
                del pasts[repr(sorted(options.items()))]
                return make(**options)

        yield make


@pytest.fixture
def small_pages(monkeypatch: pytest.MonkeyPatch) -> None:
    """Fifteen accounts fill three pages."""
    monkeypatch.setattr(twilio, "PAGE_SIZE", 5)


@contextmanager
def impatience() -> Iterator[None]:
    """The client's total deadline, 30 s, is the one thing here that takes real time: shortened where an answer never comes."""
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(Http, "__init__", partialmethod(Http.__init__, deadline=DEADLINE))
        yield


@pytest.fixture
def app(tmp_path: Path) -> Iterator[App]:
    with appwrite(tmp_path) as one:
        yield one


@pytest.fixture
def open_company(tmp_path: Path) -> Iterator[Callable[..., Company]]:
    """``open_company(write, organizations)``: lines of the configuration."""
    sandbox = Sandbox()
    with serve(sandbox) as url:
        yield lambda write="{}", organizations=f"organizations: [{HOME}]": Company(tmp_path, sandbox, url, write, organizations)


@pytest.fixture
def make(tmp_path: Path) -> Iterator[MakeService]:
    """``make(more="", **options of Sandbox)``."""
    with ExitStack() as stack:

        def made(more: str = "", **options: Any) -> Service:
            sandbox = Sandbox(**options)
            url = stack.enter_context(serve(sandbox))
            one = Service(tmp_path, sandbox, url, more)
            stack.callback(one.stop)
            return one

        yield made


@pytest.fixture
def port() -> int:
    with socket.socket() as one:
        one.bind(("127.0.0.1", 0))
        return int(one.getsockname()[1])
