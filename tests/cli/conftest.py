"""Offices for the tests of the command line; logging is put back as it was."""

from __future__ import annotations

import logging
import sys
from collections.abc import Callable, Iterator
from contextlib import ExitStack
from pathlib import Path
from typing import Any

import pytest
import structlog

from syncd.environment import Environment
from syncd.sandbox import Sandbox, serve
from syncd.store import Store
from tests import stores
from tests.cli.office import Office

MakeOffice = Callable[..., Office]


@pytest.fixture(scope="session")
def empty_store(tmp_path_factory: pytest.TempPathFactory) -> bytes:
    """A store that was migrated and holds nothing: a copy costs a tenth of a new one."""
    path = tmp_path_factory.mktemp("template") / "syncd.db"
    Store(f"sqlite:///{path}").close()
    return path.read_bytes()


@pytest.fixture
def make_office(tmp_path: Path, empty_store: bytes) -> Iterator[MakeOffice]:
    """``make_office(environment=None, **options of Sandbox)``."""
    with ExitStack() as stack:

        def make(environment: Environment | None = None, **options: Any) -> Office:
            sandbox = Sandbox(**options)
            url = stack.enter_context(serve(sandbox))
            if not stores.places.postgresql:
                (tmp_path / "syncd.db").write_bytes(empty_store)
            return Office(tmp_path, sandbox, url, environment)

        yield make


@pytest.fixture
def office(make_office: MakeOffice) -> Office:
    return make_office()


@pytest.fixture(autouse=True)
def _logging_as_before() -> Iterator[None]:
    root = logging.getLogger()
    handlers, level, hook = root.handlers[:], root.level, sys.excepthook
    yield
    root.handlers[:], sys.excepthook = handlers, hook
    root.setLevel(level)
    structlog.reset_defaults()
