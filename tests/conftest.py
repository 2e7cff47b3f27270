"""Fixtures every test may use; a whole run uses every core, a part of it stays in one process."""

from __future__ import annotations

import os

import pytest


def pytest_xdist_auto_num_workers(config: pytest.Config) -> int:
    whole = config.args_source is pytest.Config.ArgsSource.TESTPATHS
    return min(os.cpu_count() or 1, 8) if whole else 0


@pytest.fixture(scope="session")
def anyio_backend() -> str:
    return "asyncio"
