"""Fixtures every test may use; a whole run uses every core, a part of it stays in one process."""

from __future__ import annotations

import os
from collections.abc import Iterator

import pytest

from tests.stores import places


def pytest_addoption(parser: pytest.Parser) -> None:
    parser.addoption("--store", choices=["sqlite", "postgresql"], default="sqlite", help="in which database the stores of the tests are")


def pytest_configure(config: pytest.Config) -> None:
    places.postgresql = config.getoption("--store") == "postgresql"
    config.addinivalue_line("markers", "sqlite(why): of stores in SQLite files alone; left out with --store postgresql")


def pytest_collection_modifyitems(config: pytest.Config, items: list[pytest.Item]) -> None:
    if places.postgresql:
        for item in items:
            if (mark := item.get_closest_marker("sqlite")) is not None:
                item.add_marker(pytest.mark.skip(reason=mark.args[0]))


@pytest.fixture(autouse=True)
def _no_databases_left() -> Iterator[None]:
    yield
    places.forget()


def pytest_xdist_auto_num_workers(config: pytest.Config) -> int:
    whole = config.args_source is pytest.Config.ArgsSource.TESTPATHS
    return min(os.cpu_count() or 1, 8) if whole else 0


@pytest.fixture(scope="session")
def anyio_backend() -> str:
    return "asyncio"
